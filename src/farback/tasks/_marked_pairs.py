"""Sequences of pairs, a value and a marker, of which two are marked: adding and multiplication.

Of T to T + T/10 pairs, one of the first ten is marked (its value is X1), then one of the pairs 2 to
T/2 that is still unmarked (X2). Markers are 1 on marked pairs, -1 on the first and on the last, 0
elsewhere. Where the first pair is drawn for X1, X1 becomes the operation's neutral number: shown,
the pair is marked and has that value; not shown, it keeps its -1 and its value. Either way the
pairs marked by 1 make the answer.

Inputs are [T, R, B, 2]: value, marker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..drawn import Drawn, along
from ..draws import Source
from ..errors import WrongUsage
from ._task import Lag, Task, within

TOLERANCE = 0.04

_VALUE, _MARKER = 0, 1
_EARLY = 10
_SHORTEST = 6


@dataclass(frozen=True)
class MarkedPairs(Task):
    """What an operation makes of two marked values.

    Args:
        length: T, the length of the shortest sequences.
        first_pair: whether the first pair may be drawn for X1, which makes it neutral.
        shown: whether it then shows its mark and that value; else it keeps its -1 and its own.
    """

    length: int = 100
    first_pair: bool = True
    shown: bool = True

    low: ClassVar[float]
    """Values are uniform in [low, 1]."""

    neutral: ClassVar[float]
    """X1 where it is drawn at the first pair."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.length < _SHORTEST:
            name = type(self).__name__
            raise WrongUsage(
                f"{name} came with length {self.length}, expected at least {_SHORTEST}; try "
                f"{name}(length=100)."
            )

    @property
    def inputs(self) -> int:
        return 2

    @property
    def outputs(self) -> int:
        return 1

    @property
    def lag(self) -> Lag:
        """From the first pair marked by 1 to the end."""
        latest = self._early if not self.first_pair or self.shown else self.length // 2
        earliest = 1 if self.first_pair and self.shown else 2
        return Lag(self.length - latest, self.length + self.length // 10 - earliest)

    @property
    def at_first(self) -> float:
        """The share of sequences whose X1 is drawn at the first pair."""
        return 1 / self._early if self.first_pair else 0.0

    @property
    def _early(self) -> int:
        """How many pairs X1 is drawn among."""
        return min(_EARLY, self.length // 2)

    def draw(self, source: Source) -> Drawn:
        lengths = self.length + source.integers(high=self.length // 10 + 1)
        skipped = 0 if self.first_pair else 1
        first = skipped + source.integers(high=self._early - skipped)
        later = (first > 0).long()
        second = 1 + source.integers(high=self.length // 2 - 1 - later)
        second = second + later * (second >= first)  # the pair of X1 is passed over
        steps = self.length + self.length // 10
        step = along(steps, lengths)
        at_first = (first == 0) & self.shown
        marks = ((step == first) | (step == second)).double()
        marks = torch.where(step == 0, torch.where(at_first, 1.0, -1.0), marks)
        marks = torch.where(step == lengths - 1, -1.0, marks)
        values = source.uniform(steps, low=self.low, high=1.0)
        values = torch.where((step == 0) & at_first, self.neutral, values)
        inputs = torch.stack([values, marks], dim=-1)
        answers = self.answer(inputs)
        assert answers is not None
        return Drawn(inputs, answers[-1], lengths)

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The marked pairs."""
        return marked(inputs)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The pairs whose marker is 0, up to the end."""
        ends = inputs[..., _MARKER] == -1
        before_the_last = ends.flip(0).cumsum(0).flip(0) > 0
        return (inputs[..., _MARKER] == 0) & before_the_last

    def correct(
        self, outputs: Float[Tensor, "T *batch O"], answers: Float[Tensor, "T *batch O"]
    ) -> Bool[Tensor, "T *batch"]:
        """Off by less than 0.04."""
        return within(TOLERANCE, outputs, answers)


def values(inputs: Float[Tensor, "T *batch 2"]) -> Float[Tensor, "T *batch"]:
    """The first components."""
    return inputs[..., _VALUE]


def marked(inputs: Float[Tensor, "T *batch 2"]) -> Bool[Tensor, "T *batch"]:
    """The pairs whose marker is 1."""
    return inputs[..., _MARKER] == 1
