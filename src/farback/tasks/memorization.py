"""Noiseless memorisation: ten symbols, to be repeated after a delay, from the cue on.

Ten of five symbols (more than 20 bits), `delay` blanks, a cue, and from the step of the cue on the
ten symbols are asked for; before that, blanks. A sequence is wrong if any of its steps is. The
variant of 5 bits is `Memorization(values=2, positions=5)`. Published with one model for each delay:
50, 100, 150 and 200.

Reference: R. Pascanu, T. Mikolov, Y. Bengio, On the Difficulty of Training Recurrent Neural
Networks, 2013, section 4.1 and supplementary material, with the authors' code.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import _pascanu2013 as pascanu
from ._criterion import Criterion
from ._recall import Recall


@dataclass(frozen=True)
class Memorization(Recall):
    """Ten symbols after a delay, the first at the cue."""

    values: int = 5

    @property
    def criterion(self) -> Criterion:
        return pascanu.SOLVED

    @property
    def test(self) -> int:
        return pascanu.TEST

    @property
    def cue(self) -> int:
        """The step of the first answer."""
        return self.positions + self.delay
