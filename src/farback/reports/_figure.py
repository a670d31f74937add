"""A picture as a plotly figure: curves labelled where they end, no legend, no frame.

The figure holds the light colours only; the page swaps them for the dark ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from ._labels import LEFT, Plane, safe, words
from ._palette import band, colour, curve_role, dash, marker
from ._picture import Curve, Picture
from ._window import Window

FONT = '"Avenir Next", "Segoe UI", "Helvetica Neue", Helvetica, Arial, sans-serif'
TOP, BOTTOM = 34, 46
MOST_DIRECT_LABELS = 7
FEW = 33
"""Up to so many points each is marked."""


def figure(drawn: Picture, seen: Window, *, height: int = 320) -> dict[str, Any]:
    """The figure as JSON's own types, the same for the same picture."""
    direct = len(drawn.curves) <= MOST_DIRECT_LABELS
    plane = Plane(drawn, seen, height - TOP - BOTTOM, named=direct)
    chart = go.Figure(
        data=[
            *(trace for i, curve in enumerate(drawn.curves) for trace in _band(curve, i, seen)),
            *(
                _trace(curve, i, seen, legend=not direct, joined=drawn.joined)
                for i, curve in enumerate(drawn.curves)
            ),
            *(
                _hollow(curve, i)
                for i, curve in enumerate(drawn.curves)
                if curve.published is not None
            ),
            _cursor(),
        ],
        layout=go.Layout(
            height=height,
            margin={"l": LEFT, "r": plane.margin, "t": TOP, "b": BOTTOM},
            font={"family": FONT, "size": 13, "color": colour("muted")},
            paper_bgcolor=colour("paper"),
            plot_bgcolor=colour("paper"),
            hovermode="x",
            dragmode=False,
            showlegend=not direct,
            legend={"font": {"color": colour("ink")}, "traceorder": "normal"},
            xaxis=_axis(drawn.x_label, seen.x, rule=True) | _order(drawn),
            yaxis=_axis("", seen.y, rule=False),
            shapes=[_shape(line.axis, line.at) for line in seen.inside],
            annotations=words(plane, drawn.y_label),
        ),
    )
    plain = chart.to_plotly_json()
    plain["layout"].pop("template", None)
    return {"data": plain["data"], "layout": plain["layout"]}


def _listed(values: np.ndarray) -> list[Any]:
    """Six digits are more than a screen shows; what is not finite is a gap."""
    if values.dtype.kind not in "iuf":
        return [str(value) for value in values.tolist()]
    return [float(f"{value:.6g}") if np.isfinite(value) else None for value in values.tolist()]


def _trace(curve: Curve, place: int, seen: Window, *, legend: bool, joined: bool) -> go.Scatter:
    shade = colour(curve_role(place))
    finite = np.isfinite(curve.y)
    beside = np.concatenate([[False], finite[:-1]]) | np.concatenate([finite[1:], [False]])
    alone = bool((finite & ~beside).any())
    marked = "lines+markers" if alone or curve.y.size <= FEW else "lines"
    return go.Scatter(
        x=_listed(curve.x),
        y=_listed(curve.y),
        name=safe(curve.label),
        mode=marked if joined else "markers",
        line={"color": shade, "width": 2.2, "dash": dash(place)},
        marker={"color": shade, "size": 5.5, "symbol": marker(place)},
        error_y=_bars(curve, shade) if seen.x is None else None,
        connectgaps=False,
        hoverinfo="none",
        showlegend=legend,
    )


def _band(curve: Curve, place: int, seen: Window) -> list[go.Scatter]:
    """One closed outline for each stretch without a gap; a low of true zero runs to the floor.

    Places without a scale have bars instead: between them there is nothing to fill.
    """
    if curve.low is None or curve.high is None or seen.x is None:
        return []
    low = np.where(np.isneginf(curve.low), seen.y[0], curve.low)
    whole = np.isfinite(low) & np.isfinite(curve.high)
    stretches = np.split(np.arange(whole.size), np.flatnonzero(np.diff(whole.astype(int))) + 1)
    x: list[Any] = []
    y: list[Any] = []
    for stretch in stretches:
        if stretch.size < 2 or not whole[stretch[0]]:
            continue
        x += [*_listed(curve.x[stretch]), *_listed(curve.x[stretch][::-1]), None]
        y += [*_listed(low[stretch]), *_listed(curve.high[stretch][::-1]), None]
    if not x:
        return []
    outline = go.Scatter(
        x=x[:-1],
        y=y[:-1],
        fill="toself",
        fillcolor=band(curve_role(place)),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )
    return [outline]


def _bars(curve: Curve, shade: str) -> dict[str, Any] | None:
    if curve.low is None or curve.high is None:
        return None
    return {
        "type": "data",
        "array": _listed(curve.high - curve.y),
        "arrayminus": _listed(curve.y - curve.low),
        "color": shade,
        "thickness": 1,
        "width": 0,
    }


def _hollow(curve: Curve, place: int) -> go.Scatter:
    """What is published, in the colour and the mark of the curve that it stands beside."""
    assert curve.published is not None
    return go.Scatter(
        x=_listed(curve.x),
        y=_listed(curve.published),
        name=f"{safe(curve.label)}, published",
        mode="markers",
        marker={
            "color": colour(curve_role(place)),
            "size": 9,
            "symbol": f"{marker(place)}-open",
            "line": {"width": 1.6},
        },
        hoverinfo="none",
        showlegend=False,
    )


def _cursor() -> go.Scatter:
    """The hairline and the points that the arrow keys move; empty until then."""
    return go.Scatter(
        x=[],
        y=[],
        name="cursor",
        mode="lines+markers",
        line={"color": colour("muted"), "width": 1},
        marker={"color": colour("ink"), "size": 8, "opacity": 1},
        hoverinfo="skip",
        showlegend=False,
    )


def _axis(title: str, span: tuple[float, float] | None, *, rule: bool) -> dict[str, Any]:
    return {
        "title": {"text": safe(title), "standoff": 8, "font": {"size": 13}},
        "range": list(span) if span else None,
        "type": "linear" if span else "category",
        "fixedrange": True,
        "showgrid": not rule,
        "gridcolor": colour("grid"),
        "zeroline": False,
        "showline": rule,
        "linecolor": colour("muted"),
        "ticks": "outside" if rule else "",
        "ticklen": 5,
        "tickcolor": colour("muted"),
        "nticks": 9 if rule else 6,
    }


def _order(drawn: Picture) -> dict[str, Any]:
    """Every category named and where the picture has it; the words beside widen no axis."""
    places = drawn.categories
    if not places:
        return {}
    ends = [-0.5, len(places) - 0.5]
    return {"categoryorder": "array", "categoryarray": list(places), "dtick": 1, "range": ends}


def _shape(axis: str, at: float) -> dict[str, Any]:
    line = {"color": colour("muted"), "width": 1.2, "dash": "4px 3px"}
    if axis == "x":
        return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line}
    return {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": at, "y1": at, "line": line}
