"""What the LSTM paper of 1997 leaves open, or what others found to decide its results.

Every experiment of the paper has these choices. The defaults follow the text, the appendix and
table 10: truncated gradient, error factor 1, one update at the end of each sequence, activations
reset to zero, g in [-2, 2] and h in [-1, 1], and a look at the criterion every 100 sequences.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..cells.lstm1997 import LSTM1997
from ..cells.squashings._squashing import Squashing
from ..learners.descent import Descent
from ..learners.gradients._gradient import Gradient
from ..learners.gradients.bptt import BPTT
from ..learners.gradients.rtrl import RTRL
from ..learners.updates.sgd import SGD
from ._experiment import Experiment


@dataclass(frozen=True)
class Protocol1997(Experiment):
    """The choices that an experiment of the paper has.

    Args:
        truncated: cut the gradient as appendix A.1 does; False gives the full one.
        per_step: update within the sequence, at every step that has an error, and not at its end
            ("on-line" is all that is said).
        error_factor: 1 as the appendix, which absorbs the 2 of the squared error; or 2.
        reset: the activation of every unit before the first step; 0 in the text, 0.5 in the
            authors' later simulator.
        readout_bias: None for what table 10 says; True or False to give or take the outputs' bias.
        links: whether cells see gates and cells of the step before, as wiring F says.
        g: None for the text's range; or another squashing.
        h: the same.
        looks: sequences between two looks at the criterion; the paper does not say. It moves a
            mean by a third.
        numbers: float32 or float64; the paper does not say. Training is chaotic, so that rounding
            alone decides single trials.
    """

    truncated: bool = True
    per_step: bool = False
    error_factor: float = 1
    reset: float = 0.0
    readout_bias: bool | None = None
    links: bool = True
    g: Squashing | None = None
    h: Squashing | None = None
    looks: int = 100
    numbers: str = "float32"

    @property
    def check(self) -> int:
        return self.looks

    @property
    def dtype(self) -> str:
        return self.numbers

    def varying(self, cell: LSTM1997) -> LSTM1997:
        """The cell of table 10 under these choices."""
        changed = replace(cell, truncated=self.truncated, reset=self.reset, links=self.links)
        if self.readout_bias is not None:
            changed = replace(changed, readout_bias=self.readout_bias)
        if self.g is not None:
            changed = replace(changed, g=self.g)
        return changed if self.h is None else replace(changed, h=self.h)

    def descent(self, lr: float) -> Descent:
        """Plain gradient descent, on-line.

        At the end of a sequence BPTT gives what RTRL gives (to 1e-10, as the tests hold it), in a
        fraction of the time; per step it takes RTRL itself.
        """
        gradient: Gradient = RTRL() if self.per_step else BPTT()
        return Descent(gradient, SGD(lr=lr * self.error_factor), per_step=self.per_step)
