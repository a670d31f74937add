"""Pictures of many trials over the sequences presented: how they learn, and when they are solved.

A trial that has ended keeps its last value, as it was when it was solved or its budget was spent;
one that diverged has no number from there on and counts as larger than any. Where that holds for
half of the trials, the median is a gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ..results import Run
from ._picture import Curve, Picture

PRESENTED = "sequences presented"
MOST_MARKS = 120
"""Places on the x axis that a median is taken at."""

_MEANINGS = {
    "loss": ("Loss of a sequence, while learning", "loss"),
    "wrong": ("Share of sequences answered wrongly, while learning", "share wrong"),
}
_WIDE = 30.0
"""Positive values that span more than this factor are drawn in a log."""
TINY = np.finfo(np.float64).tiny


def learning(runs: Sequence[Run]) -> list[Picture]:
    """One picture for each column of the runs' curves: the median over trials, and quartiles."""
    columns = dict.fromkeys(name for run in runs for name in run.curve if name != "sequences")
    return [_learning(runs, name) for name in columns]


def solving(groups: Mapping[str, Sequence[Run]]) -> Picture:
    """The share of each group's trials that are solved by a number of sequences."""
    return Picture(
        title="Share of trials solved",
        x_label=PRESENTED,
        y_label="share of trials solved",
        unit="share",
        curves=tuple(_solving(label, runs) for label, runs in groups.items()),
        caption="Trials that diverged or were not solved within their budget stay in the count.",
    )


def _learning(runs: Sequence[Run], name: str) -> Picture:
    title, y_label = _MEANINGS.get(name, (name, name))
    told = [run for run in runs if run.curve.get(name)]
    marks = np.unique(np.concatenate([run.curve["sequences"] for run in told]))
    if marks.size > MOST_MARKS:
        marks = marks[np.linspace(0, marks.size - 1, MOST_MARKS).round().astype(int)]
    values = np.stack([_kept(run, name, marks) for run in told])
    # Without interpolation, which would take a difference between infinities.
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75), axis=0, method="inverted_cdf")
    in_log = name != "wrong" and spans_decades(middle)
    if in_log:
        low, middle, high = (np.log10(np.maximum(it, TINY)) for it in (low, middle, high))
    several = len(told) > 1
    return Picture(
        title=title,
        x_label=PRESENTED,
        y_label=f"log10 {y_label}" if in_log else y_label,
        unit="ln" if in_log else "share" if name == "wrong" else "",
        curves=(Curve("median", marks, middle, *((low, high) if several else (None, None))),),
        caption=_caption(len(told), several),
    )


def spans_decades(values: np.ndarray) -> bool:
    """Whether positive values ask for a log."""
    finite = values[np.isfinite(values)]
    return bool(finite.size and finite.min() > 0 and finite.max() > _WIDE * finite.min())


def _caption(count: int, several: bool) -> str:
    if not several:
        return "One trial."
    return (
        f"Median and quartiles (band) over {count} trials. One that has ended keeps its last "
        "value; one that diverged has none, and counts as larger than any."
    )


def _kept(run: Run, name: str, marks: np.ndarray) -> np.ndarray:
    """The run's last value at or before each mark; not finite is infinite, NaN before the first."""
    seen, values = np.array(run.curve["sequences"]), np.array(run.curve[name], dtype=float)
    values = np.where(np.isfinite(values), values, np.inf)
    at = np.searchsorted(seen, marks, side="right") - 1
    kept = np.where(at < 0, np.nan, values[np.maximum(at, 0)])
    if run.outcome == "diverged":
        kept[marks >= run.sequences] = np.inf
    return kept


def _solving(label: str, runs: Sequence[Run]) -> Curve:
    """A step up at each solved trial, to the end of the longest budget."""
    times = np.sort([run.sequences for run in runs if run.outcome == "solved"])
    end = max(run.trial.sequences for run in runs)
    shares = np.arange(times.size + 1) / len(runs)
    x = np.concatenate([[0], np.repeat(times, 2), [end]]).astype(float)
    return Curve(label, x, np.repeat(shares, 2))
