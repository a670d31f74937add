"""Which law logs follow over time: exponential, polynomial, level, or left open.

The equations are those of `growth`: (3) both fits, (4) the law, (5) the case.

Axes: t times, at which g is a log.

Reference: slopes Sen 1968; two models compared sample by sample, Vuong 1989.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.stats import theilslopes

from ._decay import LN2


def growth_law(times: Float[np.ndarray, " t"], logs: Float[np.ndarray, " t"]) -> dict[str, Any]:
    """(3) to (5), as fields."""
    rate, rate_interval, line = _fit(times, logs)
    exponent, exponent_interval, bend = _fit(np.log(times), logs)
    distances = np.abs(logs - np.stack([line, bend]))
    misfits = distances.mean(1)
    better = int(misfits.argmin())
    low, high = (rate_interval, exponent_interval)[better]
    fitted = (line, bend)[better]
    if abs(fitted[-1] - fitted[0]) < LN2 or low <= 0 <= high:
        law = "level"
    elif _alike(distances[0] - distances[1]):
        law = "open"
    else:
        law = ("exponential", "polynomial")[better]
    return {
        "law": law,
        "case": _case(law, rate),
        "rate": rate,
        "rate_interval": rate_interval,
        "rate_misfit": float(misfits[0]),
        "exponent": exponent,
        "exponent_interval": exponent_interval,
        "exponent_misfit": float(misfits[1]),
        "fit_exponential": line,
        "fit_polynomial": bend,
    }


def _fit(x: np.ndarray, y: np.ndarray) -> tuple[float, tuple[float, float], np.ndarray]:
    found = theilslopes(y, x, alpha=0.95)
    slope, low, high = (float(value) for value in (found[0], found[2], found[3]))  # type: ignore
    line = slope * x
    return slope, (low, high), line + float(np.median(y - line))


def _alike(apart: np.ndarray) -> bool:
    """Whether two fits are equally far from the points, as far as these tell, (4)."""
    return abs(apart.mean()) < 2 * apart.std(ddof=1) / math.sqrt(len(apart))


def _case(law: str, rate: float) -> str:
    """(5)."""
    if law == "exponential":
        return "explodes" if rate > 0 else "vanishes"
    return "open" if law == "open" else "neither"
