"""Copy: ten symbols, to be repeated after a delay.

Ten of eight symbols, T - 1 blanks, a delimiter, and while ten more blanks come in, the ten symbols
are to come out; before that, blanks. The loss is counted at all T + 20 steps. A net that knows when
to answer, and not what, has a mean loss of 10 ln 8 / (T + 20).

The source judges by the loss. What is chosen here for solved: at most 1 % of 2560 fresh sequences
have any step wrong.

Reference: M. Arjovsky, A. Shah, Y. Bengio, Unitary Evolution Recurrent Neural Networks, 2016,
section 5.1; after S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, 1997.
"""

from __future__ import annotations

from dataclasses import dataclass

from ._criterion import Criterion
from ._recall import Recall


@dataclass(frozen=True)
class Copy(Recall):
    """Ten symbols after a delay."""

    @property
    def criterion(self) -> Criterion:
        return Criterion(on=("test",), wrong=self.test // 100)

    @property
    def cue(self) -> int:
        """One step before the first answer."""
        return self.positions + self.delay - 1
