"""Random weight guessing solves long time lag problems: how many guesses each takes.

All weights are drawn uniformly in [-100, 100] until every sequence of the training set is right:
100 sequences of 500 to 600 steps, logistic units, activations 0 at the start, an output right
within 0.1 of 1 or 0. A1 is fully connected with n biased hidden units; A2 has 10 hidden units that
see the input, the output and themselves.

What the sources leave open: in which order units change. Here every row is run in the order that
gives the published order of magnitude, and the other order is a row of ours where it decides.
Synchronous, the output sees the hidden units of the step before, and parity with A1, n = 1, is out
of reach; hidden first, it takes the published thousands, but the 2-sequence problem then takes
several times as many as published. Whether A2's output sees the input (`shortcut`) is open too.

The 2-sequence problem has noise of variance 0.2, as the source says. A2 then takes some forty times
as many guesses as published, synchronously two hundred times. With 0.2 for its standard deviation
and the hidden units first, as parity wants them, A1, A2 and three parameters all come to the
published order of magnitude: rows of ours, with less noise. Three parameters make a lone unit. A
logistic one that starts at 0 cannot do it at the stated noise: its start is one of its two states,
and noise as large as the signal comes in every sequence. A tanh unit with targets of -1 and 1 can,
and is the row.

Tomita's languages: a guess has solved one that is right on all of Tomita's own strings, which the
compared gradient nets learned from. They are answered at their last symbol, and the empty one is
left out; `own=False` asks for all 2047 strings of at most 10 symbols instead, each with one step
more to answer at, where A1 finds none for 1* within 20 000 sequences.

Guesses until a success are nearly geometric: their standard deviation is their mean, and 10 trials
leave a third of it open, in the sources as here. A guess is dropped at its first wrong sequence.

Reference: S. Hochreiter, J. Schmidhuber, LSTM Can Solve Hard Long Time Lag Problems, 1996, section
1; J. Schmidhuber, S. Hochreiter, Y. Bengio, Evaluating Benchmark Problems by Random Guessing, 2001.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..cells._cell import Cell
from ..cells.fully_recurrent import FullyRecurrent
from ..cells.hochreiter1996 import Hochreiter1996
from ..cells.latching_neuron import LatchingNeuron
from ..cells.squashings.tanh import Tanh
from ..learners.guessing import Guessing
from ..results.claim import Claim
from ..tasks._task import Task
from ..tasks.latch import Latch
from ..tasks.parity import Parity
from ..tasks.tomita import Tomita
from ..tasks.two_sequence import TwoSequence
from ._experiment import Experiment, Row

_TRIALS = 10
_NIPS = "Hochreiter and Schmidhuber 1996, section 1"
_LATER = "Schmidhuber, Hochreiter and Bengio 2001"

_ENOUGH = 7
"""Means of guesses after which a geometric time is over in all but one of a thousand trials."""

_PER_GUESS = 2
"""Sequences that a guess takes, about: half of all answers to two classes are right."""

_LEAST = 20_000
"""A cap, however few guesses are published: where ours needs many times as many, it says so then,
and such a row costs seconds."""


@dataclass(frozen=True)
class Hochreiter1996Guessing(Experiment):
    """Guesses by task and net.

    Args:
        shortcut: whether the output of A2 sees the input.
        own: whether a language's training set is Tomita's own strings.
        longest: sequences of a trial at most, whatever the row asks for.
    """

    shortcut: bool = False
    own: bool = True
    longest: int = 500_000

    @property
    def source(self) -> str:
        return "Hochreiter and Schmidhuber 1996, LSTM Can Solve Hard Long Time Lag Problems, 1"

    @property
    def trials(self) -> int:
        return _TRIALS

    def rows(self) -> tuple[Row, ...]:
        two = TwoSequence(length=500, longest=600, conveying=1, strings=50, tolerance=0.1)
        string = {"shortest": 500, "longest": 600, "low": 0.0, "high": 1.0}
        parity = Parity(**string, noise=0.0, tolerance=0.1, strings=50)
        noisy = Parity(**string, noise=0.2, tolerance=0.1, strings=50)
        latch = Latch(trainable=1, noise=0.2, variance=True, strings=50)
        signs, quiet = replace(two, low=-1.0), replace(two, noise=0.2)
        calm = replace(signs, noise=0.2)
        lone, a2 = FullyRecurrent(hidden=0, output_bias=True, squashing=Tanh()), Hochreiter1996
        alone = a2(self_links=False, shortcut=self.shortcut)
        side, late = a2(shortcut=self.shortcut), a2(shortcut=self.shortcut, hidden_first=False)
        return (
            self._row("2-sequence, A1, n = 1", _a1(1, False), two, 1247),
            self._row("2-sequence, A2", late, two, 718),
            self._row("2-sequence, three parameters", lone, signs, 22),
            self._row("2-sequence, A1, n = 1, hidden first", _a1(1, True), two, 1247, ours=True),
            self._row("2-sequence, A2, hidden first", side, two, 718, ours=True),
            self._row("2-sequence, less noise, A1, n = 1", _a1(1, True), quiet, 1247, ours=True),
            self._row("2-sequence, less noise, A2", side, quiet, 718, ours=True),
            self._row("2-sequence, less noise, three parameters", lone, calm, 22, ours=True),
            self._row("parity, A1, n = 1", _a1(1, True), parity, 2906),
            self._row("parity, A2", side, parity, 2797),
            self._row("parity, A2 without self-links", alone, parity, 250),
            self._row("parity, A1, n = 1, synchronous", _a1(1, False), parity, 2906, ours=True),
            self._row("parity with noise, A1, n = 1", _a1(1, True), noisy, 41_400, source=_LATER),
            *self._tomita(1, 1, 182, 288),
            *self._tomita(2, 3, 1511, 17_953),
            *self._tomita(4, 2, 13_833, 35_610),
            self._row("latch, one unit", LatchingNeuron(), latch, 6, source=_LATER, trials=40),
        )

    def _tomita(self, grammar: int, hidden: int, first: int, second: int) -> tuple[Row, Row]:
        task = Tomita(grammar=grammar, tolerance=0.1, original=self.own, end=not self.own)
        name, side = f"Tomita {grammar}", Hochreiter1996(shortcut=self.shortcut)
        return (
            self._row(f"{name}, A1, n = {hidden}", _a1(hidden, True), task, first),
            self._row(f"{name}, A2", side, task, second),
        )

    def _row(
        self,
        name: str,
        cell: Cell,
        task: Task,
        guesses: int,
        *,
        ours: bool = False,
        source: str = _NIPS,
        trials: int = _TRIALS,
    ) -> Row:
        """A row with the guesses that are published, which set the cap of one of ours too."""
        claim = Claim("guesses", guesses, source, 2 * guesses / math.sqrt(trials))
        cap = min(self.longest, max(_LEAST, _ENOUGH * _PER_GUESS * guesses))
        claims = () if ours else (claim,)
        return Row(name, cell, task, Guessing(), cap, claims, trials=trials)


def _a1(hidden: int, hidden_first: bool) -> FullyRecurrent:
    return FullyRecurrent(hidden=hidden, hidden_first=hidden_first, hidden_bias=True)
