"""How the adjoint, the error at the state, decays or grows with the lag.

    (1)  a_q = dE_t / ds_{t-q}         the adjoint at lag q, of the whole state s
    (2)  ln |a_q|, its median and quartiles over rows and loss times t
    (3)  rate = its robust slope per step;  half-life = ln 2 / -rate
    (4)  reach = the largest lag at which |a_q| / |a_0| is at least the floor

Axes: q lag in steps, in the direction of processing; t loss time, the step at which the error
enters the layer. The whole state counts together (h and c of an LSTM side by side), its blocks
also apart. Norms are natural logs, accumulated with rescaling at every step, so that no float type
underflows; they are before clipping and unscaled.

How to read it: a straight line downwards is exponential forgetting; its half-life says how many
steps halve the error. A curve that levels off has a part of the state that carries. A gap is a true
zero. Beyond the reach, what is left is below the floor: it exists, but nearer errors drown it.

Reference: Hochreiter 1991; Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013, eq.
5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..flow import Chart, Finding, Line, Measurement, Number, Path, Series, Trace
from ._adjoint_finding import decayed, no_signal
from ._analysis import Analysis
from ._decay import LN2, Decay, decay, median
from .underflow import SMALLEST


@dataclass(frozen=True)
class AdjointDecay(Analysis):
    """ln norm of the adjoint by lag, with rate, half-life and reach."""

    depth = "quick"

    def applies(self, trace: Trace) -> bool:
        return trace.recurrent

    def measure(self, trace: Trace) -> Measurement:
        blocks: dict[str, Measurement] = {}
        decays: dict[str, Decay] = {}
        for path in trace.paths:
            for block, log_norm in path.log_norm.items():
                found = decay(
                    log_norm, draws=trace.draws, floor=trace.floor, start=path.log_norm[""]
                )
                if found is not None:
                    name = f"{path.name}:{block}" if block else path.name
                    decays[name] = found
                    blocks[name] = Measurement(name, _about(path, block), found.fields())
            if path.against is not None:
                name = f"{path.name} (against the processing)"
                blocks[name] = Measurement(name, "Lags -1, -2, ...", _against(path, trace))
        if not decays:
            return Measurement(
                "adjoint_decay", "No error reaches any state.", {**_nothing(), **_asked(trace)}
            )
        furthest = max(decays, key=lambda name: _carries(name, decays[name]))
        found = decays[furthest]
        radius = {p.name: p.spectral_radius for p in trace.paths if p.spectral_radius is not None}
        jumps = _row_norms(trace)
        return Measurement(
            name="adjoint_decay",
            summary="How the error at the state decays or grows with the lag.",
            fields={
                **found.fields(),
                "block": furthest,
                "spectral_radius": radius,
                "row_norm_quantiles": jumps,
                "gated": any(path.gates for path in trace.paths),
                **_asked(trace),
            },
            blocks=blocks,
            charts=(_chart(trace, furthest, decays, found),),
            numbers=_numbers(found, trace.floor),
            conditions=(
                "before clipping",
                "unscaled",
                f"{trace.dtype}, rescaled at every step",
                f"median over {found.samples} samples (rows x loss times)",
            ),
        )

    def judge(self, measurement: Measurement) -> Finding:
        return decayed(measurement) if len(measurement.lags) else no_signal(measurement)


def _about(path: Path, block: str) -> str:
    return f"{path.kind}, {f'block {block}' if block else 'the whole state'}"


def _asked(trace: Trace) -> dict[str, Any]:
    return {"floor": trace.floor, "needs": trace.needs}


def _nothing() -> dict[str, Any]:
    empty = np.array([])
    return {
        "lags": empty,
        "log_norm": empty,
        "rate": None,
        "rate_interval": None,
        "half_life": None,
        "reach": None,
    }


def _carries(name: str, found: Decay) -> tuple[float, bool, float]:
    """By reach; of equal ones the whole state, then the slowest decay."""
    reach = -1 if found.reach is None else found.reach
    return reach, ":" not in name, -math.inf if found.rate is None else found.rate


def _against(path: Path, trace: Trace) -> dict[str, Any]:
    """The error that runs against the processing: through the other direction of a layer above."""
    assert path.against is not None
    found = median(path.against, trace.draws)
    return {"lags": -1.0 - np.arange(len(found)), "log_norm": found}


def _row_norms(trace: Trace) -> list[float]:
    """Quartiles and 9th decile over samples of a bound on each row's own weight gradient, ln."""
    rows = [p.row_norm.reshape(-1) for p in trace.paths if p.row_norm is not None]
    values = np.concatenate(rows) if rows else np.array([])
    values = values[np.isfinite(values)]
    return [float(v) for v in np.quantile(values, [0.25, 0.5, 0.75, 0.9])] if len(values) else []


def _chart(trace: Trace, furthest: str, decays: dict[str, Decay], found: Decay) -> Chart:
    others = [name for name in decays if name != furthest][:5]
    lines = [Line("y", power * LN2, f"{name} holds zero below") for name, power in SMALLEST.items()]
    if trace.needs is not None:
        lines.append(Line("x", float(trace.needs), f"needed: {trace.needs}"))
    return Chart(
        title="Adjoint norm by lag",
        x="lags",
        x_label="lag (steps back from the loss)",
        y_label="log10 of the adjoint's norm",
        unit="ln",
        series=(
            Series(furthest, "log_norm", "low", "high"),
            *(Series(name, "log_norm", block=name) for name in others),
        ),
        lines=tuple(lines),
        caption="Median over rows and loss times; the band holds the middle half of them.",
    )


def _numbers(found: Decay, floor: float) -> tuple[Number, ...]:
    low, high = found.rate_interval or (None, None)
    span = "" if low is None else f"95 % interval {low:+.3g} to {high:+.3g}"
    reach = "none" if found.reach is None else f"{found.reach} steps"
    if found.reach_at_least:
        reach = f"at least {reach}"
    return (
        Number("Half-life", "none" if found.half_life is None else f"{found.half_life:.3g} steps"),
        Number("Reach", reach, f"to {floor:g} of the start"),
        Number("Rate", "none" if found.rate is None else f"{found.rate:+.3g} a step", span),
    )
