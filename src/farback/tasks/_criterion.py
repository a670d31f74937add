"""When a trial counts as solved: what was seen, and what is asked of it.

The papers judge by three bodies of evidence: the last sequences trained on (as they were answered
just before their update), the training set, and a test set. A criterion names those that it looks
at and how many wrong answers and how much mean error it lets pass.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from .._part import Part
from ..errors import WrongUsage, expect

EVIDENCE = ("last", "training", "test")


@dataclass(frozen=True)
class Tally:
    """What was seen on one body of evidence, for each of R trials."""

    wrong: Int[np.ndarray, " R"]
    """Sequences answered wrongly, of `count`."""

    error: Float[np.ndarray, " R"]
    """The task's error, the mean over the sequences."""

    count: int


@dataclass(frozen=True)
class Criterion(Part):
    """Solved when each body of evidence shows few enough wrong answers and a small enough error.

    Args:
        on: which evidence counts, of "last", "training" and "test".
        last: how many sequences "last" looks back at.
        test: how many sequences "test" asks for, which are then none of the published test set;
            None for that set itself.
        wrong: how many wrong answers pass.
        error: the mean error must lie below it.
    """

    on: tuple[str, ...]
    last: int = 0
    test: int | None = None
    wrong: int = 0
    error: float = math.inf

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.on or not {*self.on} <= {*EVIDENCE}:
            raise WrongUsage(
                f"on came as {self.on!r}, expected a tuple of some of {', '.join(EVIDENCE)}; "
                "try ('test',)."
            )
        if self.test is not None:
            expect(1, test=self.test)
        expect(0, wrong=self.wrong)
        if not self.error > 0:
            raise WrongUsage(f"error came as {self.error}, expected more than 0; try error=0.04.")
        if "last" in self.on and self.last < 1:
            raise WrongUsage(
                f"last came as {self.last}, expected at least 1 where the last sequences count; "
                "try last=100."
            )

    def met(self, tallies: Mapping[str, Tally]) -> Bool[np.ndarray, " R"]:
        """Which trials are solved; none is by nothing seen, or by a number that is not finite."""
        judged = [tallies[name] for name in self.on]
        good = [(it.wrong <= self.wrong) & (it.error < self.error) for it in judged]
        seen = [np.isfinite(it.error) & (it.count > 0) for it in judged]
        return np.logical_and.reduce([*good, *seen])
