"""LSTM, RTRL, BPTT and the chunker on noise-free long time lags: experiments 2a and 2b, table 2.

RTRL and BPTT train one self-recurrent hidden unit below p + 1 outputs, each layer seeing all below
(n^2 + 2n + 1 weights on n = p + 1 symbols: 36, 144, 10404). LSTM has a memory cell and an input
gate in its place (10504), g logistic in [0, 1], h the identity, no output gate, no biases; both
join the net once the error has stopped decreasing. Weights start in [-0.2, 0.2]; 18 trials a row.

CH is Schmidhuber's sequence chunker: two nets like those of RTRL, of which the automatiser has one
more output, for the chunker's hidden unit (10404 + 102 = 10506, the weights in the table). Their
outputs are the next symbol, and the chunker is shown a symbol that the automatiser missed.

Over a sequence RTRL's gradient is that of BPTT, which is run in its stead: at p = 100 both rows are
the same trials. Where the table says "1 to 10", the learning rate is 1. The table's runs end at 5
million sequences; those of p = 100 do so earlier here.

What the source leaves open, beside the choices of every experiment: when the error has stopped
decreasing (`window`, `share`), and where the errors of 2b occur. With errors at every step one cell
cannot do 2b: its two outputs must then count to the unmarked end, and both are monotone in s, so
that one of them is right at the end only if it is wrong at all steps before.

Of CH it leaves open nearly all: how far its errors go back (3 steps of each net, as in the source
of 1992), how far a prediction may be off (0.25, the task's own), and codes of time (none). In a
separate C program, no part of farback, such a chunker soon tells the last symbol (0.99 against
0.01), by its inputs alone: its hidden unit is 0.98 after x and after y, and that is all that the
automatiser learns.

What to expect at p = 100: gate and g start at 1/2, so the new cell counts time, s about p/4. The
outputs for x and y learn from one step a string, which is stable below lr s^2/16 = 2 only, and the
first string with the cell throws its readout far off. A cell that starts by keeping s small (g in
[-1, 1]) has no such break. docs/reproductions.md has numbers.

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997,
experiments 2a and 2b and tables 2, 10 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..cells.chunker import Chunker
from ..cells.elman import Elman
from ..cells.lstm1997 import LSTM1997
from ..cells.squashings.identity import Identity
from ..cells.squashings.logistic import Logistic
from ..learners.chunking import Chunking
from ..learners.construction import Construction
from ..learners.descent import Descent
from ..learners.gradients.bptt import BPTT
from ..learners.updates.sgd import SGD
from ..results.claim import Claim, of_rate, solved_after
from ..tasks._task import Task
from ..tasks.noise_free_lag import NoiseFreeLag
from ..tasks.random_lag import RandomLag
from ._experiment import Row
from ._protocol1997 import Protocol1997

_TRIALS = 18
_GIVEN = 5_000_000
"""Sequences after which the source gave a trial up."""

_WIDTH, _TOLERANCE, _WINDOW = 0.2, 0.25, 3

_SLOW = 5_000
"""The cap of CH, which runs on the reference engine alone: some six minutes for a table."""


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
        two_a, two_b = NoiseFreeLag(delay=100), RandomLag(delay=100, every_step=self.every_step)
        return (
            self._solving("RTRL", 4, lr=1.0, row=1, solved=0.78, after=1_043_000),
            self._solving("RTRL", 4, lr=4.0, row=2, solved=0.56, after=892_000),
            self._solving("RTRL", 4, lr=10.0, row=3, solved=0.22, after=254_000),
            self._failing("RTRL", 10, row=4, cap=5_000_000),
            self._failing("RTRL", 100, row=5, cap=100_000),
            self._failing("BPTT", 100, row=6, cap=100_000),
            self._chunker(two_a),
            self._lstm("2a", two_a, place="table 2, row 8", after=5_040),
            self._lstm("2b", two_b, place="section 5.2, task 2b", after=5_680),
        )

    def _solving(
        self, method: str, delay: int, *, lr: float, row: int, solved: float, after: int
    ) -> Row:
        place = f"table 2, row {row}"
        claims = solved_after(place, after, _TRIALS, solved=solved)
        return self._recurrent(method, delay, lr=lr, cap=5_000_000, claims=claims)

    def _failing(self, method: str, delay: int, *, row: int, cap: int) -> Row:
        place = f"table 2, row {row}"
        claims = (
            Claim("solved", 0.0, place, of_rate(0.0, _TRIALS), by=_GIVEN),
            Claim("sequences", None, place, words=f"> {_GIVEN:,}"),
        )
        return self._recurrent(method, delay, lr=1.0, cap=cap, claims=claims)

    def _recurrent(
        self, method: str, delay: int, *, lr: float, cap: int, claims: tuple[Claim, ...]
    ) -> Row:
        whole = Descent(BPTT(), SGD(lr=lr * self.error_factor))
        return Row(
            f"{method}, p = {delay}, lr {lr}",
            Elman(hidden=1, shortcut=True, reset=self.reset, width=_WIDTH),
            NoiseFreeLag(delay=delay),
            whole if method == "BPTT" else self.descent(lr),
            sequences=cap,
            claims=claims,
            note=f"the source stops at {_GIVEN:,} sequences",
        )

    def _chunker(self, task: Task) -> Row:
        cell = Chunker(
            hidden=1,
            chunker_hidden=1,
            tolerance=_TOLERANCE,
            asked_next=True,
            outputs_imitated=False,
            bias=False,
            reset=self.reset,
            width=_WIDTH,
        )
        return Row(
            "CH, p = 100, lr 1.0",
            cell,
            task,
            Chunking(SGD(lr=self.error_factor), window=_WINDOW),
            sequences=_SLOW,
            claims=solved_after("table 2, row 7", 32_400, _TRIALS, solved=0.33),
            note="a small cap, for a net that the reference engine runs",
        )

    def _lstm(self, name: str, task: Task, *, place: str, after: int) -> Row:
        cell = LSTM1997(
            blocks=1,
            size=1,
            width=_WIDTH,
            input_bias=None,
            output_gate=False,
            wiring="B",
            g=Logistic(),
            h=Identity(),
        )
        return Row(
            f"LSTM, {name}, p = 100, lr 1.0",
            self.varying(cell),
            task,
            Construction(
                self.descent(1.0), added=("readout",), window=self.window, share=self.share
            ),
            sequences=100_000,
            claims=solved_after(place, after, _TRIALS),
        )
