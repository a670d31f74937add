"""Which derivatives of a step are zero whatever the numbers are.

Found by trying: at random parameters and inputs, at random states and at those met on the way from
the start, an entry that is zero every time is taken for one that is always zero. A unit that is
silent half of the time, as a rectifier, is missed with a probability of about 2^-64.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.func import jacrev

from ...problem import Problem
from ...types import Params
from ._gradient import Net

_ALIVE = torch.ones((), dtype=torch.bool)
_NETS, _STEPS = 2, 32
"""Parameters that are tried, and steps from the start under each."""


class Structure(NamedTuple):
    """True where a derivative may be other than zero."""

    jacobian: Bool[Tensor, "N N"]
    influence: dict[str, Bool[Tensor, "N ..."]]
    """Of the parameters on the state of the same step."""

    start: dict[str, Bool[Tensor, "N ..."]]
    """Of the parameters on the state before the first step."""


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def structure(net: Net) -> Structure:
    """The structure of a net's step; looked for once."""
    return _found(Problem(net.cell, net.task))


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def read_by_outputs(net: Net) -> Bool[Tensor, " N"]:
    """Where the state may move any output; the steps' own derivatives are not looked at."""
    problem = Problem(net.cell, net.task)
    by_state = jacrev(problem.cell.read, argnums=1)
    read = torch.zeros_like(problem.cell.start(problem.parameters(0)), dtype=torch.bool)
    for params, state, x in _moments(problem):
        read |= _seen(by_state(params, state, x)).any(0)
    return read


def _found(problem: Problem) -> Structure:
    drawn, by_start = problem.parameters(0), jacrev(problem.cell.start)
    start = {name: _seen(it) for name, it in by_start(drawn).items()}
    size = len(problem.cell.start(drawn))
    jacobian = torch.zeros(size, size, dtype=torch.bool)
    influence = {name: torch.zeros_like(it) for name, it in start.items()}
    tried: Params = {}
    for params, state, x in _moments(problem):
        if params is not tried:
            tried = params
            for name, it in by_start(params).items():
                start[name] |= _seen(it)
        found = problem.sensitivity(params, state, x, _ALIVE)
        jacobian |= _seen(found.jacobian)
        for name, it in found.influence.items():
            influence[name] |= _seen(it)
    return Structure(jacobian, influence, start)


def _moments(problem: Problem) -> Iterator[tuple[Params, Tensor, Tensor]]:
    """Parameters, a state and an input, all at random or met on the way from the start."""
    generator, drawn = torch.Generator().manual_seed(0), problem.parameters(0)

    def draw(shape: torch.Size) -> Tensor:
        # Of a size that leaves units unsaturated: there, a derivative rounds to zero.
        scale = max(shape[-1:], default=1) ** -0.5
        return scale * torch.randn(shape, generator=generator, dtype=torch.float64)

    for _ in range(_NETS):
        params: Params = {name: draw(it.shape) for name, it in drawn.items()}
        met = problem.cell.start(params)
        for _ in range(_STEPS):
            x = draw(torch.Size((problem.task.inputs,)))
            yield params, met, x
            yield params, torch.randn(met.shape, generator=generator, dtype=met.dtype), x
            met = problem.step(params, met, x, _ALIVE)


def _seen(derivative: Tensor) -> Tensor:
    """Where it is not zero; what is no number tells nothing."""
    return derivative.abs() > 0
