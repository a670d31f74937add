"""What the tasks of Pascanu, Mikolov and Bengio share: their lengths, and when they are solved.

Reference: R. Pascanu, T. Mikolov, Y. Bengio, On the Difficulty of Training Recurrent Neural
Networks, 2013, section 4.1 and supplementary material, with the authors' code.
"""

from __future__ import annotations

from jaxtyping import Int
from torch import Tensor

from ..draws import Source
from ..errors import WrongUsage
from ._criterion import Criterion

TEST = 10_000
"""Fresh sequences that a net is judged by."""

SOLVED = Criterion(on=("test",), wrong=TEST // 100 - 1)
"""Fewer than 1 % of them wrong. (The authors' code goes on until none is.)"""


def refuse(length: int, longest: int | None, *, least: int) -> None:
    """Refuse lengths that have no room for the task.

    Raises:
        WrongUsage: what came, and what to try.
    """
    if length < least:
        raise WrongUsage(f"length came as {length}, expected at least {least}; try length=100.")
    if longest is not None and longest < length:
        raise WrongUsage(
            f"longest came as {longest}, expected at least the length, {length}; try longest=None "
            "for one length."
        )


def lengths(length: int, longest: int | None, source: Source) -> Int[Tensor, " *batch"]:
    """Lengths from `length` to `longest`, all as likely; or all the same."""
    return length + source.integers(high=1 if longest is None else longest - length + 1)
