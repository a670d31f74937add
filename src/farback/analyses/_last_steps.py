"""The Jacobians of the last steps of one row, the nearest to the end first.

A row that is shorter than the batch has fewer steps; those that it rests are left out, so that lag
q means q steps of its own.

Axes: Q steps back, N state.
"""

from __future__ import annotations

from collections.abc import Iterator

from jaxtyping import Float
from torch import Tensor

from ..flow.motion import Motion


def steps_of(motion: Motion, row: int) -> list[int]:
    """The steps that a row has, in the order of processing."""
    steps = range(len(motion.inputs))
    return [p for p in steps if motion.valid is None or bool(motion.valid[p, row])]


def last_steps(motion: Motion, row: int, count: int) -> list[Float[Tensor, "N N"]]:
    """J of the last `count` steps of a row, in float64 on the host: J_{t-1}, J_{t-2}, ..."""
    wanted = steps_of(motion, row)[-count:]
    return list(_jacobians(motion, row, wanted))[::-1]


def _jacobians(motion: Motion, row: int, wanted: list[int]) -> Iterator[Tensor]:
    along = enumerate(motion.along(wanted[0], wanted[-1] + 1), wanted[0])
    for p, here in along:
        if p in wanted:
            yield here.rows(slice(row, row + 1)).matrix()[0].detach().cpu().double()
