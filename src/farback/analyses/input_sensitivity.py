"""How strongly the error at one time depends on the input at another.

    (1)  d_q = |dE_t / dx_{t-q}|,  x the input, or an embedding's output where the input is tokens
    (2)  steps seen = 1 + the largest lag q with d_q > 0

Axes: q lag in steps; negative lags are inputs after the loss time, where the model sees them.

How to read it: this is what the loss can learn from the data, through everything before and after
the recurrent layer. A model without recurrence ends at its receptive field: an exact zero, which no
training removes.

Reference: Simonyan, Vedaldi and Zisserman 2014 (input gradients); receptive fields as in van den
Oord et al. 2016.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..flow import Chart, Finding, Line, Measurement, Number, Path, Remedy, Series, Trace
from ._analysis import Analysis
from ._decay import decay, median


@dataclass(frozen=True)
class InputSensitivity(Analysis):
    """The norm of dE_t/dx_s by lag, for every subject."""

    depth = "quick"

    def applies(self, trace: Trace) -> bool:
        return bool(trace.inputs) or not trace.recurrent

    def measure(self, trace: Trace) -> Measurement:
        found = {path.name: _fields(path, trace) for path in trace.inputs}
        found = {name: fields for name, fields in found.items() if fields is not None}
        blocks = {name: Measurement(name, "One entrance.", f) for name, f in found.items()}
        steps = max(trace.loss_times, default=-1) + 1
        asked = {"needs": trace.needs, "recurrent": trace.recurrent, "batch_steps": steps}
        if not found:
            empty = {"lags": np.array([]), "log_norm": np.array([]), "steps_seen": 0}
            return Measurement(
                "input_sensitivity", "No error reaches the input.", {**empty, **asked}
            )
        name = max(found, key=lambda n: found[n]["steps_seen"])
        fields = found[name]
        return Measurement(
            name="input_sensitivity",
            summary="How strongly the error depends on the input, by lag.",
            fields={**fields, "entrance": name, **asked},
            blocks=blocks,
            charts=_charts(fields, name, trace),
            numbers=(
                Number("Input seen", f"{fields['steps_seen']} steps", f"of {trace.steps}"),
                Number("Reach", _steps(fields["reach"]), f"to {trace.floor:g} of the nearest"),
                Number("Half-life", _steps(fields["half_life"])),
            ),
            conditions=("before clipping", "unscaled", f"{trace.dtype}", f"at {name}"),
        )

    def judge(self, measurement: Measurement) -> Finding:
        m = measurement
        if not m.steps_seen:
            return _no_signal(m)
        if m.recurrent:
            return Finding(
                m.name,
                f"the loss depends on the input up to {m.steps_seen - 1} steps back",
                f"reach {_steps(m.reach)} at {m.entrance}",
            )
        return _receptive_field(m)


def _no_signal(m: Measurement) -> Finding:
    claim, evidence = "no error reaches the input, at any lag", "every gradient there is zero"
    if m.recurrent:
        return Finding(m.name, claim, evidence, "watch")
    check = Remedy("check that the loss reads the output", "it depends on nothing before it")
    return Finding(m.name, claim, evidence, "bad", "no signal", (check,))


def _receptive_field(m: Measurement) -> Finding:
    """A subject without recurrence: where it ends, or that the batch is too short to tell."""
    seen, short = m.steps_seen, m.needs is not None and m.steps_seen - 1 < m.needs
    fading = f"; its sensitivity halves every {m.half_life:.3g} steps" if m.half_life else ""
    claim = f"no recurrent path was found, and the loss sees {seen} steps"
    if seen >= m.batch_steps:
        remedies = (
            Remedy(
                "if a recurrence is written out in forward, put its step into a module, or probe "
                "it as a StepMap",
                "without one, nothing tells a recurrence from a wide receptive field",
            ),
        )
        return Finding(
            analysis=m.name,
            claim=f"{claim}: at least {seen}, the batch ends there{fading}",
            evidence=f"the gradient at {m.entrance} is not zero at the batch's first step",
            severity="watch" if short else "ok",
            word=f"ends at {seen}",
            remedies=remedies,
        )
    remedy = Remedy(
        f"widen the receptive field beyond {m.needs} steps",
        f"it ends after {seen}, and nothing further back has any influence",
    )
    return Finding(
        analysis=m.name,
        claim=f"{claim}{fading}",
        evidence=f"the gradient at {m.entrance} is exactly zero beyond",
        severity="bad" if short else "ok",
        word=f"ends at {seen}",
        remedies=(remedy,) if short else (),
    )


def _fields(path: Path, trace: Trace) -> dict[str, Any] | None:
    norms = path.log_norm[""]
    found = decay(norms, draws=trace.draws, floor=trace.floor)
    if found is None:
        return None
    alive = np.isfinite(norms).any((0, 2))
    other = {}
    if path.against is not None:
        logs = median(path.against, trace.draws)
        other = {"other_lags": -1.0 - np.arange(len(logs)), "other_log_norm": logs}
    seen = int(np.flatnonzero(alive)[-1]) + 1 if alive.any() else 0
    return {**found.fields(), "steps_seen": seen, **other}


def _steps(value: float | None) -> str:
    return "none" if value is None else f"{value:.3g} steps"


def _charts(fields: dict[str, Any], name: str, trace: Trace) -> tuple[Chart, ...]:
    lines = (
        () if trace.needs is None else (Line("x", float(trace.needs), f"needed: {trace.needs}"),)
    )
    charts = [
        Chart(
            title="Input sensitivity by lag",
            x="lags",
            x_label="lag (steps back from the loss)",
            y_label="log10 of the gradient's norm",
            unit="ln",
            series=(Series(name, "log_norm", "low", "high"),),
            lines=lines,
            caption="Median over rows and loss times; the band holds the middle half of them.",
        )
    ]
    if "other_lags" in fields:
        charts.append(
            Chart(
                title="Input sensitivity to later steps",
                x="other_lags",
                x_label="lag (negative: after the loss time)",
                y_label="log10 of the gradient's norm",
                unit="ln",
                series=(Series(name, "other_log_norm"),),
            )
        )
    return tuple(charts)
