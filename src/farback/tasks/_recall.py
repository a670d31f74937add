"""What tasks share that show some symbols, then blanks and a cue, and ask for the symbols again.

K symbols, each of V values, at the first K steps; then blanks, with one cue among them. At the last
K steps the same K symbols are asked for in their order, at all steps before them a blank. From a
symbol to its answer it is `delay` + K steps.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..drawn import Drawn, along, symbols
from ..draws import Source
from ..errors import expect
from ._choice import Choice, blind
from ._task import Baseline, Lag


@dataclass(frozen=True)
class Recall(Choice):
    """Symbols shown, and asked for again.

    Args:
        delay: T, steps from the last symbol shown to the first asked for.
        values: V, how many symbols there are.
        positions: K, how many are shown.
    """

    delay: int = 100
    values: int = 8
    positions: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, delay=self.delay, positions=self.positions)
        expect(2, values=self.values)

    @property
    def inputs(self) -> int:
        """The symbols, a blank, a cue."""
        return self.values + 2

    @property
    def outputs(self) -> int:
        """The symbols, a blank."""
        return self.values + 1

    @property
    def steps(self) -> int:
        """Steps of a sequence."""
        return self.delay + 2 * self.positions

    @property
    @abstractmethod
    def cue(self) -> int:
        """The step of the cue."""

    @property
    def lag(self) -> Lag:
        """From a symbol to its answer."""
        return Lag(self.delay + self.positions, self.delay + self.positions)

    @property
    def baseline(self) -> Baseline:
        """A blank, at every step."""
        asked = self.positions / self.steps
        shares = np.append(np.full(self.values, asked / self.values), 1 - asked)
        return blind(shares, right=0.0)

    @property
    def memoryless(self) -> float:
        """The loss of a net that knows when symbols are asked for and no more: K ln V / steps."""
        return self.positions * math.log(self.values) / self.steps

    def draw(self, source: Source) -> Drawn:
        shown = source.integers(self.positions, high=self.values)
        blank = torch.full_like(shown[:1], self.values)
        blanks = blank.expand(self.steps - self.positions, *blank.shape[1:])
        string = torch.cat([shown, blanks])
        string = torch.where(along(self.steps, blank[0]) == self.cue, string + 1, string)
        return Drawn(
            symbols(string, self.inputs),
            symbols(torch.cat([blanks, shown]), self.outputs),
            scored=torch.ones_like(string, dtype=torch.float64),
        )

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """Blanks, then what the first steps showed."""
        answers = torch.zeros_like(inputs[..., : self.outputs])
        answers[..., self.values] = 1
        answers[-self.positions :] = inputs[: self.positions, ..., : self.outputs]
        return answers

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The symbols."""
        return (inputs[..., : self.values] > 0).any(-1)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The blanks."""
        return inputs[..., self.values] > 0
