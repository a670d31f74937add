"""The Omega regulariser: the error is asked to keep its norm on its way back.

    r_k   = |J_k^T a_k|^2 / |a_k|^2                a_k = dE/dstate_k                         (1)
    Omega = mean over steps of (r_k - 1)^2                                                   (2)
    dE/dparams + weight * dOmega/dparams           state_{k-1} and a_k held in dOmega        (3)

J_k = dstate_k/dstate_{k-1}, a_k holds all that reaches state k, its own output's error as well, and
the mean is over the steps with |a_k|^2 >= 1e-20; at the others r_k counts as 1. So it is in the
authors' program, with a weight of 2; eq. 9 of the paper has norms that are not squared, and a sum:
Omega(weight=4.0, squared=False, averaged=False). The program takes the mean over a whole batch of
sequences, here each sequence has its own.

With state and adjoint held, Omega depends on the parameters through J alone. In a cell whose state
is the net input (`Pascanu2013`) those are the recurrent weights; where the state is the activation,
what is seen beside them bends J too, and `parameters` names what alone is to be regularised.

Reference: R. Pascanu, T. Mikolov, Y. Bengio, On the Difficulty of Training Recurrent Neural
Networks, 2013, section 3.3 and equations 9 and 10.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import grad, grad_and_value, vjp

from ...engine.native import Recursion
from ...errors import WrongUsage
from ...problem import Problem
from ...types import Params, plus
from ._gradient import expect_jacobian
from ._recursive import RecursiveGradient

_BOUND = 1e-20
"""Of |a|^2; an error below it has no direction left to keep."""


class Added(NamedTuple):
    """What the steps come to."""

    gradient: Params
    omega: Params
    """d(r - 1)^2/dparams."""

    steps: Tensor
    """Those with an error to keep."""


@dataclass(frozen=True)
class Omega(RecursiveGradient):
    """BPTT, and a weight on how much a step changes the error's norm.

    Args:
        weight: of Omega beside the error.
        squared: whether the norms in (1) are squared.
        averaged: whether (2) is a mean over steps; otherwise it is their sum.
        parameters: the names of those that are regularised; None for all.
    """

    weight: float = 2.0
    squared: bool = True
    averaged: bool = True
    parameters: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.weight >= 0:
            raise WrongUsage(f"weight came as {self.weight}, expected at least 0; try weight=2.0.")

    @property
    def exact(self) -> bool:
        return False

    @property
    def backward_passes(self) -> float:
        """One for the error, and one for how its norm changes."""
        return 2.0

    def schedule(self, problem: Problem) -> Recursion:
        """What is carried is the adjoint.

        Raises:
            WrongUsage: `parameters` names one that the cell does not have, or the cell has no
                Jacobian.
        """
        expect_jacobian(problem.cell, self)
        cell, task = problem.cell, problem.task
        self._expect_known(problem)

        def reading(
            params: Params, state: Tensor, x: Tensor, target: Tensor, weight: Tensor
        ) -> Any:
            def error(params: Params, state: Tensor) -> tuple[Tensor, Tensor]:
                output = cell.read(params, state, x)
                loss = torch.where(weight > 0, task.loss(output, target) * weight, 0)
                return loss, output

            found: Any = grad_and_value(error, (0, 1), has_aux=True)(params, state)
            (gradient, entering), (loss, output) = found
            return output, loss, entering, gradient

        def back(
            params: Params, before: Tensor, x: Tensor, adjoint: Tensor, parts: Params
        ) -> tuple[Tensor, Added]:
            def earlier(params: Params) -> Tensor:
                return vjp(lambda state: cell.step(params, state, x), before)[1](adjoint)[0]

            own, pulled = vjp(lambda p, s: cell.step(p, s, x), params, before)[1](adjoint)
            kept = (adjoint**2).sum() >= _BOUND
            omega = grad(lambda params: self._change(earlier(params), adjoint))(params)
            return pulled, Added(plus(own, parts), self._chosen(omega), kept.to(adjoint))

        def origin(params: Params, adjoint: Tensor) -> Added:
            gradient = vjp(cell.start, params)[1](adjoint)[0]
            nothing = {name: torch.zeros_like(it) for name, it in params.items()}
            return Added(gradient, nothing, adjoint.new_zeros(()))

        def finish(added: Added) -> Params:
            factor = self.weight / (added.steps.clamp(min=1) if self.averaged else 1)
            return {name: it + factor * added.omega[name] for name, it in added.gradient.items()}

        return Recursion(reading, back, origin, finish)

    def _change(
        self, earlier: Float[Tensor, " N"], adjoint: Float[Tensor, " N"]
    ) -> Float[Tensor, ""]:
        """(r - 1)^2 of one step."""
        long, short = (adjoint**2).sum(), (earlier**2).sum()
        kept = long >= _BOUND
        ratio = short / torch.where(kept, long, 1)  # (1)
        if not self.squared:
            some = ratio > 0  # the root has no derivative at 0
            ratio = torch.where(some, torch.where(some, ratio, 1).sqrt(), 0)
        return torch.where(kept, (ratio - 1) ** 2, 0)

    def _chosen(self, omega: Params) -> Params:
        chosen = omega if self.parameters is None else self.parameters
        return {name: it if name in chosen else torch.zeros_like(it) for name, it in omega.items()}

    def _expect_known(self, problem: Problem) -> None:
        if self.parameters is None:
            return
        known = list(problem.parameters(0))
        if unknown := [name for name in self.parameters if name not in known]:
            raise WrongUsage(
                f"parameters came with {unknown}, expected names of {known}, those of "
                f"{problem.cell!r}; try parameters=None for all."
            )
