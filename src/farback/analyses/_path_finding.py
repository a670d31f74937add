"""What follows from the paths of an error: the sentence, the figures, the charts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..flow import Chart, Finding, Measurement, Number, Remedy, Series
from ._decay import LN10


def judged(m: Measurement) -> Finding:
    many = f"{math.exp(m.log_count):.0f}" if m.log_count < 12 else f"10^{m.log_count / LN10:.0f}"
    paths = "1 path" if m.log_count == 0 else f"{many} paths"
    steps = "1 step" if m.lag == 1 else f"{m.lag} steps"
    if not len(m.log_best):
        each = "" if m.log_count == 0 else " each"
        return Finding(
            m.name,
            f"no path leads from {m.to} back to {m.origin} over {steps}: a true zero",
            f"{m.path}, row {m.row}, {paths} with a factor of zero{each}",
            "watch",
        )
    rate = float(np.mean(m.log_factors))
    asked = m.needs if m.needs is not None else m.lag
    fading = rate * asked < math.log(m.floor)
    share = m.share_of_best
    alone = "" if len(share) == 1 else f", the {len(share)} largest {share[-1]:.3g}"
    remedy = Remedy(
        "raise the bias of the gate that keeps (gate_memory says to what)"
        if m.gated
        else "use a cell with a path of factors near one (nn.LSTM, cells.LSTM1997)",
        f"the largest path here multiplies the error by {math.exp(rate):.3g} a step",
    )
    return Finding(
        analysis=m.name,
        claim=(
            f"of {paths} over {steps} the largest carries {share[0]:.3g} of the moduli "
            f"of all{alone}; it {m.runs}, at a factor of {math.exp(rate):.3g} a step"
        ),
        evidence=(
            f"{m.path}, row {m.row}, {m.to} to {m.origin}; {m.left_by_cancellation:.3g} of the "
            "moduli is left by cancellation"
        ),
        severity="watch" if fading else "ok",
        remedies=(remedy,) if fading else (),
    )


def written_out(fields: Mapping[str, Any]) -> str:
    if not fields["written_out"]:
        return "too many paths to write out: the largest exactly, the sums by products"
    return f"all {fields['written_out']} paths written out"


def numbers(fields: Mapping[str, Any]) -> tuple[Number, ...]:
    share = fields["share_of_best"]
    first = f"{share[0]:.3g}" if len(share) else "none"
    factor = f"{math.exp(fields['log_factors'].mean()):.3g}" if len(share) else "none"
    return (
        Number("Largest path's share", first, f"of all moduli, {fields['lag']} steps"),
        Number("Its factor a step", factor, "geometric mean"),
        Number("Left by cancellation", f"{fields['left_by_cancellation']:.3g}"),
    )


def charts(name: str, fields: Mapping[str, Any], blocks: Iterable[str]) -> tuple[Chart, ...]:
    lag = "lag (steps back from the last)"
    return (
        Chart(
            title="The largest path and the adjoint",
            x="lags",
            x_label=lag,
            y_label="log10 of the factor",
            unit="ln",
            series=(
                Series("the largest path", "log_largest"),
                Series("the adjoint", "log_adjoint"),
            ),
            caption=(
                f"{name}: the largest product over all paths and both their ends; the norm of the "
                "adjoint (median over rows and loss times), relative to lag 0."
            ),
        ),
        Chart(
            title="Where the paths run",
            x="lags",
            x_label=lag,
            y_label="share of the moduli of all paths",
            unit="share",
            series=tuple(Series(block, f"through_{block}") for block in blocks),
        ),
        Chart(
            title="What the largest paths carry together",
            x="ranks",
            x_label="paths, from the largest",
            y_label="share of the moduli of all paths",
            unit="share",
            series=(Series(name, "share_of_best"),),
        ),
    )
