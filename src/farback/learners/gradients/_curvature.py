"""Second-order back-propagation: the error's diagonal curvature, carried back beside its gradient.

With the adjoint a_t = dE/dstate_t, the Jacobian J_t = dstate_t/dstate_{t-1} and the influence
S_t = dstate_t/dparams with state_{t-1} held, and squares taken number by number,

    a_{t-1} = J_t^T a_t   + sum_o (do_o/dstate)   l'_o          l of the output o of step t-1  (1)
    H_{t-1} = (J_t^2)^T H_t + sum_o (do_o/dstate)^2 l''_o                                      (2)
    g_t     = S_t^T a_t   + sum_o (do_o/dparams)   l'_o         o of step t                    (3)
    h_t     = (S_t^2)^T H_t + sum_o (do_o/dparams)^2 l''_o                                     (4)

g_t and h_t are the first and second derivative by the weights' instances of step t alone, as if
each step had weights of its own; a learned start is one instance more. l'' is the second derivative
of the loss by each output, taken for 0 where it is negative, so that H and h never are. Within a
step the derivatives are whole, between steps only the diagonal is carried, and second derivatives
of the net itself are left out (Gauss-Newton). So h_t is exact where outputs are linear in each
instance, and J_t and S_t take each number to no more than one other: in linear nets without
connections between units. Where the state is the activation y = f(a) of one layer, (2) reads

    H_a,i(t) = f'(a_i)^2 sum_k w_ki^2 H_a,k(t+1)          h_ij,t = y_j(t-1)^2 H_a,i(t)         (5)

Reference: S. Becker, Y. LeCun, Improving the Convergence of Back-Propagation Learning with Second
Order Methods, 1988.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import grad_and_value, jacrev, vjp, vmap

from ...engine.native import Recursion
from ...errors import WrongUsage
from ...problem import Problem
from ...types import Params, plus
from ._recursive import RecursiveGradient


class Carried(NamedTuple):
    """What reaches a state from the steps behind it."""

    adjoint: Float[Tensor, " N"]
    curvature: Float[Tensor, " N"]
    """H, never negative."""


class Instance(NamedTuple):
    """The derivatives by the weights of one step, or their sums."""

    gradient: Params
    curvature: Params
    """h, never negative."""


def second_order(
    problem: Problem,
    *,
    at_each: Callable[[Instance], Any] = lambda instance: instance,
    at_end: Callable[[Any], Params],
) -> Recursion:
    """The recursion (1) to (4).

    Args:
        problem: the cell and the task.
        at_each: what is added of an instance.
        at_end: what becomes of the sum.
    """
    cell, task = problem.cell, problem.task
    always = torch.ones((), dtype=torch.bool)

    def reading(params: Params, state: Tensor, x: Tensor, target: Tensor, weight: Tensor) -> Any:
        def error(output: Tensor) -> Tensor:
            return torch.where(weight > 0, task.loss(output, target) * weight, 0)

        output, back = vjp(lambda p, s: cell.read(p, s, x), params, state)[:2]
        sloped: Any = vjp(grad_and_value(error), output, has_aux=True)
        slope, bend, loss = sloped
        each = torch.eye(len(output)).to(output)
        curve = vmap(bend)(each)[0].diagonal().clamp(min=0)
        by_params, by_state = vmap(back)(each)
        carried = Carried(slope @ by_state, curve @ by_state**2)
        return output, loss, carried, _instance(slope, curve, by_params)

    def back(params: Params, before: Tensor, x: Tensor, carried: Carried, parts: Instance) -> Any:
        _, jacobian, influence = problem.sensitivity(params, before, x, always)
        own = _instance(*carried, influence)
        here = Instance(*(plus(one, part) for one, part in zip(own, parts, strict=True)))
        adjoint, curvature = carried
        return Carried(adjoint @ jacobian, curvature @ jacobian**2), at_each(here)

    def origin(params: Params, carried: Carried) -> Any:
        return at_each(_instance(*carried, jacrev(cell.start)(params)))

    return Recursion(reading, back, origin, at_end)


def _instance(slope: Tensor, curve: Tensor, by_params: Params) -> Instance:
    """Equations (3) and (4) through rows of derivatives, [rows, ...] each."""
    squares = {name: each**2 for name, each in by_params.items()}
    return Instance(_along(slope, by_params), _along(curve, squares))


def _along(rows: Float[Tensor, " rows"], values: Params) -> Params:
    return {name: torch.tensordot(rows, each, 1) for name, each in values.items()}


@dataclass(frozen=True)
class ScaledGradient(RecursiveGradient):
    """A gradient over its curvature; where along the way it is divided is a member's own.

    Args:
        mu: what is added to the curvature; above 0.
    """

    mu: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.mu > 0:  # nor a number: it keeps the divisor off 0 where there is no curvature
            raise WrongUsage(f"mu came as {self.mu}, expected a number above 0; try mu=0.01.")

    @property
    def exact(self) -> bool:
        return False

    @property
    def backward_passes(self) -> float:
        """One for the error and one for the curvature."""
        return 2.0

    @abstractmethod
    def schedule(self, problem: Problem) -> Recursion:
        """`second_order`, with `scaled` at each step or at the end."""

    def scaled(self, instance: Instance) -> Params:
        """The gradient over curvature plus mu, weight by weight."""
        gradient, curvature = instance
        return {name: value / (curvature[name] + self.mu) for name, value in gradient.items()}
