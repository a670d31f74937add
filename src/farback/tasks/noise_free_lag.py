"""Noise-free sequences with a long time lag: two strings that differ at both ends alone.

    y a_1 a_2 ... a_{p-1} y        x a_1 a_2 ... a_{p-1} x

Each comes with probability 1/2. There are p + 1 symbols, each with an input and an output of its
own, in the order a_1 ... a_{p-1}, x, y. Fed one symbol at a time, the net is to predict the next at
every step; the last symbol is predicted p - 1 steps after the first was fed, and is not fed itself,
for nothing follows it: x or y of the next string cannot be foretold, and the state is reset.

Right: every output off by less than 0.25 at every step. The source judges 10 000 random strings
after training; with the weights held they are only two different ones, so the test set holds
each once.

What the source leaves open: the text asks for an error "always below 0.25", with errors at every
step; table 11 says "at sequence end" for all tasks alike. The text is followed; `throughout=False`
judges the last step alone. Training stops at "5 million exemplars" by table 11, which cannot give
the published means: here when the criterion is met.

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, 1997, experiment 2a and tables 2,
10 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..drawn import Drawn, along, symbols
from ..draws import Draws, Source
from ..types import Sequences
from . import _first_symbol
from ._criterion import Criterion
from ._task import Baseline, Lag, Task, within


@dataclass(frozen=True)
class NoiseFreeLag(Task):
    """Next symbol of two strings that differ at their ends.

    Args:
        delay: p, the steps from the first symbol to the last.
        throughout: judge every step; else the last alone.
    """

    delay: int = 100
    throughout: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        _first_symbol.refuse("NoiseFreeLag", self.delay)

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
        """Each symbol as often as it is to be predicted."""
        return _first_symbol.baseline(self.delay, expected=1.0)

    @property
    def test(self) -> int:
        """Each string once."""
        return 2

    def draw(self, source: Source) -> Drawn:
        return self._strings(source.integers(high=2))

    def test_set(self, draws: Draws, training: Sequences | None) -> Sequences:
        """The two strings in turn."""
        turns = np.broadcast_to(draws.numbers % 2, draws.shape)
        return self._strings(torch.from_numpy(turns.copy())).whole()

    def _strings(self, last: Int[Tensor, " *batch"]) -> Drawn:
        """Strings that end with x (0) or y (1)."""
        ends = _first_symbol.number_of_x(self.delay) + last.unsqueeze(0)
        middle = along(self.delay - 1, last).expand(-1, *last.shape)
        string = torch.cat([ends, middle, ends])
        return Drawn(
            symbols(string[:-1], self.inputs),
            symbols(string[1:], self.outputs),
            scored=torch.ones_like(string[1:], dtype=torch.float64),
        )

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """a_1 after x and y, a_{i+1} after a_i, the first symbol after a_{p-1}."""
        x = _first_symbol.number_of_x(self.delay)
        answers = torch.zeros_like(inputs)
        answers[..., 0] = inputs[..., x:].sum(-1)
        answers[..., 1:x] = inputs[..., : x - 1]
        answers[..., x:] = inputs[..., x - 1, None] * inputs[0, ..., x:]
        return answers

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The first symbol."""
        return _first_symbol.informative(inputs)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """None: the next symbol is foretold from every a_i."""
        return torch.zeros(inputs.shape[:-1], dtype=torch.bool)

    def correct(
        self, outputs: Float[Tensor, "T *batch O"], answers: Float[Tensor, "T *batch O"]
    ) -> Bool[Tensor, "T *batch"]:
        """Every output off by less than 0.25."""
        good = within(_first_symbol.TOLERANCE, outputs, answers)
        return good if self.throughout else good | ~_first_symbol.at_last(answers)
