"""A chart with its numbers in the unit in which it is drawn: what a figure and its table share.

    unit      drawn as
    ----      --------
    ln        log10 (the natural log divided by ln 10)
    share     itself, from 0 to 1
    others    themselves

A point at -inf or NaN is a gap; in a log the first is a true zero, and the picture's notes say so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..flow import Chart, Line, Measurement, Profile, Series

LN10 = math.log(10.0)
MOST_POINTS = 900
"""A longer curve is thinned: the first lags stay whole, the rest is evenly spaced."""


@dataclass(frozen=True)
class Curve:
    """One labelled curve, with its band where it has one."""

    label: str
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    published: np.ndarray | None = None
    """What a source has at these places; NaN where it has nothing."""

    thinned: bool = False

    @property
    def parts(self) -> tuple[np.ndarray, ...]:
        """The curve, the edges of its band and what is published."""
        parts = (self.y, self.low, self.high, self.published)
        return tuple(part for part in parts if part is not None)


@dataclass(frozen=True)
class Picture:
    """Curves over a common axis, straight lines across them, and what a reader must know."""

    title: str
    x_label: str
    y_label: str
    unit: str
    curves: tuple[Curve, ...]
    lines: tuple[Line, ...] = ()
    caption: str = ""
    notes: tuple[str, ...] = ()
    joined: bool = True

    @property
    def categories(self) -> tuple[str, ...]:
        """The places of an x axis without a scale, from left to right; empty where it has one."""
        if all(curve.x.dtype.kind in "iuf" for curve in self.curves):
            return ()
        return tuple(dict.fromkeys(str(at) for curve in self.curves for at in curve.x.tolist()))

    @property
    def empty(self) -> bool:
        """Whether no curve has a single finite point."""
        return not any(np.isfinite(curve.y).any() for curve in self.curves)


def picture(measurement: Measurement, chart: Chart) -> Picture:
    """The chart of a measurement; a curve whose field is missing is named in the notes."""
    found = [(series, _curve(measurement, chart, series)) for series in chart.series]
    absent = [series.label for series, curve in found if curve is None]
    notes = (f"Not measured: {', '.join(absent)}.",) if absent else ()
    return _noted(
        Picture(
            title=chart.title,
            x_label=chart.x_label,
            y_label=_y_label(chart),
            unit=chart.unit,
            curves=tuple(curve for _, curve in found if curve is not None),
            lines=tuple(_drawn_line(line, chart) for line in chart.lines),
            caption=chart.caption,
            notes=notes,
            joined=chart.joined,
        )
    )


def leading(profile: Profile) -> Picture | None:
    """The first chart of the measurement that carries the verdict, where there is one."""
    measurement = profile.measurements.get(profile.lead)
    if measurement is None or not measurement.charts:
        return None
    return picture(measurement, measurement.charts[0])


def overlay(profiles: Sequence[Profile], names: Sequence[str]) -> Picture | None:
    """The first curve of each profile's leading chart in one picture.

    Only curves in the first one's unit can share its axis; the others are named in the notes.
    """
    pictures = [(name, leading(profile)) for name, profile in zip(names, profiles, strict=True)]
    usable = [(name, one) for name, one in pictures if one is not None and one.curves]
    if not usable:
        return None
    first = usable[0][1]
    together = [(name, one) for name, one in usable if one.unit == first.unit]
    shown = {name for name, _ in together}
    apart = [name for name in names if name not in shown]
    told = f"Not in this picture, for want of a curve in its unit: {', '.join(apart)}."
    return _noted(
        replace(
            first,
            curves=tuple(replace(one.curves[0], label=name) for name, one in together),
            lines=_merged([(name, one.lines) for name, one in together]),
            notes=(told,) if apart else (),
        )
    )


def table(pictured: Picture) -> tuple[list[str], list[list[str]]]:
    """The data behind a picture: a header, and one row for each place on the x axis."""
    header = [pictured.x_label]
    columns: list[tuple[np.ndarray, np.ndarray]] = []
    for curve in pictured.curves:
        for part, suffix in (
            (curve.y, ""),
            (curve.low, ", low"),
            (curve.high, ", high"),
            (curve.published, ", published"),
        ):
            if part is not None:
                header.append(curve.label + suffix)
                # A source is silent where it has no number; it is not that nothing was measured.
                told = np.isfinite(part) if part is curve.published else slice(None)
                columns.append((curve.x[told], part[told]))
    rows: dict[Any, list[str]] = {}
    for place, (x, values) in enumerate(columns):
        for at, value in zip(x.tolist(), values.tolist(), strict=True):
            row = rows.setdefault(at, [""] * len(columns))
            row[place] = _cell(value, pictured.unit)
    order = list(rows)
    if all(isinstance(at, int | float) for at in order):
        order.sort()
    return header, [[as_text(at), *rows[at]] for at in order]


def as_text(value: Any) -> str:
    """A value as a table shows it: whole numbers whole, others to six digits."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    return str(value)


def _cell(value: float, unit: str) -> str:
    if math.isfinite(value):
        return f"{value:.6g}"
    if value == math.inf:
        return "not finite"
    return "zero" if unit == "ln" and value < 0 else "not measured"


def _y_label(chart: Chart) -> str:
    if chart.unit != "ln" or "log10" in chart.y_label:
        return chart.y_label
    return f"log10 {chart.y_label.removeprefix('ln ')}".strip()


def _drawn(value: Any, chart: Chart) -> Any:
    return value / LN10 if chart.unit == "ln" else value


def _drawn_line(line: Line, chart: Chart) -> Line:
    at = _drawn(line.at, chart) if line.axis == "y" else line.at
    return Line(axis=line.axis, at=float(at), label=line.label)


def _curve(measurement: Measurement, chart: Chart, series: Series) -> Curve | None:
    source = measurement.blocks.get(series.block) if series.block else measurement
    if source is None or source.fields.get(series.y) is None:
        return None
    y, low, high = (_values(source, name) for name in (series.y, series.low, series.high))
    assert y is not None
    x = source.fields.get(chart.x, measurement.fields.get(chart.x))
    x = np.arange(y.size) if x is None else np.atleast_1d(np.asarray(x))
    size = min(part.size for part in (x, y, low, high) if part is not None)
    keep = _kept([part[:size] for part in (y, low, high) if part is not None], size)
    cut = [None if p is None else _drawn(p[keep], chart) for p in (y, low, high)]
    assert cut[0] is not None
    return Curve(series.label, x[keep], cut[0], cut[1], cut[2], thinned=keep.size < size)


def _values(source: Measurement, name: str | None) -> np.ndarray | None:
    value = source.fields.get(name) if name else None
    if value is None:
        return None
    entries = np.atleast_1d(np.asarray(value, dtype=object)).ravel()
    return np.array([np.nan if entry is None else entry for entry in entries], dtype=float)


def _kept(parts: Sequence[np.ndarray], size: int) -> np.ndarray:
    """The places to draw: all, or the first ones, an even spread, and both sides of every gap."""
    if size <= MOST_POINTS:
        return np.arange(size)
    gaps = [np.flatnonzero(np.diff(np.isfinite(part).astype(int))) for part in parts]
    edges = np.unique(np.concatenate(gaps))[:50]
    spread = np.linspace(0, size - 1, MOST_POINTS - 200).round().astype(int)
    return np.unique(np.concatenate([np.arange(100), spread, edges, edges + 1]))


def _noted(drawn: Picture) -> Picture:
    notes = list(drawn.notes)
    if drawn.unit == "ln" and any(np.isneginf(curve.y).any() for curve in drawn.curves):
        notes.append("A gap is a true zero: there the value is exactly 0.")
    if any(np.isnan(curve.y).any() for curve in drawn.curves):
        notes.append("Where a curve stops short, nothing was measured.")
    if any(curve.low is not None for curve in drawn.curves) and "band" not in drawn.caption:
        notes.append("The band runs from low to high.")
    if any(curve.thinned for curve in drawn.curves):
        notes.append(
            "A long curve: the picture and its table hold the first lags and an even spread of the "
            "rest; the saved profile holds all."
        )
    return replace(drawn, notes=tuple(notes))


def _merged(lines: Sequence[tuple[str, Sequence[Line]]]) -> tuple[Line, ...]:
    """Each line once; one label at two places gets the name of its profile."""
    places: dict[tuple[str, str], set[float]] = {}
    for _, several in lines:
        for line in several:
            places.setdefault((line.axis, line.label), set()).add(line.at)
    merged = [
        line
        if len(places[line.axis, line.label]) == 1
        else Line(axis=line.axis, at=line.at, label=f"{line.label} ({name})")
        for name, several in lines
        for line in several
    ]
    return tuple(dict.fromkeys(merged))
