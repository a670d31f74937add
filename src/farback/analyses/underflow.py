"""The lag at which plain training arithmetic holds an exact zero, by float type.

    (1)  predicted: the first lag at which the adjoint's largest entry is below half the smallest
         subnormal number of the type, so that nothing true is left of it; rounding may still hold
         a few subnormals up where a step keeps more than half
    (2)  measured (deep): the backward pass repeated in that type without rescaling, and the first
         lag at which every entry is zero

Smallest subnormals: float16 2^-24, bfloat16 2^-133, float32 2^-149. Both are taken over the median
sample, for the chain of states that carries furthest, and without loss scaling.

How to read it: beyond this lag an ordinary backward pass carries nothing at all, whatever is done
to the gradient afterwards; a loss scale of 2^16 moves the float16 floor down by that factor.

Reference: IEEE 754-2019; Micikevicius et al. 2018 (loss scaling).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..errors import FarbackError
from ..flow import Finding, Measurement, Number, Trace
from ._analysis import Analysis
from ._decay import joined

SMALLEST = {"float16": -24, "bfloat16": -133, "float32": -149}
"""Exponent of two of the smallest positive number."""


@dataclass(frozen=True)
class Underflow(Analysis):
    """The lag of the first exact zero in float16, bfloat16 and float32."""

    def applies(self, trace: Trace) -> bool:
        return bool(trace.paths)

    def measure(self, trace: Trace) -> Measurement:
        lags: dict[str, int | None] = {}
        methods: dict[str, str] = {}
        for name in SMALLEST:
            lags[name], methods[name] = _measured(trace, name) or (
                _predicted(trace, name),
                "predicted",
            )
        return Measurement(
            name="underflow",
            summary="Where plain training arithmetic holds an exact zero.",
            fields={
                "lag": lags,
                "method": methods,
                "last_lag": max(path.log_peak.shape[1] for path in trace.paths) - 1,
                "model_dtype": trace.model_dtype,
                "needs": trace.needs,
            },
            numbers=tuple(
                Number(
                    f"Zero in {name}", "not within the batch" if lag is None else f"at lag {lag}"
                )
                for name, lag in lags.items()
            ),
            conditions=("unscaled", "before clipping", "no loss scaling"),
        )

    def judge(self, measurement: Measurement) -> Finding:
        m = measurement
        own = m.lag.get(m.model_dtype)
        hit = own is not None and (m.needs is None or own <= m.needs)
        ways = " and ".join(sorted(set(m.method.values())))
        return Finding(
            analysis=m.name,
            claim=_claim(m.lag, m.last_lag, "predicted" in m.method.values()),
            evidence=f"{ways}; the model trains in {m.model_dtype}",
            severity="watch" if hit else "ok",
        )


def _claim(lags: dict[str, int | None], last: int, predicted: bool) -> str:
    held = [f"from lag {lag} on in {name}" for name, lag in lags.items() if lag is not None]
    free = [name for name, lag in lags.items() if lag is None]
    without = f"in {' and '.join(free)} none within {last} steps" if free else ""
    if not held:
        return f"plain arithmetic holds no exact zero within {last} steps, in {', '.join(free)}"
    does = "is expected to hold" if predicted else "holds"
    zero = f"plain arithmetic {does} an exact zero {', '.join(held)}"
    return f"{zero}; {without}" if free else zero


def _predicted(trace: Trace, name: str) -> int | None:
    threshold = (SMALLEST[name] - 1) * math.log(2)
    return _first_below(trace, threshold)


def _measured(trace: Trace, name: str) -> tuple[int | None, str] | None:
    """The plain backward pass itself, where it was asked for and the model runs in the type."""
    if not trace.deep or trace.rerun is None:
        return None
    try:
        return _first_below(trace.rerun(name), -math.inf), "measured"
    except (FarbackError, RuntimeError, TypeError, NotImplementedError):
        return None


def _first_below(trace: Trace, threshold: float) -> int | None:
    """The first lag at which the median sample's peak is at most `threshold`, of the best path."""
    firsts: list[int | None] = []
    for path in trace.paths:
        peaks = joined(path.log_peak, trace.draws).transpose(0, 2, 1)
        peaks = peaks.reshape(-1, path.log_peak.shape[1])
        peaks = peaks[np.isfinite(peaks).any(1)]
        peaks = peaks[:, ~np.isnan(peaks).all(0)]
        if len(peaks):
            middle = np.nanmedian(np.maximum(peaks, -1e300), axis=0)
            first = int(np.argmax(middle > -1e299))
            below = np.flatnonzero(middle[first:] <= max(threshold, -1e299)) + first
            firsts.append(int(below[0]) if len(below) else None)
    if not firsts:
        return 0
    return None if None in firsts else max(lag for lag in firsts if lag is not None)
