"""What the addition and the multiplication of Pascanu, Mikolov and Bengio share.

Of l pairs of a marker and a value uniform in [0, 1], one among the first l/10 is marked (v0), and
one from there to l/2 (v1). With L the length asked for, l is L to L + L/10 - 1, all as likely.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..drawn import Drawn, along
from ..draws import Source
from . import _pascanu2013 as pascanu
from ._criterion import Criterion
from ._task import Lag, Task

TOLERANCE = 0.2
"""A squared error above its square, 0.04, is wrong."""


@dataclass(frozen=True)
class MarkedValues(Task):
    """Two marked values.

    Args:
        length: L.
        longest: with it, each sequence's L is drawn from `length` to `longest`.
    """

    length: int = 100
    longest: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        pascanu.refuse(self.length, self.longest, least=10)

    @property
    def inputs(self) -> int:
        return 2

    @property
    def outputs(self) -> int:
        return 1

    @property
    def lag(self) -> Lag:
        """From the first marked value to the end."""
        most = _most(self.longest or self.length)
        return Lag(self.length - self.length // 10, most - 1)

    @property
    def criterion(self) -> Criterion:
        return pascanu.SOLVED

    @property
    def test(self) -> int:
        return pascanu.TEST

    @abstractmethod
    def combined(self, v0: Tensor, v1: Tensor) -> Tensor:
        """What is asked for."""

    def draw(self, source: Source) -> Drawn:
        asked = pascanu.lengths(self.length, self.longest, source)
        lengths = asked + source.integers(high=asked // 10)
        early = lengths // 10
        first = source.integers(high=early)
        second = early + source.integers(high=4 * lengths // 10)
        steps = _most(self.longest or self.length)
        step = along(steps, lengths)
        marks = ((step == first) | (step == second)).double()
        values = source.uniform(steps)
        v0, v1 = (torch.where(step == it, values, 0.0).sum(0) for it in (first, second))
        inputs = torch.stack([marks, values], dim=-1)
        return Drawn(inputs, self.combined(v0, v1).unsqueeze(-1), lengths)

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """The values at the first and at the second mark, combined."""
        marks, values = inputs.unbind(-1)
        number = marks.cumsum(0)
        v0, v1 = ((values * marks * (number == it)).sum(0) for it in (1, 2))
        return self.combined(v0, v1).unsqueeze(-1).expand(*inputs.shape[:-1], 1)

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The marked pairs."""
        return inputs[..., 0] > 0

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The others."""
        return (inputs[..., 0] == 0) & (inputs[..., 1] != 0)

    def correct(
        self, outputs: Float[Tensor, "T *batch O"], answers: Float[Tensor, "T *batch O"]
    ) -> Bool[Tensor, "T *batch"]:
        """A squared error of at most 0.04."""
        return ((outputs - answers) ** 2).sum(-1) <= TOLERANCE**2


def _most(length: int) -> int:
    """The most pairs there are when that length is asked for."""
    return length + length // 10 - 1
