"""A motion under one constant input: the autonomous map whose long run shows what can be kept.

    (1)  M(s) = F(s, x),  x held constant
    (2)  M^p = M applied p times, with the Jacobian J(M^{p-1} s) ... J(s)

Axes: M points, N state, I input.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage
from ..flow import Path, Trace
from ..flow.motion import Differential, Motion

LARGEST = 512
"""A state of more numbers is not followed: its Jacobians take minutes."""

_NUMBERS = 2**22
"""So many numbers of Jacobians are held at once."""


@dataclass(frozen=True)
class Autonomous:
    """(1). `kick` is added to every state after its step; x and kick may differ from row to row."""

    motion: Motion
    x: Float[Tensor, "*M I"]
    kick: Float[Tensor, "*M N"] | None = None

    @property
    def size(self) -> int:
        """N."""
        return self.motion.states.shape[-1]

    @torch.no_grad()
    def step(self, states: Float[Tensor, "M N"]) -> Float[Tensor, "M N"]:
        """M(s)."""
        if not len(states):
            return states
        after = self.motion.step(states, self.x.expand(len(states), -1))
        return after if self.kick is None else after + self.kick

    def at(self, states: Float[Tensor, "M N"]) -> Differential:
        """J at M points."""
        return self.motion.at(states, self.x.expand(len(states), -1))

    def jacobian(self, states: Float[Tensor, "M N"]) -> Float[Tensor, "M N N"]:
        """J as matrices."""
        if not len(states):
            return states.new_zeros(0, self.size, self.size)
        return self.at(states).matrix().detach()

    def iterated(self, states: Tensor, period: int) -> tuple[Tensor, Tensor]:
        """M^p(s) and its Jacobian, (2)."""
        after, product = self.step(states), self.jacobian(states)
        for _ in range(period - 1):
            product = self.jacobian(after) @ product
            after = self.step(after)
        return after, product

    def pieces(self, states: Float[Tensor, "M N"]) -> Iterator[Tensor]:
        """The points in groups of which the Jacobians can be held at once."""
        yield from states.split(max(1, _NUMBERS // self.size**2))


def visited(motion: Motion) -> Float[Tensor, "M N"]:
    """Every state of the batch that exists, the starts first."""
    states = motion.states.detach()
    if motion.valid is None:
        return states.flatten(0, 1)
    return torch.cat([states[0], states[1:][motion.valid]])


def mean_input(motion: Motion) -> Float[Tensor, " I"]:
    """The mean over the steps and rows that exist."""
    if motion.valid is None:
        return motion.inputs.detach().mean((0, 1))
    return motion.inputs.detach()[motion.valid].mean(0)


def spaced(states: Float[Tensor, "M N"], count: int) -> Float[Tensor, "K N"]:
    """At most `count` of the points, evenly spaced."""
    places = torch.linspace(0, len(states) - 1, min(count, len(states))).round().long()
    return states[places]


def followed(trace: Trace) -> list[tuple[Path, Motion]]:
    """The paths whose map is small enough to be followed, and that map."""
    return [pair for pair in trace.moving if pair[1].states.shape[-1] <= LARGEST]


def driven(
    trace: Trace, given: tuple[float, ...] | None, asker: str
) -> list[tuple[Path, Autonomous]]:
    """Each path that can be followed, under the given input or the mean one of its batch.

    Raises:
        WrongUsage: no path takes an input of that width.
    """
    paths = followed(trace)
    if given is None:
        return [(path, Autonomous(motion, mean_input(motion))) for path, motion in paths]
    if not all(math.isfinite(number) for number in given):
        raise WrongUsage(
            f"{asker}(input={given!r}) came, and finite numbers were expected; try zeros."
        )
    widths = sorted({motion.inputs.shape[-1] for _, motion in paths})
    if len(given) not in widths:
        raise WrongUsage(
            f"{asker}(input=...) came with {len(given)} numbers, and one for each input of a path "
            f"was expected; try {' or '.join(map(str, widths))} of them, or leave it out."
        )
    return [
        (path, Autonomous(motion, motion.inputs.new_tensor(given)))
        for path, motion in paths
        if motion.inputs.shape[-1] == len(given)
    ]


def conditions(trace: Trace, given: tuple[float, ...] | None) -> tuple[str, str]:
    """Of which path the top fields are, and under which input."""
    held = "constant at its mean over the batch" if given is None else "as given"
    return (
        f"the path with the most attractors; all of up to {LARGEST} numbers under blocks",
        f"{trace.dtype}; the input {held}",
    )
