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
from dataclasses import dataclass

from ..learners.annealing import Annealing
from ..learners.descent import Descent
from ..learners.gradients.bptt import BPTT
from ..learners.gradients.pseudo_newton import PseudoNewton
from ..learners.gradients.time_weighted_newton import TimeWeightedNewton
from ..learners.multigrid import Multigrid
from ..learners.updates.momentum import Momentum
from ..learners.updates.sgd import SGD
from ..results.claim import Claim, of_mean
from ._experiment import Experiment

_TRIALS = 20
FIXED = {"strings": 50}
"""A search's sequences are a fixed set, with so many of each class."""

SIGNS = {"low": -1.0, "high": 1.0}
"""Threshold units can say nothing in between."""


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
    def back_propagation(self) -> Descent:
        return Descent(BPTT(), SGD(self.lr))

    @property
    def pseudo_newton(self) -> Descent:
        return Descent(PseudoNewton(self.mu), Momentum(self.rate, self.momentum))

    @property
    def time_weighted(self) -> Descent:
        return Descent(TimeWeightedNewton(self.mu), Momentum(self.rate, self.momentum))

    @property
    def multigrid(self) -> Multigrid:
        return Multigrid(batch=self.batch)

    @property
    def annealing(self) -> Annealing:
        return Annealing(
            batch=self.batch, temperature=self.temperature, adaptations=self.adaptations
        )


def printed(place: str, error: float | None, presented: float | None) -> tuple[Claim, ...]:
    """What a table says of one method at one length: error in per cent, and presentations."""
    claims, by = [], round(presented or 0)
    if error is not None:
        share = min(error / 100, 0.5)
        off = 200 * math.sqrt(max(share * (0.5 - share), 0.0) / _TRIALS)
        claims.append(Claim("error", error, place, max(off, 1.0), by=by))
    if presented is not None:
        claims.append(Claim("presentations", presented, place, of_mean(presented, _TRIALS), by=by))
    return tuple(claims)
