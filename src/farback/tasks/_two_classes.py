"""What tasks share that ask for one of two classes, at the end, by one output.

Half of the sequences are of the low class and half of the high one. Where the source gives no
tolerance, an output is right on its side of the middle.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..drawn import Drawn, Rows
from ..draws import Draws, Source
from ..errors import WrongUsage, expect
from ..types import Sequences
from ._criterion import Criterion
from ._task import Baseline, Task

_LAST = 100

Classes = Int[Tensor, " *batch"]
"""0 for the low class, 1 for the high one."""


@dataclass(frozen=True)
class TwoClasses(Task):
    """One output, at the end.

    Args:
        low: the target of one class.
        high: the target of the other.
        tolerance: outputs less than that off are right; None for the right side of the middle.
        strings: sequences of each class in a fixed training set; None to draw each afresh.
    """

    low: float = -0.8
    high: float = 0.8
    tolerance: float | None = None
    strings: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.low < self.high:
            raise WrongUsage(
                f"low came as {self.low} and high as {self.high}, expected low below high; "
                "try low=-0.8, high=0.8."
            )
        if self.tolerance is not None and not self.tolerance > 0:
            raise WrongUsage(
                f"tolerance came as {self.tolerance}, expected more than 0, below which no output "
                "is right; try tolerance=0.1, or None for the right side of the middle."
            )
        if self.strings is not None:
            expect(1, strings=self.strings)
        self.refuse()

    def refuse(self) -> None:
        """Refuse choices of a member's own that make no task.

        Raises:
            WrongUsage: what came, and what to try.
        """

    @property
    def outputs(self) -> int:
        return 1

    @property
    def training(self) -> int | None:
        return None if self.strings is None else 2 * self.strings

    @property
    def criterion(self) -> Criterion:
        """The whole training set, or the last 100 sequences where there is none."""
        if self.strings is not None:
            return Criterion(on=("training",))
        return Criterion(on=("last",), last=_LAST)

    @property
    def baseline(self) -> Baseline:
        """The middle, which counts for low, as every number that is not above it."""
        half = (self.high - self.low) / 2
        right = 0.5 if self.tolerance is None else float(self.tolerance > half)
        return Baseline((self.low + half,), right=right, error=half**2)

    @abstractmethod
    def of(self, classes: Classes, source: Source) -> Drawn:
        """Fresh sequences of these classes."""

    def draw(self, source: Source) -> Drawn:
        return self.of(source.branch("classes").integers(high=2), source)

    def training_set(self, draws: Draws) -> Sequences:
        """As many of the one class as of the other."""
        turns = np.broadcast_to(draws.numbers % 2, draws.shape)
        return self.of(torch.from_numpy(turns.copy()), draws.tensors).whole()

    def asked(
        self,
        inputs: Float[Tensor, "T *batch I"] | Rows,
        classes: Classes,
        lengths: Int[Tensor, " *batch"] | None,
    ) -> Drawn:
        """Sequences whose class is asked for at their end."""
        low, high = torch.tensor((self.low, self.high), dtype=torch.float64)
        targets = torch.where(classes == 1, high, low).unsqueeze(-1)
        return Drawn(inputs, targets, lengths)

    def told(
        self, high: Bool[Tensor, "T *batch"], like: Float[Tensor, "T *batch I"]
    ) -> Float[Tensor, "T *batch 1"]:
        """The targets of the classes that are high or not, in the type of `like`."""
        return self.low + (self.high - self.low) * high.to(like.dtype).unsqueeze(-1)

    def correct(
        self, outputs: Float[Tensor, "T *batch O"], answers: Float[Tensor, "T *batch O"]
    ) -> Bool[Tensor, "T *batch"]:
        """Less than the tolerance off, or on the right side of the middle."""
        if self.tolerance is not None:
            return ((outputs - answers).abs() < self.tolerance).all(-1)
        middle = (self.low + self.high) / 2
        return ((outputs > middle) == (answers > middle)).all(-1)


def half(longest: int) -> int:
    """T/2, rounded up: the shortest sequences of Bengio and Frasconi."""
    return (longest + 1) // 2


def between(shortest: int, longest: int, source: Source) -> Int[Tensor, " *batch"]:
    """Lengths from the shortest to the longest, all as likely."""
    return shortest + source.integers(high=longest - shortest + 1)
