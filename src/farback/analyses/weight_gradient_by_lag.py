"""Which part of the weight gradient vanishes: the sum, or its far summands?

    (1)  dE_t/dW = sum over q of G_q,    G_q = sum over rows of e_{t-q} (x) s_{t-q-1}
    (2)  far share at lag q = sum of |G_p| over p > q, over the sum of |G_p| over all p

Axes: q lag in steps; e the error at the nets of a step, s the state before it; |.| the Frobenius
norm. One curve for each parameter group: recurrent, input, bias, or all of a cell's own together.

How to read it: the sum hardly ever vanishes, because its near summands do not. A far share of 0.01
at lag 20 says that one hundredth of the learning signal comes from more than 20 steps back, and
that the direction of the whole gradient ignores it.

Reference: Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013, eqs. 3 to 5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..flow import Chart, Finding, Measurement, Number, Series, Trace
from ._analysis import Analysis
from ._decay import joined

RECURRENT = ("recurrent", "cell")
"""The groups that hold the recurrent parameters; 'cell' is a user's own, not told apart."""


@dataclass(frozen=True)
class WeightGradientByLag(Analysis):
    """The norms of the weight gradient's summands by lag, and the share of the far ones."""

    def applies(self, trace: Trace) -> bool:
        return any(path.summands for path in trace.paths)

    def measure(self, trace: Trace) -> Measurement:
        groups = {
            f"{path.name}:{group}": _by_lag(summands, trace.draws)
            for path in trace.paths
            for group, summands in path.summands.items()
        }
        blocks = {
            name: Measurement(name, "Summands of one parameter group.", _fields(logs))
            for name, logs in groups.items()
        }
        own = [logs for name, logs in groups.items() if name.rpartition(":")[2] in RECURRENT]
        fields = _fields(_together(own or groups.values()))
        share = fields["far_share"]
        middle = int(np.argmax(share <= 0.5)) if len(share) else None
        return Measurement(
            name="weight_gradient_by_lag",
            summary="The weight gradient, split into the summands by lag.",
            fields={**fields, "half_within": middle, "needs": trace.needs},
            blocks=blocks,
            charts=_charts(blocks),
            numbers=(Number("Half of the summands", f"at lags up to {middle}", "by norm"),),
            conditions=(
                "before clipping",
                "unscaled",
                "summed over the batch",
                "recurrent weights",
            ),
        )

    def judge(self, measurement: Measurement) -> Finding:
        m, share = measurement, measurement.far_share
        if not len(share) or not np.isfinite(m.log_norm).any():
            return Finding(m.name, "the weight gradient is zero", "every summand is zero", "watch")
        last = int(np.flatnonzero(np.isfinite(m.log_norm))[-1])  # a start of zeros has no summand
        place = min(m.needs or len(share) // 2, last)
        far = float(share[place - 1]) if place else 1.0
        lost = far < 0.01
        return Finding(
            analysis=m.name,
            claim=(
                f"half of the weight gradient's summands (by norm) lie at lags up to "
                f"{m.half_within}, and {far:.2g} of them at lag {place} or beyond"
                + (": the sum is alive, its far summands are not" if lost else "")
            ),
            evidence="shares by norm, over the recurrent weights",
            severity="watch" if lost else "ok",
        )


def _by_lag(summands: Float[np.ndarray, "K Q"], draws: int) -> Float[np.ndarray, " Q"]:
    """Ln of the norms' sum over loss times."""
    logs = joined(summands[..., None], draws)[..., 0]
    logs = logs[:, ~np.isnan(logs).all(0)]
    return np.logaddexp.reduce(np.where(np.isnan(logs), -np.inf, logs), axis=0)


def _together(groups: Iterable[np.ndarray]) -> np.ndarray:
    groups = list(groups)
    longest = max(len(logs) for logs in groups)
    padded = [np.pad(g, (0, longest - len(g)), constant_values=-np.inf) for g in groups]
    return np.logaddexp.reduce(padded, axis=0)


def _fields(logs: np.ndarray) -> dict[str, np.ndarray]:
    finite = logs[np.isfinite(logs)]
    weight = np.exp(logs - finite.max()) if len(finite) else np.zeros_like(logs)
    beyond = np.append(np.cumsum(weight[::-1])[::-1][1:], 0.0)
    return {
        "lags": np.arange(len(logs), dtype=float),
        "log_norm": logs,
        "far_share": beyond / max(weight.sum(), math.ulp(0.0)),
    }


def _charts(blocks: dict[str, Measurement]) -> tuple[Chart, ...]:
    return (
        Chart(
            title="Weight-gradient summands by lag",
            x="lags",
            x_label="lag (steps back from the loss)",
            y_label="log10 of the summand's norm",
            unit="ln",
            series=tuple(Series(name, "log_norm", block=name) for name in list(blocks)[:6]),
            caption="Each parameter group's gradient, split by the step at which the weight acted.",
        ),
        Chart(
            title="Share of the weight gradient from beyond a lag",
            x="lags",
            x_label="lag (steps back from the loss)",
            y_label="far share",
            unit="share",
            series=(Series("recurrent weights", "far_share"),),
            caption="Sum of the far summands' norms over the sum of all.",
        ),
    )
