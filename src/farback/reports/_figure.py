"""A picture as a plotly figure: curves labelled where they end, no legend, no frame.

The figure holds the light colours only; the page swaps them for the dark ones. Text goes in with
its `<` escaped, because plotly reads a little markup.
"""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ._palette import band, colour, curve_role, dash, marker
from ._picture import Curve, Picture
from ._window import Window, with_place

FONT = '"Avenir Next", "Segoe UI", "Helvetica Neue", Helvetica, Arial, sans-serif'
TOP, BOTTOM, LEFT = 34, 46, 46
USUAL_WIDTH = 690
"""Of the plot on a wide screen; only used to leave room for labels."""
LETTER, LINE = 7.0, 17.0
"""The room that a letter and a line of a label take."""
MOST_DIRECT_LABELS = 7
FEW = 33
"""Up to so many points each is marked."""


def figure(drawn: Picture, seen: Window, *, height: int = 320) -> dict[str, Any]:
    """The figure as JSON's own types, the same for the same picture."""
    direct = len(drawn.curves) <= MOST_DIRECT_LABELS
    room = height - TOP - BOTTOM
    labels = _labels(drawn, seen, room) if direct else []
    chart = go.Figure(
        data=[
            *(trace for i, curve in enumerate(drawn.curves) for trace in _band(curve, i, seen)),
            *(_trace(curve, i, legend=not direct) for i, curve in enumerate(drawn.curves)),
            _cursor(),
        ],
        layout=go.Layout(
            height=height,
            margin={"l": LEFT, "r": _right(labels, seen), "t": TOP, "b": BOTTOM},
            font={"family": FONT, "size": 13, "color": colour("muted")},
            paper_bgcolor=colour("paper"),
            plot_bgcolor=colour("paper"),
            hovermode="x",
            dragmode=False,
            showlegend=not direct,
            legend={"font": {"color": colour("ink")}, "traceorder": "normal"},
            xaxis=_axis(drawn.x_label, seen.x, rule=True),
            yaxis=_axis("", seen.y, rule=False),
            shapes=[_shape(line.axis, line.at) for line in seen.inside],
            annotations=[
                _y_title(drawn.y_label),
                *_line_labels(seen, room),
                *labels,
                *_edges(drawn, seen),
            ],
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


def _trace(curve: Curve, place: int, *, legend: bool) -> go.Scatter:
    shade = colour(curve_role(place))
    finite = np.isfinite(curve.y)
    beside = np.concatenate([[False], finite[:-1]]) | np.concatenate([finite[1:], [False]])
    alone = bool((finite & ~beside).any())
    return go.Scatter(
        x=_listed(curve.x),
        y=_listed(curve.y),
        name=_safe(curve.label),
        mode="lines+markers" if alone or curve.y.size <= FEW else "lines",
        line={"color": shade, "width": 2.2, "dash": dash(place)},
        marker={"color": shade, "size": 5.5, "symbol": marker(place)},
        connectgaps=False,
        hoverinfo="none",
        showlegend=legend,
    )


def _band(curve: Curve, place: int, seen: Window) -> list[go.Scatter]:
    """One closed outline for each stretch without a gap; a low of true zero runs to the floor."""
    if curve.low is None or curve.high is None or curve.x.dtype.kind not in "iuf":
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
        "title": {"text": _safe(title), "standoff": 8, "font": {"size": 13}},
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


def _note(text: str, **where: Any) -> dict[str, Any]:
    """A text without an arrow, on paper so thin that it stays legible over a curve."""
    place = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"} | where
    return {"text": _safe(text), "showarrow": False, "font": {"color": colour("muted")}} | place


def _y_title(label: str) -> dict[str, Any]:
    """Along the top, where it is read without turning the head."""
    note = _note(label, x=0, y=1, xshift=-LEFT - 2, yshift=12)
    return note | {"text": note["text"].replace("log10", "log<sub>10</sub>")}


def _right(labels: list[dict[str, Any]], seen: Window) -> int:
    """The margin that the labels need to the right of the last place on the axis."""
    if seen.x is None:
        return 24
    start, end = seen.x
    ends = [
        (note["x"] - start) / (end - start) * USUAL_WIDTH + LETTER * len(note["text"]) + 12
        for note in labels
    ]
    return int(min(max([16.0, *(at - USUAL_WIDTH for at in ends)]), 220))


def _shape(axis: str, at: float) -> dict[str, Any]:
    line = {"color": colour("muted"), "width": 1.2, "dash": "4px 3px"}
    if axis == "x":
        return {"type": "line", "x0": at, "x1": at, "y0": 0, "y1": 1, "yref": "paper", "line": line}
    return {"type": "line", "x0": 0, "x1": 1, "xref": "paper", "y0": at, "y1": at, "line": line}


def _line_labels(seen: Window, room: int) -> list[dict[str, Any]]:
    notes = []
    across = sorted((line for line in seen.inside if line.axis == "y"), key=lambda line: -line.at)
    scale = room / (seen.y[1] - seen.y[0])
    for place, line in enumerate(across):
        crowded = place > 0 and (across[place - 1].at - line.at) * scale < LINE
        high = (seen.y[1] - line.at) * scale < 2 * LINE  # where the labels of upright lines stand
        notes.append(
            _note(
                line.label,
                x=1 if high else 0,
                xanchor="right" if high else "left",
                y=line.at,
                yref="y",
                xshift=-6 if high else 6,
                yanchor="top" if crowded or high else "bottom",
            )
        )
    for line in (line for line in seen.inside if line.axis == "x"):
        late = seen.x is not None and line.at > seen.x[0] + 0.66 * (seen.x[1] - seen.x[0])
        side = {"xanchor": "right", "xshift": -5} if late else {"xanchor": "left", "xshift": 5}
        notes.append(_note(line.label, x=line.at, xref="x", y=1, yanchor="top", **side))
    return notes


def _labels(drawn: Picture, seen: Window, room: int) -> list[dict[str, Any]]:
    """Each curve's name where it ends, spread so that no two overlap."""
    ends = []
    for place, curve in enumerate(drawn.curves):
        finite = np.flatnonzero(np.isfinite(curve.y))
        if finite.size:
            ends.append((float(curve.y[finite[-1]]), place, curve, finite[-1]))
    ends.sort(key=lambda end: -end[0])
    scale = room / (seen.y[1] - seen.y[0])
    heights = _spread([(end[0] - seen.y[0]) * scale for end in ends])
    notes = []
    for (y, place, curve, last), height in zip(ends, heights, strict=True):
        x = curve.x[last]
        notes.append(
            _note(
                curve.label,
                x=x.item(),
                xref="x",
                y=y,
                yref="y",
                xshift=9,
                yshift=round(height - (y - seen.y[0]) * scale, 1),
                yanchor="middle",
                font={"color": colour(curve_role(place)), "size": 13},
            )
        )
    return notes


def _spread(heights: list[float]) -> list[float]:
    """Falling heights with room for a line of text between any two, and none below the axis."""
    down: list[float] = []
    for height in heights:
        down.append(min(height, down[-1] - LINE) if down else height)
    up: list[float] = []
    for height in reversed(down):
        up.append(max(height, up[-1] + LINE if up else 2.0))
    return up[::-1]


def _edges(drawn: Picture, seen: Window) -> list[dict[str, Any]]:
    """The lines that lie beyond the picture, named at the edge they lie behind."""
    arrows = {"below": "↓", "above": "↑", "before": "←", "after": "→"}
    places = {
        "below": {"x": 0, "y": 0, "xshift": 6, "yshift": 3},
        "above": {"x": 0, "y": 1, "xshift": 6, "yshift": -3, "yanchor": "top"},
        "before": {"x": 0, "y": 0.5, "xshift": 6},
        "after": {"x": 1, "y": 1, "xanchor": "right", "yanchor": "top"},
    }
    notes = []
    for side, place in places.items():
        several = [with_place(line) for where, line in seen.beyond if where == side]
        if several:
            notes.append(_note(f"{arrows[side]} {' · '.join(several)}", **place))
    if drawn.empty:
        zero = drawn.unit == "ln" and any(np.isneginf(curve.y).any() for curve in drawn.curves)
        text = "every value is a true zero" if zero else "no values"
        notes.append(_note(text, x=0.5, y=0.5, xanchor="center"))
    return notes


def _safe(text: str) -> str:
    return html.escape(text, quote=False)
