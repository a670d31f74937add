"""NARX parity: the parity of a short string, asked for after a stretch of noise.

3 to 5 symbols +-0.7, then uniform noise; asked for at its end is whether the number of +0.7 is odd.
Published for 20 strings and 0 to 50 steps of noise in [-0.2, 0.2].

What the source leaves open, and what is chosen here: the strings are drawn at random, 10 of each
parity, and their noise with them, once for a trial; lengths 3, 4 and 5 are as likely; targets are
+-0.8, and right is the side of 0.

Reference: T. Lin, B. G. Horne, P. Tino, C. L. Giles, Learning Long-Term Dependencies Is Not as
Difficult with NARX Recurrent Neural Networks, 1995, section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..drawn import Drawn, along
from ..draws import Source
from ..errors import WrongUsage, expect
from ._task import Lag
from ._two_classes import Classes, TwoClasses, between
from .parity import with_parity

_SYMBOL = 0.7
_SHORTEST, _LONGEST = 3, 5


@dataclass(frozen=True)
class NARXParity(TwoClasses):
    """Parity behind noise.

    Args:
        noise_steps: steps of noise after the string.
        noise: it is uniform in [-noise, noise].
    """

    strings: int | None = 10
    noise_steps: int = 10
    noise: float = 0.2

    def refuse(self) -> None:
        expect(0, noise_steps=self.noise_steps)
        if not 0 <= self.noise < _SYMBOL / 2:
            raise WrongUsage(
                f"noise came as {self.noise}, expected 0 to less than {_SYMBOL / 2}, so that noise "
                "and symbols stay apart; try noise=0.2."
            )

    @property
    def inputs(self) -> int:
        return 1

    @property
    def lag(self) -> Lag:
        """From the first symbol to the end."""
        return Lag(_SHORTEST - 1 + self.noise_steps, _LONGEST - 1 + self.noise_steps)

    def of(self, classes: Classes, source: Source) -> Drawn:
        shown = between(_SHORTEST, _LONGEST, source)
        steps = _LONGEST + self.noise_steps
        string = _SYMBOL * with_parity(classes, source.signs(steps), shown)
        noise = source.uniform(steps, low=-self.noise, high=self.noise)
        inputs = torch.where(along(steps, shown) < shown, string, noise)
        return self.asked(inputs.unsqueeze(-1), classes, shown + self.noise_steps)

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """The parity of the symbols so far."""
        return self.told((inputs[..., 0] > _SYMBOL / 2).cumsum(0) % 2 == 1, inputs)

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The symbols."""
        return inputs[..., 0].abs() > _SYMBOL / 2

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The noise."""
        return (inputs[..., 0] != 0) & ~self.informative(inputs)
