"""LSTM tells two noisy sequences apart by their first elements: experiment 3, tables 4 to 6.

One net of 3 blocks of 1 cell (102 weights), all hidden units with a bias, input gates at -1, -3 and
-5, output gates at -2, -4 and -6. 3a: noise behind the first N elements (lr 1.0); 3b: on them too
(lr 1.0); 3c: on the targets instead (lr 0.1). We read 3c so because with noise on the signal the
best guess would be wrong in 1.27 % for N = 1, and table 6 has 0.44 %. The paper reports two stops,
ST1 and ST2, of the same trials; here each is a row of its own, and a trial of ST1 is a trial of ST2
that ends sooner. The share of wrong answers is of 2560 further sequences at ST2.

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997,
experiment 3 and tables 4, 5, 6, 10 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..cells.lstm1997 import LSTM1997
from ..results.claim import Claim, of_mean, solved_after
from ..tasks.two_sequence import TwoSequence
from ._experiment import Row
from ._protocol1997 import Protocol1997

_TRIALS = 10
_CAP = 1_000_000
_TESTED = 2560


@dataclass(frozen=True)
class Hochreiter1997TwoSequence(Protocol1997):
    """Tables 4 to 6."""

    @property
    def source(self) -> str:
        return "Hochreiter and Schmidhuber 1997, Long Short-Term Memory, tables 4 to 6"

    @property
    def trials(self) -> int:
        return _TRIALS

    def rows(self) -> tuple[Row, ...]:
        return (
            *self._pair("3a", 100, 3, table=4, stops=(27_380, 39_850), share=0.000195),
            *self._pair("3a", 100, 1, table=4, stops=(58_370, 64_330), share=0.000117),
            *self._pair("3a", 1000, 3, table=4, stops=(446_850, 452_460), share=0.000078),
            *self._pair("3b", 100, 3, table=5, stops=(41_740, 43_250), share=0.00828),
            *self._pair("3b", 100, 1, table=5, stops=(74_950, 78_430), share=0.01500),
            *self._pair("3b", 1000, 1, table=5, stops=(481_060, 485_080), share=0.01207),
            *self._pair("3c", 100, 3, table=6, stops=(269_650,), share=0.00558),
            *self._pair("3c", 100, 1, table=6, stops=(565_640,), share=0.00441),
        )

    def _pair(
        self,
        kind: str,
        length: int,
        conveying: int,
        *,
        table: int,
        stops: tuple[int, ...],
        share: float,
    ) -> tuple[Row, ...]:
        """A row for each stop; the last one is ST2, at which the test is asked."""
        place = f"table {table}, T = {length}, N = {conveying}"
        wrong = share * _TESTED
        rows = []
        for stop, after in zip(range(3 - len(stops), 3), stops, strict=True):
            claims = solved_after(f"{place}, ST{stop}", after, _TRIALS)
            tested = (Claim("test_wrong", wrong, place, max(1.0, of_mean(wrong, _TRIALS))),)
            rows.append(
                Row(
                    f"{kind}, T = {length}, N = {conveying}, ST{stop}",
                    self.varying(_net()),
                    TwoSequence(
                        length=length,
                        conveying=conveying,
                        noisy_signal=kind == "3b",
                        noisy_targets=kind == "3c",
                        stop=stop,
                    ),
                    self.descent(0.1 if kind == "3c" else 1.0),
                    sequences=_CAP,
                    claims=claims + tested if stop == 2 else claims,
                )
            )
        return tuple(rows)


def _net() -> LSTM1997:
    return LSTM1997(
        blocks=3,
        input_bias=(-1.0, -3.0, -5.0),
        output_bias=(-2.0, -4.0, -6.0),
        cell_bias=True,
    )
