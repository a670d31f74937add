"""How much error could pass at most: a bound for every input in a box, beside what was measured.

    (1)  a_q = (J_{t-1} ... J_{t-q})^T a_0,   J = ds'/ds         the adjoint q steps back
    (2)  |a_q| / |a_0| <= |J_{t-1}| ... |J_{t-q}| <= c^q          c >= |J| over all the box
    (3)  s' = f(W s + ...):   J = diag(f') W,   c = gamma |W|,    gamma = sup f' over the box
    (4)  one entry of (1) is a sum over n^(q-1) paths of products of q factors f' w, and is
         at most n (gamma |W|_A)^q, |W|_A the largest row sum; with |w| <= w_max, n tau^q with
         tau = n w_max gamma
    (5)  certificate: no input in the box can carry more than the floor beyond lag q

(2) holds for any norm. Row sums, column sums, all squares (Frobenius), the largest singular value
(spectral), and the best diagonal scaling are each tried, and the tightest counts at each lag. For
gated cells, and any other step, J is enclosed by intervals: the step's operators are followed with
[lo, hi] in the place of numbers, rounded outward, over the range of the inputs and the smallest box
of states that they cannot lead out of.

Axes: q lag in steps; n units; the box has one interval for each state and each input.

How to read it: the measured curve lies under its bound. A bound that falls is a proof that this net
forgets, whatever the input; one that does not fall proves nothing, since intervals forget what
goes together. Three conditions are told apart by name: gamma |W| < 1 (spectral) is enough to
vanish, and its failure is needed, not enough, to explode; every |f' w| < 1 (single factor) makes
each path vanish, not their sum; eigenvalues of modulus under one bound the powers of one matrix in
the end, and no product of different ones: W = [[0.5, 10], [0, 0.5]] has them, and a norm of 10.

Reference: Hochreiter and Schmidhuber 1997, section 3.1 (4); Bengio, Simard and Frasconi 1994;
Pascanu, Mikolov and Bengio 2013, section 2.1 (3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import WrongUsage, expect
from ..flow import Chart, Finding, Line, Measurement, Number, Path, Remedy, Series, Trace
from ..flow.motion import Motion
from ._analysis import Analysis
from ._certificate import Certificate, Range, certificate
from ._decay import median
from ._enclosure import NoRule
from ._interval import Interval
from ._named_conditions import named_conditions
from ._pulled import pulled

_CURVES = (
    "bound",
    *(f"bound_{name}" for name in ("rows", "columns", "frobenius", "spectral", "scaled")),
    *(f"bound_{name}" for name in ("powers", "blocks", "squares", "hochreiter")),
)
_OF_ONE_MATRIX = (
    "gamma",
    "tau",
    "row_norm",
    "spectral_norm",
    "spectral_radius",
    "single_factor",
)
_BOXES = {
    "closed": "for all states in a box that these inputs cannot lead out of",
    "given": "for all states in the box given",
    "met": "as long as the states stay among those met",
}


@dataclass(frozen=True)
class Bounds(Analysis):
    """Bounds on the adjoint for every input in a box, with a certificate where one exists.

    `inputs` and `states` are (least, most) for every entry; by default what the batch holds, and
    what that can lead to. `directions` are pulled back by themselves to compare with.
    """

    inputs: Range | None = None
    states: Range | None = None
    directions: int = 4

    depth = "deep"
    of_motion = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, ends in (("inputs", self.inputs), ("states", self.states)):
            if ends is not None and not -math.inf < ends[0] <= ends[1] < math.inf:
                raise WrongUsage(
                    f"{name} is {ends!r}, and the least and the most of every entry were expected; "
                    "try (-1, 1)."
                )
        expect(1, directions=self.directions)

    def applies(self, trace: Trace) -> bool:
        return bool(trace.moving)

    def measure(self, trace: Trace) -> Measurement:
        blocks = {path.name: self._of_path(path, motion, trace) for path, motion in trace.moving}
        weakest = max(blocks, key=lambda name: _carries(blocks[name]))
        top = blocks[weakest]
        return Measurement(
            name="bounds",
            summary="How much error could pass at most, whatever the input in a box.",
            fields={**top.fields, "path": weakest, "needs": trace.needs},
            blocks=blocks,
            charts=_charts(weakest, top),
            numbers=_numbers(top),
            conditions=top.conditions,
        )

    def judge(self, measurement: Measurement) -> Finding:
        m = measurement
        if m.reason:
            return Finding(m.name, f"no certificate for {m.path}: {m.reason}", "")
        factor = f"{math.exp(m.certified_rate):.4g}"
        if m.certified_lag is None:
            return Finding(
                m.name,
                f"no certificate for {m.path}: over the box, products of its Jacobians are known "
                f"to grow by no more than a factor of {factor} a step, and one under 1 was needed",
                m.told,
            )
        short = m.needs is not None and m.certified_lag < m.needs
        forbidden = Remedy(
            "a cell whose error does not have to shrink: cells.LSTM, cells.IRNN, cells.LRU",
            f"at these weights no input at all carries {m.floor:g} of the error to lag {m.needs}",
        )
        return Finding(
            analysis=m.name,
            claim=(
                f"no input in the box can carry more than {m.floor:g} of the error beyond lag "
                f"{m.certified_lag} through {m.path}, {_BOXES[m.box]}"
            ),
            evidence=f"products of its Jacobians shrink to {factor} a step or less; {m.told}",
            severity="bad" if short else "ok" if m.needs is not None else "watch",
            remedies=(forbidden,) if short else (),
        )

    def _of_path(self, path: Path, motion: Motion, trace: Trace) -> Measurement:
        measured, typical = _measured(path, trace.draws)
        alone = pulled(motion, self.directions, seed=0)
        chain = alone.max(axis=(1, 2)) if alone.shape[2] else np.array([])
        lags = max(len(measured), len(chain))
        fields: dict[str, Any] = {
            "lags": np.arange(lags, dtype=float),
            "measured": measured,
            "measured_median": typical,
            "chain": chain,
            "floor": trace.floor,
        }
        about = f"{path.kind}, over a box of states and inputs"
        try:
            found = certificate(motion, trace.floor, self.states, self.inputs)
        except NoRule as reason:
            return Measurement(path.name, about, {**fields, **_NONE, "reason": str(reason)})
        fields |= {**_NONE, **_bounded(found, lags, trace.floor)}
        return Measurement(path.name, about, fields, conditions=_said(found, trace))


_NONE: dict[str, Any] = {
    "certified_lag": None,
    "certified_rate": None,
    "box": None,
    "state_box": None,
    "input_box": None,
    "log_factors": {},
    **dict.fromkeys(_CURVES, np.array([])),
    **dict.fromkeys(_OF_ONE_MATRIX),
    "told": "",
    "reason": "",
}
"""The fields of a path without bounds."""


def _bounded(found: Certificate, lags: int, floor: float) -> dict[str, Any]:
    curves, conditions = found.bounds.curves(lags), named_conditions(found.terms)
    fields: dict[str, Any] = {
        "certified_lag": found.bounds.below(floor),
        "certified_rate": found.bounds.rate,
        "box": found.kind,
        "state_box": _ends(found.states),
        "input_box": _ends(found.inputs),
        "log_factors": {name: bound.log_factor for name, bound in found.bounds.by_name.items()},
        "bound": found.bounds.curve(lags),
        **{f"bound_{name}": curve for name, curve in curves.items()},
        "told": "the step is no squashed product with one matrix",
    }
    if conditions is None:
        return fields
    single = {name: getattr(conditions, name) for name in _OF_ONE_MATRIX}
    return {
        **fields,
        **single,
        "bound_hochreiter": conditions.hochreiter(lags),
        "told": conditions.told,
    }


def _ends(box: Interval) -> tuple[float, float] | None:
    return (float(box.lo.min()), float(box.hi.max())) if box.lo.numel() else None


def _measured(path: Path, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest |a_q| / |a_0| over rows and loss times, and the median one, as logs."""
    with np.errstate(invalid="ignore"):
        relative = path.log_norm[""] - path.log_norm[""][:, :1]
    relative = np.where(np.isneginf(path.log_norm[""]), -np.inf, relative)
    relative[~np.isfinite(np.broadcast_to(path.log_norm[""][:, :1], relative.shape))] = np.nan
    seen = ~np.isnan(relative).all(axis=(0, 2))
    typical = median(relative, draws)
    return np.nanmax(relative[:, seen], axis=(0, 2)), typical


def _carries(block: Measurement) -> tuple[bool, float]:
    """A path without a certificate before those with one, then the one with the longest lag."""
    lag, rate = block.certified_lag, block.certified_rate
    if lag is not None:
        return False, float(lag)
    return True, math.inf if rate is None else rate


def _said(found: Certificate, trace: Trace) -> tuple[str, ...]:
    inputs = _ends(found.inputs)
    told = "no inputs" if inputs is None else f"inputs from {inputs[0]:.3g} to {inputs[1]:.3g}"
    low, high = _ends(found.states) or (0.0, 0.0)
    return (
        f"{told}, each within its own range",
        f"states from {low:.3g} to {high:.3g}, each within its own range; {_BOXES[found.kind]}",
        "relative to lag 0; the bound holds for exact arithmetic, and is rounded upward",
        f"measured in {trace.dtype}; into a layer below others, error enters at every step, and "
        "its measured curve may pass the bound of its own chain",
    )


def _numbers(top: Measurement) -> tuple[Number, ...]:
    if top.certified_rate is None:
        return (Number("Certificate", "none", top.reason),)
    lag = top.certified_lag
    text = "none" if lag is None else f"below {top.floor:g} beyond lag {lag}"
    return (
        Number("Certificate", text, _BOXES[top.box]),
        Number("Largest factor a step", f"{math.exp(top.certified_rate):.4g}", "over the box"),
    )


def _charts(name: str, top: Measurement) -> tuple[Chart, ...]:
    shown = [
        ("measured, the largest", "measured"),
        ("measured, the median", "measured_median"),
        ("the chain alone", "chain"),
        ("tightest bound", "bound"),
        ("by the spectral norm", "bound_spectral"),
        ("by row sums", "bound_rows"),
        ("Hochreiter's of 1997", "bound_hochreiter"),
    ]
    return (
        Chart(
            title=f"The error under its bounds ({name})",
            x="lags",
            x_label="lag (steps back from the loss)",
            y_label="log10 of the share of the error",
            unit="ln",
            series=tuple(Series(label, field) for label, field in shown if len(top.fields[field])),
            lines=(Line("y", math.log(top.floor), f"the floor, {top.floor:g}"),),
            caption="Relative to the error at lag 0. A bound holds for every input in the box. The "
            "chain alone is that of directions drawn at random.",
        ),
    )
