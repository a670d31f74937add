"""A plane of a measurement as it is drawn: a field of colour, lines over it, and marks on top.

A field of classes has one colour for each, any other runs from the paper to the ink of the first
curve. A fine field is thinned for the page; its table is coarser still, and the saved profile holds
all. The figure holds the light colours only, as those of curves do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..flow import Measurement, Plane
from ._figure import FONT
from ._labels import LEFT, safe
from ._palette import band, colour, curve_role, dash, marker
from ._picture import LN10, as_text

MOST, TOLD = 128, 13
"""Places along each axis of the picture, and of its table."""

_WIDTH, _LETTER, _SWATCH = 620, 7.2, 48
"""Of the legend, of a letter, and of the sign before a name."""


@dataclass(frozen=True)
class Ground:
    """A plane with its numbers in the unit in which it is drawn."""

    plane: Plane
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    contours: tuple[tuple[str, np.ndarray], ...]
    marks: tuple[tuple[str, np.ndarray, bool], ...]
    notes: tuple[str, ...]

    def said(self, value: float) -> str:
        """A place's value as a person reads it."""
        if self.plane.unit == "class":
            known = 0 <= value < len(self.plane.classes)
            return self.plane.classes[int(value)] if known else "none of these"
        return f"{value:.4g}" if math.isfinite(value) else "not finite"


def ground(measurement: Measurement, plane: Plane) -> Ground:
    """The plane of a measurement, thinned to what a page can show."""
    x, y, z = (np.asarray(measurement.fields[name], float) for name in (plane.x, plane.y, plane.z))
    across, up = _kept(len(x), MOST), _kept(len(y), MOST)
    thin = np.ix_(up, across)
    scale = LN10 if plane.unit == "ln" else 1.0
    fine = len(across) < len(x) or len(up) < len(y)
    return Ground(
        plane,
        x[across],
        y[up],
        z[thin] / scale,
        tuple(
            (label, np.asarray(measurement.fields[f], float)[thin]) for label, f in plane.contours
        ),
        tuple(
            (mark.label, _points(measurement.fields[mark.points]), mark.joined)
            for mark in plane.marks
            if mark.points in measurement.fields
        ),
        ("A fine field, thinned for this page; the saved profile holds all.",) if fine else (),
    )


def table(drawn: Ground) -> tuple[list[str], list[list[str]]]:
    """A coarse table of the field: x along, y down; and where the marks are."""
    across, up = _kept(len(drawn.x), TOLD), _kept(len(drawn.y), TOLD)[::-1]
    header = [f"{drawn.plane.y_label} \\ {drawn.plane.x_label}"]
    header += [f"{drawn.x[i]:.3g}" for i in across]
    rows = [
        [f"{drawn.y[j]:.3g}", *(drawn.said(value) for value in drawn.z[j, across].tolist())]
        for j in up
    ]
    width = len(header) - 1
    for label, points, joined in drawn.marks:
        shown = points if not joined else points[_kept(len(points), TOLD)]
        places = [f"({as_text(float(f'{a:.4g}'))}, {as_text(float(f'{b:.4g}'))})" for a, b in shown]
        rows.append([label, *(places + [""] * width)[:width]])
    return header, rows


def figure(drawn: Ground, *, height: int) -> dict[str, Any]:
    """The figure as JSON's own types, the same for the same plane."""
    chart = go.Figure(
        data=[
            _field(drawn),
            *(_contour(drawn, label, z, i) for i, (label, z) in enumerate(drawn.contours)),
            *_names(drawn),
            *(_mark(*mark, i) for i, mark in enumerate(drawn.marks)),
        ],
        layout=go.Layout(
            height=height + _room(drawn),
            margin={"l": LEFT + 14, "r": 16, "t": 12, "b": 46 + _room(drawn)},
            font={"family": FONT, "size": 13, "color": colour("muted")},
            paper_bgcolor=colour("paper"),
            plot_bgcolor=colour("paper"),
            hovermode="closest",
            dragmode=False,
            legend=_legend(),
            xaxis=_axis(drawn.plane.x_label, drawn.x),
            yaxis=_axis(drawn.plane.y_label, drawn.y),
        ),
    )
    plain = chart.to_plotly_json()
    plain["layout"].pop("template", None)
    return {"data": plain["data"], "layout": plain["layout"]}


def _room(drawn: Ground) -> int:
    """What the legend takes below the field; its columns are as wide as the longest name."""
    names = [label for label, *_ in (*drawn.contours, *drawn.marks)] + [*drawn.plane.classes]
    if not names:
        return 0
    columns = max(1, _WIDTH // (_LETTER * max(map(len, names)) + _SWATCH))
    return 20 * -(-len(names) // int(columns)) + 8


def _legend() -> dict[str, Any]:
    """Below, where it takes nothing of the width."""
    place = {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}
    unmoved = {"itemclick": False, "itemdoubleclick": False}
    return {"font": {"color": colour("ink")}, **place, **unmoved}


def _field(drawn: Ground) -> go.Heatmap:
    classes = len(drawn.plane.classes)
    of_kinds = drawn.plane.unit == "class"
    finite = drawn.z[np.isfinite(drawn.z)]
    return go.Heatmap(
        x=_listed(drawn.x),
        y=_listed(drawn.y),
        z=[_listed(np.where(row < 0, np.nan, row) if of_kinds else row) for row in drawn.z],
        text=[[drawn.said(value) for value in row] for row in drawn.z.tolist()],
        meta=[drawn.plane.x_label, drawn.plane.y_label],
        colorscale=_steps(classes) if of_kinds else [[0, colour("paper")], [1, colour("curve1")]],
        zmin=-0.5 if of_kinds else float(finite.min()) if len(finite) else 0.0,
        zmax=classes - 0.5 if of_kinds else float(finite.max()) if len(finite) else 1.0,
        showscale=not of_kinds,
        colorbar=None if of_kinds else _bar(drawn.plane),
        zsmooth=False,
        hoverinfo="none",
    )


def _bar(plane: Plane) -> dict[str, Any]:
    in_logs = plane.unit == "ln" and "log10" not in plane.z_label
    label = f"log10 {plane.z_label.removeprefix('ln ')}" if in_logs else plane.z_label
    return {
        "title": {"text": safe(label), "side": "right", "font": {"size": 13}},
        "thickness": 12,
        "outlinewidth": 0,
        "tickcolor": colour("muted"),
    }


def _steps(classes: int) -> list[list[Any]]:
    """One flat colour for each class, the tint of the curve at its place."""
    edges = np.linspace(0, 1, classes + 1)
    tints = [band(curve_role(place)) for place in range(classes)]
    ends = zip(edges[:-1], edges[1:], tints, strict=True)
    return [[float(edge), tint] for low, high, tint in ends for edge in (low, high)]


def _contour(drawn: Ground, label: str, z: np.ndarray, place: int) -> go.Contour:
    return go.Contour(
        x=_listed(drawn.x),
        y=_listed(drawn.y),
        z=[_listed(row) for row in z],
        name=safe(label),
        contours={"start": 0, "end": 0, "size": 1, "coloring": "none"},
        line={"color": colour("ink"), "width": 1.4, "dash": dash(place)},
        showscale=False,
        showlegend=True,
        hoverinfo="skip",
    )


def _names(drawn: Ground) -> list[go.Scatter]:
    """An entry of the legend for each class."""
    return [
        go.Scatter(
            x=[None],
            y=[None],
            name=safe(name),
            mode="markers",
            marker={"symbol": "square", "size": 12, "color": band(curve_role(place))},
            hoverinfo="skip",
        )
        for place, name in enumerate(drawn.plane.classes)
    ]


def _mark(label: str, points: np.ndarray, joined: bool, place: int) -> go.Scatter:
    shade = colour("muted" if joined else "ink")
    return go.Scatter(
        x=_listed(points[:, 0]),
        y=_listed(points[:, 1]),
        name=safe(label),
        mode="lines" if joined else "markers",
        line={"color": shade, "width": 1.2},
        marker={"color": shade, "size": 9, "symbol": marker(place)},
        connectgaps=False,
        hoverinfo="skip",
    )


def _axis(title: str, values: np.ndarray) -> dict[str, Any]:
    return {
        "title": {"text": safe(title), "standoff": 8, "font": {"size": 13}},
        "range": [float(values[0]), float(values[-1])],
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 5,
        "tickcolor": colour("muted"),
        "nticks": 9,
    }


def _points(values: Any) -> np.ndarray:
    return np.asarray(values, float).reshape(-1, 2)


def _kept(size: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(int))


def _listed(values: np.ndarray) -> list[Any]:
    return [float(f"{v:.6g}") if math.isfinite(v) else None for v in values.tolist()]
