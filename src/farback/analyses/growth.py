"""How the whole weight gradient grows with the loss time: explodes, vanishes, or neither.

    (1)  dE_t/dW = sum over s <= t of the summands of step s     all of them, with what cancels
    (2)  g_t = ln |dE_t/dW| - ln |dE_t/ds_t|                     for one unit of error that enters
    (3)  exponential: g_t = a + rate t;   polynomial: g_t = a + exponent ln t
    (4)  the law is the one with the smaller mean distance from g_t; level where g_t changes by less
         than a factor of two, or the slope's interval holds 0; open where the two mean distances
         differ by less than two standard errors of their difference
    (5)  explodes: exponential with rate > 0; vanishes: exponential with rate < 0; open: the law is;
         neither: else

The sum (1) has ever more terms. That does not make it explode: where each keeps its size, t of them
add up to t at most (exponent 1), and to t^1.5 where the states themselves grow like the root of t,
as sums of independent inputs do. Only terms that grow geometrically make (1) explode.

Axes: t steps of the chain up to the loss time, counted from 1.

How to read it: a straight line over t explodes; one that bends like ln t is a polynomial, and
dividing by t or clipping is enough; a level line has its near summands alone. Slopes are those of
Theil and Sen, over the loss times after the first tenth of the steps, with their 95 % interval;
loss times of one batch are not independent, so that it is too narrow if anything. Over few loss
times, or noisy ones, a line and a curve fit alike: then the law is left open rather than guessed.

Reference: the three cases as in Pascanu, Mikolov and Bengio 2013, section 2.1; slopes Sen 1968;
two models compared sample by sample, Vuong 1989.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..flow import Chart, Finding, Measurement, Number, Path, Remedy, Series, Trace
from ._analysis import Analysis
from ._growth_law import growth_law

_LEAST = 6
_FIRST_SHARE = 0.1


@dataclass(frozen=True)
class Growth(Analysis):
    """The law by which the whole weight gradient grows with the loss time."""

    depth = "deep"
    of_motion = True

    def applies(self, trace: Trace) -> bool:
        return any(path.gradient is not None for path in trace.paths)

    def measure(self, trace: Trace) -> Measurement:
        blocks = {
            path.name: Measurement(path.name, f"{path.kind}, all loss times", _grown(path, trace))
            for path in trace.paths
            if path.gradient is not None
        }
        fastest = max(blocks, key=lambda name: _rise(blocks[name]))
        top = blocks[fastest]
        return Measurement(
            name="growth",
            summary="How the whole weight gradient grows with the loss time.",
            fields={**top.fields, "path": fastest},
            blocks=blocks,
            charts=_charts(fastest, top),
            numbers=_numbers(top),
            conditions=(
                "before clipping",
                f"{trace.dtype}, rescaled at every step",
                "summed over the rows of the batch",
                "for one unit of error at the loss time",
            ),
        )

    def judge(self, measurement: Measurement) -> Finding:
        m = measurement
        if m.law is None:
            return Finding(
                m.name,
                f"how the gradient of {m.path} grows with the loss time is not told: after the "
                f"first tenth of the steps, at least {_LEAST} loss times with an error were needed "
                f"and {len(m.times)} followed; give loss_times=",
                "",
            )
        evidence = (
            f"rate {_with_interval(m.rate, m.rate_interval)} a step, exponent "
            f"{_with_interval(m.exponent, m.exponent_interval)}; mean distance from the first "
            f"{m.rate_misfit:.2g}, from the second {m.exponent_misfit:.2g}"
        )
        match m.case:
            case "explodes":
                claim = f"the whole gradient of {m.path} explodes: it grows by {m.rate:+.3g} a step"
                clip = Remedy("updates.Clip", "its size is set by the loss time, not by the error")
                return Finding(m.name, claim, evidence, "bad", remedies=(clip,))
            case "vanishes":
                claim = f"even the whole gradient of {m.path} vanishes, by {m.rate:+.3g} a step"
                return Finding(m.name, claim, evidence, "watch")
        if m.law == "open":
            claim = (
                f"the whole gradient of {m.path} {'grows' if m.rate > 0 else 'falls'} with the "
                f"loss time; {len(m.times)} loss times do not tell whether by a factor a step or "
                "by a power of it: give more with loss_times="
            )
        elif m.law == "level":
            claim = f"the whole gradient of {m.path} neither explodes nor vanishes: it is level"
        else:
            claim = (
                f"the whole gradient of {m.path} neither explodes nor vanishes: it goes like the "
                f"loss time to the power of {m.exponent:.2g}"
            )
        return Finding(m.name, claim, evidence)


def _grown(path: Path, trace: Trace) -> dict[str, Any]:
    """The fields of one path: (2), and what `_growth_law` tells of it."""
    times, log_gradient, entered = _by_time(path, trace)
    late = times >= _FIRST_SHARE * trace.steps
    times, log_gradient, relative = times[late], log_gradient[late], (log_gradient - entered)[late]
    found = {"times": times, "log_gradient": log_gradient, "log_relative": relative}
    return found | (growth_law(times, relative) if len(times) >= _LEAST else _UNTOLD)


_UNTOLD: dict[str, Any] = {
    **dict.fromkeys(("law", "case", "rate", "rate_interval", "rate_misfit")),
    **dict.fromkeys(("exponent", "exponent_interval", "exponent_misfit")),
    "fit_exponential": np.array([]),
    "fit_polynomial": np.array([]),
}
"""The fields of a law that too few loss times tell of."""


def _by_time(path: Path, trace: Trace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps up to each loss time, ln |dE_t/dW|, and ln of the error that enters; draws joined."""
    assert path.gradient is not None
    first = path.log_norm[""][:, 0]
    with np.errstate(invalid="ignore"):
        entered = np.logaddexp.reduce(np.where(np.isnan(first), -np.inf, 2 * first), axis=1) / 2
    mean = [
        np.logaddexp.reduce(2 * logs.reshape(-1, trace.draws), axis=1) / 2
        for logs in (path.gradient, entered)
    ]
    clock = np.array(trace.loss_times, dtype=float)
    times = clock + 1 if path.direction > 0 else trace.steps - clock
    alive = np.isfinite(mean[0]) & np.isfinite(mean[1])
    order = np.argsort(times[alive])
    return times[alive][order], mean[0][alive][order], mean[1][alive][order]


def _rise(block: Measurement) -> tuple[bool, float]:
    """The path that explodes first, then the one that grows by most over the loss times."""
    if block.law is None:
        return False, -math.inf
    return block.case == "explodes", float(block.log_relative[-1] - block.log_relative[0])


def _with_interval(value: float, interval: tuple[float, float]) -> str:
    return f"{value:+.3g} ({interval[0]:+.3g} to {interval[1]:+.3g})"


def _numbers(top: Measurement) -> tuple[Number, ...]:
    if top.law is None:
        return (Number("Growth with the loss time", "not told", f"fewer than {_LEAST} loss times"),)
    of_steps = top.law in ("exponential", "open")
    slope = top.rate if of_steps else top.exponent
    unit = "a step" if of_steps else "power of the loss time"
    return (
        Number("Growth with the loss time", top.case, top.law),
        Number("Its slope", f"{slope:+.3g}", unit),
    )


def _charts(name: str, top: Measurement) -> tuple[Chart, ...]:
    if top.law is None:
        return ()
    return (
        Chart(
            title=f"The whole weight gradient by loss time ({name})",
            x="times",
            x_label="loss time t (steps of the chain)",
            y_label="log10 of |dE_t/dW| for one unit of error",
            unit="ln",
            series=(
                Series("measured", "log_relative"),
                Series("a rate a step", "fit_exponential"),
                Series("a power of t", "fit_polynomial"),
            ),
            caption="A straight line explodes or vanishes; one that bends like ln t does neither.",
        ),
    )
