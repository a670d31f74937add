"""Estimates with their 95 % intervals: a rate, a mean, and a mean restricted to the budget.

    rate        p = k/n,  (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n)           (1)
    mean        bias-corrected and accelerated bootstrap over trials (BCa)                       (2)
    restricted  the mean of min(sequences to solve, budget), with interval (2)                   (3)

Times to a success are skewed, and over few trials an interval of percentiles sits too low; BCa
corrects for both. Its resamples are drawn from a fixed seed and from the sorted values, so the same
values give the same interval in any order.

References: E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference,
1927; B. Efron, Better Bootstrap Confidence Intervals, 1987.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import NormalDist
from typing import NamedTuple

LEVEL = 0.95
RESAMPLES = 9999


class Estimate(NamedTuple):
    """A number with its interval; None where nothing can be said."""

    value: float | None
    low: float | None = None
    high: float | None = None


def rate(successes: int, trials: int) -> Estimate:
    """Equation (1), Wilson's interval: of none or of all it still has a width.

    >>> [round(it, 3) for it in rate(20, 20)]
    [1.0, 0.839, 1.0]
    """
    if not trials:
        return Estimate(None)
    z2 = NormalDist().inv_cdf((1 + LEVEL) / 2) ** 2
    share, whole = successes / trials, 1 + z2 / trials
    middle = share + z2 / (2 * trials)
    half = math.sqrt(z2 * (share * (1 - share) / trials + z2 / (4 * trials**2)))
    low = (middle - half) / whole if successes else 0.0
    high = (middle + half) / whole if successes < trials else 1.0
    return Estimate(share, low, high)


def mean(values: Iterable[float]) -> Estimate:
    """Equation (2). One value has no interval, and equal values have one of no width.

    >>> mean([5.0])
    Estimate(value=5.0, low=None, high=None)
    """
    ordered = sorted(float(it) for it in values)
    if not ordered:
        return Estimate(None)
    first, width = ordered[0], ordered[-1] - ordered[0]
    if len(ordered) == 1:
        return Estimate(first)
    if not width:
        return Estimate(first, first, first)
    import numpy as np
    from scipy.stats import bootstrap  # slow to import, and only means need it

    unit = [(it - first) / width for it in ordered]  # squares of these neither vanish nor overflow
    low, high = bootstrap(
        (unit,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=1000,
        confidence_level=LEVEL,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    middle = math.fsum(unit) / len(unit)
    return Estimate(*(float(first + width * it) for it in (middle, low, high)))


def restricted_mean(times: Iterable[tuple[float | None, float]]) -> Estimate:
    """Equation (3), of pairs (sequences to solve, or None; budget).

    >>> restricted_mean([(100, 1000), (None, 1000)]).value
    550.0
    """
    return mean(budget if time is None else min(time, budget) for time, budget in times)
