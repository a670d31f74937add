"""LSTM recalls a symbol across q random distractors out of p: experiment 2c, table 3.

One net of 2 blocks of 1 cell without biases (6 (p + 4 + 6) + 4 weights: 364 to 6064), lr 0.01, in
20 trials. Solved: both outputs of 10 000 test sequences off by less than 0.2. The table prints no
success rate; the text speaks of no failure.

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997,
experiment 2c and tables 3, 10 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..cells.lstm1997 import LSTM1997
from ..results.claim import Claim, of_mean
from ..tasks.distracted_lag import DistractedLag
from ._experiment import Row
from ._protocol1997 import Protocol1997

_TRIALS = 20
_CAP = 150_000
_AFTER = {
    (50, 50): 30_000,
    (100, 100): 31_000,
    (200, 200): 33_000,
    (500, 500): 38_000,
    (1000, 1000): 49_000,
    (1000, 500): 49_000,
    (1000, 200): 75_000,
    (1000, 100): 135_000,
    (1000, 50): 203_000,
}
"""By (q, p): sequences until solved."""


@dataclass(frozen=True)
class Hochreiter1997Distractors(Protocol1997):
    """Table 3."""

    @property
    def source(self) -> str:
        return "Hochreiter and Schmidhuber 1997, Long Short-Term Memory, table 3"

    @property
    def trials(self) -> int:
        return _TRIALS

    def rows(self) -> tuple[Row, ...]:
        return tuple(self._row(delay, symbols, after) for (delay, symbols), after in _AFTER.items())

    def _row(self, delay: int, symbols: int, after: int) -> Row:
        cell = LSTM1997(blocks=2, size=1, width=0.2, input_bias=None, output_bias=None)
        place = f"table 3, q = {delay}, p = {symbols}"
        return Row(
            f"q = {delay}, p = {symbols}",
            self.varying(cell),
            DistractedLag(delay=delay, symbols=symbols),
            self.descent(0.01),
            sequences=_CAP,
            claims=(
                Claim("solved", None, place, words="no failure told"),
                Claim("sequences", after, place, of_mean(after, _TRIALS)),
            ),
        )
