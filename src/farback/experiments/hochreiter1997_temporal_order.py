"""LSTM learns the order of two or three relevant symbols in 100 to 110: experiment 6, table 9.

Two nets: 6a with 2 blocks of 2 cells (156 weights, lr 0.5, input-gate biases -2, -4), 6b with 3
blocks of 2 (308 weights, lr 0.1, input-gate biases -2, -4, -6). Every unit but the inputs has a
bias. No net had more than 3 of 2560 test sequences wrong, which is the tolerance of that number.

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997,
experiment 6 and tables 9, 10 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..cells.lstm1997 import LSTM1997
from ..results.claim import Claim, solved_after
from ..tasks.temporal_order import TemporalOrder
from ._experiment import Row
from ._protocol1997 import Protocol1997

_BIASES = (-2.0, -4.0, -6.0)
_MOST_WRONG = 3


@dataclass(frozen=True)
class Hochreiter1997TemporalOrder(Protocol1997):
    """Table 9."""

    @property
    def source(self) -> str:
        return "Hochreiter and Schmidhuber 1997, Long Short-Term Memory, table 9"

    @property
    def trials(self) -> int:
        return 20

    def rows(self) -> tuple[Row, ...]:
        return (
            self._row("6a, two symbols", 2, lr=0.5, cap=100_000, trials=20, after=31_390, wrong=1),
            self._row(
                "6b, three symbols", 3, lr=0.1, cap=1_500_000, trials=10, after=571_100, wrong=2
            ),
        )

    def _row(
        self, name: str, symbols: int, *, lr: float, cap: int, trials: int, after: int, wrong: int
    ) -> Row:
        cell = LSTM1997(
            blocks=symbols,
            size=2,
            width=0.1,
            input_bias=_BIASES[:symbols],
            cell_bias=True,
            readout_bias=True,
        )
        place = f"table 9, {name[:2]}"
        return Row(
            name,
            self.varying(cell),
            TemporalOrder(symbols=symbols),
            self.descent(lr),
            sequences=cap,
            claims=(
                *solved_after(place, after, trials),
                Claim("test_wrong", wrong, place, _MOST_WRONG - wrong),
            ),
        )
