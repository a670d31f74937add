"""Parity: tell at the end whether the number of +1 among -1 and +1 is odd.

Every element counts, and the answer changes with each. Lengths are uniform in [T/2, T]; uniform
noise is added to the elements. Published for a net of one input, one hidden and one output unit.

What the sources leave open, and what is chosen here: which parity is high (odd); the targets
(+-0.8, as in the latch problem); T/2 is rounded up; a trial has learned when its last 100 sequences
were on their side of the middle.

Random guessing has another protocol, 100 fixed strings without noise: `Parity(shortest=500,
longest=600, noise=0.0, low=0.0, high=1.0, tolerance=0.1, strings=50)`.

Reference: Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to Backpropagation,
1993, section 7, tables 3 and 4; S. Hochreiter, J. Schmidhuber, LSTM Can Solve Hard Long Time Lag
Problems, 1997, section 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..drawn import Drawn, along
from ..draws import Source
from ..errors import WrongUsage
from ._task import Lag
from ._two_classes import Classes, TwoClasses, between, half


@dataclass(frozen=True)
class Parity(TwoClasses):
    """Parity of a string of -1 and +1.

    Args:
        longest: T.
        shortest: the length of the shortest strings; None for T/2.
        noise: it is uniform in [-noise, noise].
    """

    longest: int = 10
    shortest: int | None = None
    noise: float = 0.2

    def refuse(self) -> None:
        if not 1 <= self._shortest <= self.longest:
            raise WrongUsage(
                f"shortest came as {self._shortest} and longest as {self.longest}, expected 1 to "
                "longest; try shortest=None for half of it."
            )
        if not 0 <= self.noise < 1:
            raise WrongUsage(
                f"noise came as {self.noise}, expected 0 to less than 1, so that +1 and -1 stay "
                "apart; try noise=0.2."
            )

    @property
    def inputs(self) -> int:
        return 1

    @property
    def _shortest(self) -> int:
        return half(self.longest) if self.shortest is None else self.shortest

    @property
    def lag(self) -> Lag:
        """From the first element to the end."""
        return Lag(self._shortest - 1, self.longest - 1)

    def of(self, classes: Classes, source: Source) -> Drawn:
        lengths = between(self._shortest, self.longest, source)
        string = with_parity(classes, source.signs(self.longest), lengths)
        noise = source.uniform(self.longest, low=-self.noise, high=self.noise)
        return self.asked((string + noise).unsqueeze(-1), classes, lengths)

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """The parity so far."""
        return self.told((inputs[..., 0] > 0).cumsum(0) % 2 == 1, inputs)

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """All."""
        return inputs[..., 0] != 0

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """None."""
        return torch.zeros(inputs.shape[:-1], dtype=torch.bool)


def with_parity(
    odd: Classes, signs: Float[Tensor, "T *batch"], lengths: Int[Tensor, " *batch"]
) -> Float[Tensor, "T *batch"]:
    """Strings of that parity: the last sign of each is the one that makes it so."""
    step, end = along(len(signs), lengths), lengths - 1
    before = ((signs > 0) & (step < end)).sum(0)
    is_odd = before - 2 * (before // 2)
    return torch.where(step == end, torch.where(is_odd == odd, -1.0, 1.0), signs)
