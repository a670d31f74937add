"""20-step lag of the chunker paper: a or x, then twenty symbols that are always the same.

Sequences are a b1 b2 ... b20 and x b1 b2 ... b20, each as likely, of 22 symbols; at the end the
target unit has to be 1 after a, 0 after x. Conventional nets did not improve on it in more than
1 000 000 sequences; a version with 5 steps took them many hundred thousand.

What the source leaves open, and what is chosen here: the layout is told in another paper of the
same author; there the next input is to be predicted beside the target, which is left out here, and
sequences follow one another without a reset, where here each starts anew; a trial has learned when
its last 100 sequences were on their side of 0.5.

Reference: J. Schmidhuber, Learning Complex, Extended Sequences Using the Principle of History
Compression, Neural Computation 4(2), 1992, section 5; Learning Unambiguous Reduced Sequence
Descriptions, 1991.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..drawn import Drawn, along, symbols
from ..draws import Source
from ..errors import expect
from ._task import Lag
from ._two_classes import Classes, TwoClasses

_X, _A = 0, 1


@dataclass(frozen=True)
class Schmidhuber1992Lag(TwoClasses):
    """The first symbol, asked for behind a run.

    Args:
        steps: length of the run.
    """

    low: float = 0.0
    high: float = 1.0
    steps: int = 20

    def refuse(self) -> None:
        expect(1, steps=self.steps)

    @property
    def inputs(self) -> int:
        return 2 + self.steps

    @property
    def lag(self) -> Lag:
        return Lag(self.steps, self.steps)

    def of(self, classes: Classes, source: Source) -> Drawn:
        run = along(1 + self.steps, classes) + 1
        shown = torch.where(run == 1, torch.where(classes == 1, _A, _X), run)
        return self.asked(symbols(shown, self.inputs), classes, None)

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """Whether a was seen."""
        return self.told(inputs[..., _A].cumsum(0) > 0, inputs)

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The first symbol."""
        return (inputs[..., : _A + 1] > 0).any(-1)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """b1, b2, ..."""
        return (inputs[..., _A + 1 :] > 0).any(-1)
