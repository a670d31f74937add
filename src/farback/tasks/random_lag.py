"""No local regularities: the first symbol comes again after a random string.

    y a_i1 a_i2 ... y        x a_i1 a_i2 ... x

with p - 1 symbols drawn from a_1 ... a_{p-1} in the middle. There are p + 1 symbols, each with an
input and an output of its own, in the order a_1 ... a_{p-1}, x, y. The next symbol is to be
predicted at every step, though only x and y at the end can be: that step alone is judged. Right:
every output off by less than 0.25 there, in 10 000 random strings.

The best answer before the end, every a_i with 1/(p-1), is what the error is measured to there.

What the source leaves open: the two classes are taken as equally probable, and a symbol of the
middle may repeat. "Every next sequence element has to be predicted" is taken as an error at every
step. But no symbol tells when the end comes, so that a net which minimises that error must count to
p - 1 and until then answer about 1/p for x or y; table 11's net has one cell for both. With
`every_step=False` errors occur at the last step alone.

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, 1997, experiment 2b and tables 10
and 11.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..drawn import Drawn, Rows, along, symbols
from ..draws import Source
from . import _first_symbol
from ._criterion import Criterion
from ._task import Baseline, Lag, Task, within


@dataclass(frozen=True)
class RandomLag(Task):
    """The first symbol once more, after random ones.

    Args:
        delay: p, the steps from the first symbol to the last.
        every_step: whether errors occur at every step; else at the last alone.
    """

    delay: int = 100
    every_step: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        _first_symbol.refuse("RandomLag", self.delay)

    @property
    def inputs(self) -> int:
        return self.delay + 1

    @property
    def outputs(self) -> int:
        return self.delay + 1

    @property
    def lag(self) -> Lag:
        """From x or y to the step that foretells it."""
        return Lag(self.delay - 1, self.delay - 1)

    @property
    def criterion(self) -> Criterion:
        return Criterion(on=("test",))

    @property
    def baseline(self) -> Baseline:
        """The mean of the best answers."""
        if not self.every_step:
            return Baseline((0.0,) * (self.delay - 1) + (0.5, 0.5), right=0.0, error=0.5)
        return _first_symbol.baseline(self.delay, expected=1 / (self.delay - 1))

    @property
    def test(self) -> int:
        return 10_000

    def draw(self, source: Source) -> Drawn:
        first = source.integers(high=2)
        middle = source.integers(self.delay - 1, high=self.delay - 1)
        x = _first_symbol.number_of_x(self.delay)
        string = torch.cat([x + first.unsqueeze(0), middle, x + first.unsqueeze(0)])
        # The best answers: all a_i alike, then x or y.
        alike = torch.cat([torch.full((x,), 1 / x, dtype=torch.float64), torch.zeros(2)])
        ends = torch.eye(self.outputs, dtype=torch.float64)[x:]
        at_last = along(self.delay, first) == self.delay - 1
        best = Rows(torch.cat([alike[None], ends]), torch.where(at_last, 1 + first, 0))
        return Drawn(
            symbols(string[:-1], self.inputs),
            symbols(string[1:], self.outputs),
            answers=best,
            scored=(at_last | self.every_step).double(),
        )

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """All a_i alike, and the first symbol at the end."""
        x = _first_symbol.number_of_x(self.delay)
        answers = torch.zeros_like(inputs)
        answers[:-1, ..., :x] = 1 / x
        answers[-1, ..., x:] = inputs[0, ..., x:]
        return answers

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The first symbol."""
        return _first_symbol.informative(inputs)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The symbols of the middle."""
        return ~_first_symbol.informative(inputs)

    def correct(
        self, outputs: Float[Tensor, "T *batch O"], answers: Float[Tensor, "T *batch O"]
    ) -> Bool[Tensor, "T *batch"]:
        """Every output off by less than 0.25 at the last step."""
        good = within(_first_symbol.TOLERANCE, outputs, answers)
        return good | ~_first_symbol.at_last(answers)
