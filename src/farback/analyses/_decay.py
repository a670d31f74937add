"""The decay of a norm with the lag: median curve, rate, half-life, reach.

One sample is one row at one loss time; a curve is its ln norm over lags 0, 1, ..., Q - 1.

    (1)  rate      = median over samples of the Theil-Sen slope: the median of
                     (l_j - l_i) / (j - i) over pairs of lags 1 <= i < j at which l is finite
    (2)  half-life = ln 2 / -rate
    (3)  reach     = the largest lag q at which the median over samples of l_q - l_0 is >= ln floor

l_0 is the whole state's; where that is a true zero (the loss reads a cell's output beside its
state), it is the first norm that is not.

Slopes use at most 65 evenly spaced lags, and samples with at least half of the lags measured. The
interval of a median is the distribution-free one from order statistics (95 %), and with fewer than
six samples their range; it takes samples as independent, which loss times of one row are not quite.
The interval of the reach is that of the two curves that bound the median's. Several random
projections at a loss time are first joined by their root mean square.

Reference: Theil 1950; Sen 1968 (slope). Order-statistic interval: David and Nagaraja 2003.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.stats import binom

LN2 = math.log(2)
LN10 = math.log(10)
_MOST_LAGS = 65


@dataclass(frozen=True)
class Decay:
    """A decay in numbers, each as the module's text defines it; lags in steps, logs natural."""

    lags: Float[np.ndarray, " Q"]
    log_norm: Float[np.ndarray, " Q"]
    low: Float[np.ndarray, " Q"]
    high: Float[np.ndarray, " Q"]
    samples: int
    rate: float | None
    rate_interval: tuple[float, float] | None
    half_life: float | None
    reach: int | None
    reach_interval: tuple[float, float] | None
    reach_at_least: bool
    furthest: int | None
    """The largest lag at which any sample has an error that is not zero."""

    relative_at_end: float | None

    def fields(self) -> dict[str, Any]:
        """The same as a measurement's fields."""
        return dict(vars(self))


def joined(log_norm: Float[np.ndarray, "K Q B"], draws: int) -> Float[np.ndarray, "T Q B"]:
    """The root mean square over the draws of each loss time."""
    if draws == 1:
        return log_norm
    parts = log_norm.reshape(-1, draws, *log_norm.shape[1:])
    with np.errstate(invalid="ignore"):
        return np.logaddexp.reduce(2 * parts, axis=1) / 2 - math.log(draws) / 2


def decay(
    log_norm: Float[np.ndarray, "K Q B"],
    *,
    draws: int = 1,
    floor: float = 1e-3,
    start: Float[np.ndarray, "K Q B"] | None = None,
) -> Decay | None:
    """The decay of `log_norm`, relative to lag 0 of `start` (itself, if None).

    None where no sample has an error at lag 0 to begin with.
    """
    whole = _first(joined(log_norm if start is None else start, draws))
    curves = joined(log_norm, draws).transpose(0, 2, 1).reshape(-1, log_norm.shape[1])
    begun = np.isfinite(whole.reshape(-1))
    curves, origin = curves[begun], whole.reshape(-1)[begun]
    measured = ~np.isnan(curves)
    if not measured.any():
        return None
    count = int(np.flatnonzero(measured.any(0))[-1]) + 1
    curves, measured = curves[:, :count], measured[:, :count]
    slopes = [_slope(c) for c, m in zip(curves, measured, strict=True) if 2 * m.sum() >= count]
    slopes = np.array([slope for slope in slopes if slope is not None])
    rate = float(np.median(slopes)) if len(slopes) else None
    relative = curves - origin[:, None]
    middle = _quantile(relative, 0.5)
    reach = _reach(middle, floor)
    low, high = _bounds(relative)
    end = _last(np.isfinite(middle))
    return Decay(
        lags=np.arange(count, dtype=float),
        log_norm=_quantile(curves, 0.5),
        low=_quantile(curves, 0.25),
        high=_quantile(curves, 0.75),
        samples=len(curves),
        rate=rate,
        rate_interval=interval(slopes),
        half_life=None if rate is None or rate >= 0 else LN2 / -rate,
        reach=reach,
        reach_interval=_reaches(low, high, floor) if len(curves) > 1 else None,
        reach_at_least=reach == count - 1,
        furthest=_last((curves > -np.inf).any(0)),
        relative_at_end=None if end is None else float(middle[end]),
    )


def median(log_norm: Float[np.ndarray, "K Q B"], draws: int) -> Float[np.ndarray, " Q"]:
    """The median over rows and loss times at each lag that was measured."""
    curves = joined(log_norm, draws).transpose(0, 2, 1).reshape(-1, log_norm.shape[1])
    return _quantile(curves[:, ~np.isnan(curves).all(0)], 0.5)


def word(found: Decay) -> str:
    """'sustains': under a factor of two over all lags, or 0 lies in the interval.

    A curve that ends in true zeros vanishes, however it went before.
    """
    if zero_beyond(found.log_norm) is not None:
        return "vanishes"
    if found.rate is None:
        change = found.relative_at_end or 0.0
        return "sustains" if abs(change) < LN2 else "explodes" if change > 0 else "vanishes"
    low, high = found.rate_interval or (found.rate, found.rate)
    if abs(found.rate) * (len(found.lags) - 1) < LN2 or low <= 0 <= high:
        return "sustains"
    return "explodes" if found.rate > 0 else "vanishes"


def zero_beyond(log_norm: np.ndarray) -> int | None:
    """The last lag with an error, where all that follows are true zeros; else None."""
    last = _last(log_norm > -np.inf)
    return None if last == len(log_norm) - 1 else last


def interval(values: np.ndarray) -> tuple[float, float] | None:
    """The 95 % interval of the median; the range below six values; None with one."""
    if len(values) < 2:
        return None
    low, high = _bounds(values[:, None])
    return float(low[0]), float(high[0])


def _bounds(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interval of the median over the samples measured at each lag."""
    ordered, count = _ordered(curves)
    rank = np.maximum(binom.ppf(0.025, count, 0.5).astype(int) - 1, 0)
    low = np.take_along_axis(ordered, rank[None], 0)[0]
    high = np.take_along_axis(ordered, np.maximum(count - 1 - rank, 0)[None], 0)[0]
    return low, high


def _reaches(low: np.ndarray, high: np.ndarray, floor: float) -> tuple[float, float]:
    return float(_reach(low, floor) or 0), float(_reach(high, floor) or 0)


def _first(whole: np.ndarray) -> np.ndarray:
    """The norm at lag 0 of each sample [T, B], or the first that is not zero."""
    finite = np.isfinite(whole)
    first = np.take_along_axis(whole, finite.argmax(1)[:, None], 1)[:, 0]
    return np.where(finite.any(1), first, -np.inf)


def _slope(curve: np.ndarray) -> float | None:
    lags = np.flatnonzero(np.isfinite(curve[1:])) + 1
    if len(lags) < 2:
        return None
    if len(lags) > _MOST_LAGS:
        lags = lags[np.linspace(0, len(lags) - 1, _MOST_LAGS).round().astype(int)]
    i, j = np.triu_indices(len(lags), 1)
    values = curve[lags]
    return float(np.median((values[j] - values[i]) / (lags[j] - lags[i])))


def _reach(relative: np.ndarray, floor: float) -> int | None:
    with np.errstate(invalid="ignore"):
        return _last(relative >= math.log(floor))


def _last(true: ArrayLike) -> int | None:
    """The largest lag at which it is so."""
    lags = np.flatnonzero(true)
    return int(lags[-1]) if len(lags) else None


_ZERO = -1e300


def _quantile(curves: np.ndarray, share: float) -> np.ndarray:
    """Over the samples measured at each lag; a true zero (-inf) is the smallest value."""
    ordered, count = _ordered(curves)
    place = share * np.maximum(count - 1, 0)
    low, high = np.floor(place).astype(int), np.ceil(place).astype(int)
    below = np.take_along_axis(ordered, low[None], 0)[0]
    above = np.take_along_axis(ordered, high[None], 0)[0]
    found = below + (place - low) * (above - below)
    return np.where(found < _ZERO / 1e10, -np.inf, found)


def _ordered(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each lag's samples from the smallest, those not measured last, and how many were."""
    ordered = np.sort(np.maximum(curves, _ZERO), axis=0)
    return ordered, np.sum(~np.isnan(ordered), axis=0)
