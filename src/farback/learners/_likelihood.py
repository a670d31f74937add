"""The log-likelihood of what sequences ask for, in a cell with a distribution over states.

    f_i(t)     = sum_k e_ik(x(t)) [target(t) names class k] where scored, else 1            (1)
    joint_i(t) = f_i(t) sum_j phi_ij(x(t)) alpha_j(t-1)                                     (2)
    c(t)       = sum_i joint_i(t),   alpha(t) = joint(t) / c(t)                             (3)
    log L      = sum_t log c(t)                                                             (4)

With the scaling of (3) no length underflows. The way back through (2) to (4) is that of BPTT, and
gives all that an E step is for: with theta a probability of a table, its expected count is

    n(theta) = theta dlog L/dtheta                                                          (5)

for L is a sum over paths of products in which theta stands as often as the path uses it. And where
probabilities are functions of weights, dlog L/dW is the gradient of Q = sum n log phi.

The target of a step names the class whose v_k is nearest. Where c(t) is below the square root of
the smallest number of its type the target cannot be: the step counts as not scored, at the price of
that root, and teaches nothing. Below it, 1 / c(t) would overflow on the way back.

The criterion adds to (4) what fights the diffusion of credit, with the mean over a sequence's own
steps and a factor d:

    F = log L + d mean_t |det phi(x(t))|                                                    (6)

Reference: Y. Bengio, P. Frasconi, An Input Output HMM Architecture, 1994, section 3;
the determinant is that of Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to
Backpropagation, 1993, section 6.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.func import vjp

from ..cells._state_distribution import StateDistribution
from ..engine.reference import Function, batched
from ..problem import Trials
from ..types import Params, Sequences, plus


class Likelihood(NamedTuple):
    """How likely the targets are."""

    log: Float[Tensor, "R B"]
    """Equation (4), in nats."""

    gradient: Params
    """dF/dparams, summed over the sequences of a trial, [R, ...] each."""


def likelihood(
    net: Trials,
    cell: StateDistribution,
    params: Params,
    sequences: Sequences,
    determinant: float = 0.0,
) -> Likelihood:
    """The likelihood of sequences, [T, R, B, ...], and the derivative of equation (6)."""
    forward, back = _functions(cell, determinant != 0)
    alpha, total = net.start(params, sequences), torch.zeros_like(sequences.scored[0])
    share = determinant / sequences.lengths.to(total.dtype)
    before = []
    for t in range(sequences.steps):
        before.append(alpha)
        alpha, log, _ = forward(params, alpha, *_at(sequences, t))
        total = total + log
    adjoint = torch.zeros_like(alpha)
    gradient = {name: torch.zeros_like(value) for name, value in params.items()}
    for t in reversed(range(sequences.steps)):
        summand, adjoint = back(params, before[t], *_at(sequences, t), adjoint, share)
        gradient = plus(gradient, {name: value.sum(1) for name, value in summand.items()})
    return Likelihood(total, gradient)


def named(cell: StateDistribution, target: Float[Tensor, " O"]) -> Float[Tensor, " K"]:
    """1 for the class that a target names, the one whose v_k is nearest, else 0."""
    distance = ((target - values(cell, target)) ** 2).sum(-1)
    places = torch.arange(len(distance), device=target.device)
    return (places == distance.argmin()).to(target.dtype)


def values(cell: StateDistribution, like: Float[Tensor, "*steps O"]) -> Float[Tensor, "K O"]:
    """v_k of each class."""
    if cell.targets is None:
        return torch.eye(like.shape[-1], dtype=like.dtype, device=like.device)
    return torch.tensor(cell.targets, dtype=like.dtype, device=like.device).unsqueeze(-1)


def _at(sequences: Sequences, t: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return sequences.inputs[t], sequences.targets[t], sequences.scored[t], sequences.alive[t]


@cache
def _functions(cell: StateDistribution, spread: bool) -> tuple[Function, Function]:
    """One step of all sequences: forward, and back with the adjoints of what came of it."""

    def step(
        params: Params, alpha: Tensor, x: Tensor, target: Tensor, scored: Tensor, alive: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        phi = cell.transition(params, x)
        predicted = alpha @ phi
        likely = cell.emission(params, x) @ named(cell, target)
        joint = torch.where(scored > 0, predicted * likely, predicted)  # (1), (2)
        smallest = torch.finfo(joint.dtype).tiny ** 0.5
        can_be = joint.sum() > smallest
        joint = torch.where(can_be, joint, predicted)
        sure = joint.sum()
        log = torch.where(can_be, torch.log(sure), torch.log(torch.full_like(sure, smallest)))
        after = torch.where(alive, joint / sure, alpha)  # (3)
        size = torch.linalg.det(phi).abs() if spread else torch.zeros_like(log)
        none = torch.zeros_like(log)
        return after, torch.where(alive, log, none), torch.where(alive, size, none)

    def back(
        params: Params,
        alpha: Tensor,
        x: Tensor,
        target: Tensor,
        scored: Tensor,
        alive: Tensor,
        adjoint: Tensor,
        share: Tensor,
    ) -> tuple[Params, Tensor]:
        def of(params: Params, alpha: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return step(params, alpha, x, target, scored, alive)

        return vjp(of, params, alpha)[1]((adjoint, torch.ones_like(share), share))

    each = (0,) * 6
    shared = (None, *each[1:])
    return batched(step, each, shared), batched(back, (*each, 0, 0), (*shared, 0, 0))
