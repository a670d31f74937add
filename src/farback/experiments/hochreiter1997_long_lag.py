"""LSTM, RTRL and BPTT on long time lags: experiments 2a and 2b, table 2 and the text on 2b.

RTRL and BPTT train one self-recurrent hidden unit below p + 1 outputs, each layer seeing all below
(n^2 + 2n + 1 weights for n = p + 1 symbols: 36, 144, 10404). LSTM has a memory cell and an input gate
in its place (10504), which join the net once the error has stopped decreasing: g logistic in
[0, 1], h the identity, no output gate, no biases. Weights start in [-0.2, 0.2], 18 trials a row.

Over a sequence RTRL's gradient is that of BPTT, which is run in its stead; at p = 100 both rows are
the same runs. Where the table prints "1 to 10" for the learning rate, it is 1. The table stops at 5
million sequences; caps here are small, ask for more with `sequences`.

What the source leaves open, beside the choices of every experiment: when the error has "stopped
decreasing". Here, when the mean of `window` sequences is less than `share` below that of the
`window` before. In 2b nothing tells the end of a string; `every_step=False` gives errors at the
last step alone.

What was found: ...

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997,
experiments 2a and 2b and tables 2, 10 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..cells.elman import Elman
from ..cells.lstm1997 import LSTM1997
from ..cells.squashings.identity import Identity
from ..cells.squashings.logistic import Logistic
from ..learners.construction import Construction
from ..learners.descent import Descent
from ..learners.gradients.bptt import BPTT
from ..learners.updates.sgd import SGD
from ..results.claim import Claim, of_mean, of_rate
from ..tasks._task import Task
from ..tasks.noise_free_lag import NoiseFreeLag
from ..tasks.random_lag import RandomLag
from ._experiment import Row
from ._protocol1997 import Protocol1997

_TRIALS = 18
_WIDTH = 0.2
_MOST = "more than 5 000 000"
_CELL = LSTM1997(
    blocks=1,
    size=1,
    width=_WIDTH,
    input_bias=None,
    output_gate=False,
    wiring="B",
    g=Logistic(),
    h=Identity(),
)


@dataclass(frozen=True)
class Hochreiter1997LongLag(Protocol1997):
    """Table 2, and the number of 2b.

    Args:
        window: sequences whose mean error is compared with that of as many before.
        share: the relative fall of it under which the memory cell joins the net.
        every_step: whether errors of 2b occur at every step; else at the last alone.
    """

    window: int = 100
    share: float = 0.02
    every_step: bool = True

    @property
    def source(self) -> str:
        return "Hochreiter and Schmidhuber 1997, Long Short-Term Memory, table 2 and section 5.2"

    @property
    def trials(self) -> int:
        return _TRIALS

    @property
    def group(self) -> int:
        return _TRIALS

    def rows(self) -> tuple[Row, ...]:
        same = replace(self._plain("BPTT", 100, lr=1.0, row=6), learner=self._bptt(1.0))
        return (
            self._plain("RTRL", 4, lr=1.0, row=1, solved=14, after=1_043_000, cap=20_000),
            self._plain("RTRL", 4, lr=4.0, row=2, solved=10, after=892_000, cap=20_000),
            self._plain("RTRL", 4, lr=10.0, row=3, solved=4, after=254_000, cap=20_000),
            self._plain("RTRL", 10, lr=1.0, row=4, cap=10_000),
            self._plain("RTRL", 100, lr=1.0, row=5),
            same,
            self._lstm("2a", NoiseFreeLag(delay=100), "table 2, row 8", after=5_040),
            self._lstm(
                "2b", RandomLag(delay=100, every_step=self.every_step), "section 5.2", after=5_680
            ),
        )
