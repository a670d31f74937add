"""What Bengio and Frasconi's comparison of methods by length leaves open.

Known: lengths uniform in [T/2, T], fresh noise for each training sequence, random parameters at the
start (uniform in [-0.5, 0.5], as told elsewhere), 20 trials and more, and two numbers: the mean
error of classification at the end of training and the mean number of sequences presented until
then, both over all trials. A trial ends when it has learned, or at its number of evaluations.

Not known, and chosen here: what "learned" means (the last 100 sequences on their side of the
middle; for searches, all of a fixed set of 100), every learning rate but pseudo-Newton's, the
settings of the searches, and the caps, which are taken from the largest number of presentations
that is printed for a method. A search tries a candidate on `batch` sequences at a time and counts
each of them; by the printed numbers, the source can have had few evaluations of a whole set.

The printed errors are means of 20 trials, most of which end near 0 or near a half: that is the
tolerance here, two standard errors of such a mean.

Reference: Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to Backpropagation,
1993, section 7, tables 1 to 4; Y. Bengio, P. Simard, P. Frasconi, Learning Long-Term Dependencies
with Gradient Descent is Difficult, 1994.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ..cells._cell import Cell
from ..learners._learner import Learner
from ..learners.annealing import Annealing
from ..learners.descent import Descent
from ..learners.gradients.bptt import BPTT
from ..learners.gradients.pseudo_newton import PseudoNewton
from ..learners.gradients.time_weighted_newton import TimeWeightedNewton
from ..learners.multigrid import Multigrid
from ..learners.updates.momentum import Momentum
from ..learners.updates.sgd import SGD
from ..results.claim import Claim, of_mean
from ..tasks._two_classes import TwoClasses
from ._experiment import Experiment, Row
from ._point import Point

_TRIALS = 20
_FIXED = {"strings": 50}
"""A search's sequences are a fixed set, with so many of each class."""

_SIGNS = {"low": -1.0, "high": 1.0}
"""Threshold units can say nothing in between."""

Numbers = Sequence[float | None]
"""From the shortest length on; None, or nothing behind the last, where it cannot be read."""


class Tables(NamedTuple):
    """What one of the two problems has of its own."""

    place: str
    tasks: Mapping[int, TwoClasses]
    """By the length T of the longest sequences, from the shortest on."""

    net: Cell
    """Of the methods that follow a gradient or search."""

    threshold: Cell
    discrete: Learner
    """Of discrete errors, as `threshold` is."""

    states: Cell
    em: Learner
    """Of EM, as `states` is."""

    printed: Mapping[str, tuple[Numbers, Numbers]]
    """Of each method, error in per cent and presentations."""

    caps: Mapping[str, int]
    """Sequences of each method at most."""


@dataclass(frozen=True)
class Protocol1993(Experiment):
    """The choices that both problems have.

    Args:
        lr: the rate of back-propagation.
        rate: the global rate of both pseudo-Newton methods, which the source gives.
        momentum: theirs too, which it gives as well.
        mu: what keeps their steps finite; the source says 0.001 to 0.3.
        batch: sequences that a candidate of a search is tried on.
        adaptations: of annealing between two temperatures.
        temperature: of annealing at the start.
    """

    lr: float = 0.1
    rate: float = 0.01
    momentum: float = 0.8
    mu: float = 0.01
    batch: int = 10
    adaptations: int = 5
    temperature: float = 0.1

    @property
    def source(self) -> str:
        return "Bengio and Frasconi 1993, Credit Assignment through Time, section 7"

    @property
    def trials(self) -> int:
        return _TRIALS

    @property
    @abstractmethod
    def tables(self) -> Tables:
        """The problem, and what is printed of it."""

    def rows(self) -> tuple[Row, ...]:
        """Every method at every length."""
        lengths = self.tables.tasks
        return tuple(self._row(it, name) for it in lengths for name in self._methods)

    def _row(self, longest: int, name: str) -> Row:
        tables = self.tables
        cell, learner, other = self._methods[name]
        told = dict(zip(tables.tasks, zip(*tables.printed[name], strict=True), strict=False))
        return Row(
            f"T = {longest}, {name}",
            cell,
            replace(tables.tasks[longest], **other),
            learner,
            sequences=tables.caps[name],
            claims=_claims(f"{tables.place}, T = {longest}", *told.get(longest, (None, None))),
            point=Point("T (steps)", longest, name),
        )

    @property
    def _methods(self) -> dict[str, tuple[Cell, Learner, dict[str, Any]]]:
        """Who learns, how, and what its sequences differ in."""
        it, weighted = self.tables, TimeWeightedNewton(self.mu)
        momentum = Momentum(self.rate, self.momentum)
        annealing = Annealing(
            batch=self.batch, temperature=self.temperature, adaptations=self.adaptations
        )
        return {
            "back-propagation": (it.net, Descent(BPTT(), SGD(self.lr)), {}),
            "pseudo-Newton": (it.net, Descent(PseudoNewton(self.mu), momentum), {}),
            "time-weighted pseudo-Newton": (it.net, Descent(weighted, momentum), {}),
            "multigrid": (it.net, Multigrid(batch=self.batch), _FIXED),
            "discrete errors": (it.threshold, it.discrete, _SIGNS),
            "annealing": (it.net, annealing, _FIXED),
            "EM": (it.states, it.em, {}),
        }


def _claims(place: str, error: float | None, presented: float | None) -> tuple[Claim, ...]:
    """What a table says of one method at one length: error in per cent, and presentations."""
    claims, by = [], round(presented or 0)
    if error is not None:
        share = min(error / 100, 0.5)
        off = 200 * math.sqrt(max(share * (0.5 - share), 0.0) / _TRIALS)
        claims.append(Claim("error", error, place, max(off, 1.0), by=by))
    if presented is not None:
        claims.append(Claim("presentations", presented, place, of_mean(presented, _TRIALS), by=by))
    return tuple(claims)
