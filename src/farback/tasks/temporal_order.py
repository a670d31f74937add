"""Temporal order: classify a sequence by the order of its few relevant symbols.

A sequence starts with E, ends with B and otherwise holds symbols a, b, c, d at random, but for two
(6a) or three (6b) relevant ones, X or Y. Its class is their order: XX, XY, YX, YY or XXX, XXY, ...,
YYY. Lengths are 100 to 110; relevant positions, counted from 1 as the paper's lags show, are

    6a: 10 to 20, 50 to 60        6b: 10 to 20, 33 to 43, 66 to 76

One output a class, 1 for the right one at the end. Right: every output off by less than 0.3.
Solved: the last 2000 sequences right, with a mean error below 0.1. The paper's minimal lags, 40 and
24, count from the last relevant symbol.

What the source leaves open: what "average training error" is. Here it is the absolute error, summed
over outputs, and the mean over the last 2000 sequences. For other lengths positions are scaled.

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, 1997, experiment 6 and tables 9,
10 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..drawn import Drawn, along, symbols
from ..draws import Source
from ..errors import WrongUsage
from ._criterion import Criterion
from ._task import Baseline, Lag, Task, within

_ALPHABET = "abcdXYEB"
_X, _Y, _E, _B = range(4, 8)
_DISTRACTORS = slice(0, 4)
_RELEVANT = slice(_X, _Y + 1)
_EARLIEST = {2: (10, 50), 3: (10, 33, 66)}
"""Positions from which the relevant symbols are drawn, in hundredths of the length."""

_WIDTH = 10
_SHORTEST = 20


@dataclass(frozen=True)
class TemporalOrder(Task):
    """The order of two or three relevant symbols.

    Args:
        symbols: relevant symbols: 2 is experiment 6a, 3 is 6b.
        length: the length of the shortest sequences.
    """

    symbols: int = 2
    length: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.symbols not in _EARLIEST:
            raise WrongUsage(
                f"TemporalOrder came with {self.symbols} relevant symbols, expected 2 or 3; "
                "try TemporalOrder(symbols=2)."
            )
        if self.length < _SHORTEST:
            raise WrongUsage(
                f"TemporalOrder came with length {self.length}, expected at least {_SHORTEST}; "
                "try TemporalOrder(length=100)."
            )

    @property
    def inputs(self) -> int:
        return len(_ALPHABET)

    @property
    def outputs(self) -> int:
        """The classes."""
        return 2**self.symbols

    @property
    def lag(self) -> Lag:
        """From the first relevant symbol to the end."""
        first = self._steps[0]
        return Lag(self.length - 1 - first[1], self.length + self.length // 10 - 1 - first[0])

    @property
    def criterion(self) -> Criterion:
        return Criterion(on=("last",), last=2000, error=0.1)

    @property
    def baseline(self) -> Baseline:
        classes = self.outputs
        return Baseline((1 / classes,) * classes, right=0.0, error=1 - 1 / classes)

    @property
    def _steps(self) -> list[tuple[int, int]]:
        """The first and the last step of each relevant symbol, counted from 0."""
        return [
            (self.length * it // 100 - 1, self.length * (it + _WIDTH) // 100 - 1)
            for it in _EARLIEST[self.symbols]
        ]

    def draw(self, source: Source) -> Drawn:
        lengths = self.length + source.integers(high=self.length // 10 + 1)
        relevant = _X + source.integers(self.symbols, high=2)
        steps = self.length + self.length // 10
        step = along(steps, lengths)
        shown = source.integers(steps, high=4)
        classes = torch.zeros_like(lengths)
        for place, (first, last) in enumerate(self._steps):
            at = first + source.integers(high=last - first + 1)
            shown = torch.where(step == at, relevant[place], shown)
            classes = 2 * classes + (relevant[place] == _Y)
        shown = torch.where(step == 0, _E, shown)
        shown = torch.where(step == lengths - 1, _B, shown)
        return Drawn(symbols(shown, self.inputs), symbols(classes, self.outputs), lengths)

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """The class as a binary number, the first relevant symbol its highest place."""
        number = self.informative(inputs).cumsum(0)
        weight = 2.0 ** (self.symbols - number)
        classes = (inputs[..., _Y] * weight).sum(0).long()
        coded = torch.nn.functional.one_hot(classes, self.outputs).to(inputs.dtype)
        return coded.expand(*inputs.shape[:-1], self.outputs)

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """X and Y."""
        return inputs[..., _RELEVANT].bool().any(-1)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """a, b, c, d."""
        return inputs[..., _DISTRACTORS].bool().any(-1)

    def correct(
        self, outputs: Float[Tensor, "T *batch O"], answers: Float[Tensor, "T *batch O"]
    ) -> Bool[Tensor, "T *batch"]:
        """Every output off by less than 0.3."""
        return within(0.3, outputs, answers)
