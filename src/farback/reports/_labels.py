"""Where the words of a figure stand: beside what they name, off the curves and off one another.

Places are counted in pixels from the lower left corner of the plot, at the size that a chart has on
a wide screen; a narrower one only brings the words nearer to one another. Text goes in with its `<`
escaped, because plotly reads a little markup.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..flow import Line
from ._palette import colour, curve_role
from ._picture import Curve, Picture
from ._window import Window, with_place

LEFT = 46
"""The margin for the numbers of the y axis."""

_USUAL_WIDTH = 700 - LEFT
_LETTER, _LINE = 7.2, 17.0
"""The room that a letter and a line take."""
_WIDEST_MARGIN = 220


class Box(NamedTuple):
    """The room of one text."""

    left: float
    low: float
    right: float
    high: float

    def meets(self, other: Box) -> bool:
        """Whether two texts would overlap."""
        across = self.left < other.right and other.left < self.right
        return across and self.low < other.high and other.low < self.high


@dataclass(frozen=True)
class Plane:
    """The plot in pixels: what a window shows, with room for the curves' names on the right."""

    drawn: Picture
    seen: Window
    height: float
    named: bool

    @property
    def margin(self) -> int:
        """What the names need to the right of the plot."""
        needed = [16.0]
        for curve, last in _ends(self.drawn) if self.named else ():
            share, room = self._share(curve, last), _LETTER * len(curve.label) + 22
            if share > 0:
                needed.append(_USUAL_WIDTH - (_USUAL_WIDTH - room) / share)
        return int(min(max(needed), _WIDEST_MARGIN))

    @property
    def width(self) -> float:
        """Of the plot itself."""
        return float(_USUAL_WIDTH - self.margin)

    def x(self, at: Any) -> Any:
        """Pixels from the left; categories stand one apart."""
        start, end = self.seen.x or (0.0, 1.0)
        return (at - start) / (end - start) * self.width

    def y(self, at: Any) -> Any:
        """Pixels from below."""
        return (at - self.seen.y[0]) / (self.seen.y[1] - self.seen.y[0]) * self.height

    def _share(self, curve: Curve, last: int) -> float:
        if self.seen.x is None:
            return (_along(self, curve, last) + 0.5) / len(self.drawn.categories)
        return float((curve.x[last] - self.seen.x[0]) / (self.seen.x[1] - self.seen.x[0]))


def words(plane: Plane, y_label: str) -> list[dict[str, Any]]:
    """All annotations of a figure, in plotly's terms."""
    names, taken = _names(plane) if plane.named else ([], [])
    edges, edge_boxes = _edges(plane)
    return [
        _y_title(y_label),
        *names,
        *_line_labels(plane, [*taken, *edge_boxes]),
        *edges,
        *_emptiness(plane.drawn),
    ]


def safe(text: str) -> str:
    """Text that plotly shows as it stands."""
    return html.escape(text, quote=False)


def _note(text: str, **where: Any) -> dict[str, Any]:
    place = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"} | where
    return {"text": safe(text), "showarrow": False, "font": {"color": colour("muted")}} | place


def _y_title(label: str) -> dict[str, Any]:
    """Along the top, where it is read without turning the head."""
    note = _note(label, x=0, y=1, xshift=-LEFT - 2, yshift=12)
    return note | {"text": note["text"].replace("log10", "log<sub>10</sub>")}


def _ends(drawn: Picture) -> list[tuple[Curve, int]]:
    """Each curve that has a finite point, with the place of the last one."""
    finite = [(curve, np.flatnonzero(np.isfinite(curve.y))) for curve in drawn.curves]
    return [(curve, int(places[-1])) for curve, places in finite if places.size]


def _names(plane: Plane) -> tuple[list[dict[str, Any]], list[Box]]:
    """Each curve's name where it ends, spread so that no two overlap."""
    places = {id(curve): place for place, curve in enumerate(plane.drawn.curves)}
    ends = sorted(_ends(plane.drawn), key=lambda end: -end[0].y[end[1]])
    true = [float(plane.y(curve.y[last])) for curve, last in ends]
    notes, boxes = [], []
    for (curve, last), height, moved in zip(ends, true, _spread(true), strict=True):
        notes.append(
            _note(
                curve.label,
                x=_along(plane, curve, last),
                xref="x",
                y=float(f"{curve.y[last]:.6g}"),
                yref="y",
                xshift=9,
                yshift=round(moved - height, 1),
                yanchor="middle",
                font={"color": colour(curve_role(places[id(curve)])), "size": 13},
            )
        )
        if plane.seen.x is not None:
            left = float(plane.x(curve.x[last])) + 9
            right = left + _LETTER * len(curve.label)
            boxes.append(Box(left, moved - _LINE / 2, right, moved + _LINE / 2))
    return notes, boxes


def _along(plane: Plane, curve: Curve, place: int) -> Any:
    """A place on the x axis; of a category its number, since one like "50" would be read as one."""
    at = curve.x[place].item()
    return at if plane.seen.x is not None else plane.drawn.categories.index(str(at))


def _spread(heights: Sequence[float]) -> list[float]:
    """Falling heights with room for a line of text between any two, and none below the axis."""
    down: list[float] = []
    for height in heights:
        down.append(min(height, down[-1] - _LINE) if down else height)
    up: list[float] = []
    for height in reversed(down):
        up.append(max(height, up[-1] + _LINE if up else 2.0))
    return up[::-1]


def _line_labels(plane: Plane, taken: list[Box]) -> list[dict[str, Any]]:
    """Each straight line's label on the side of it where it meets the least."""
    notes, taken = [], list(taken)
    for line in plane.seen.inside:
        options = list(_across(plane, line) if line.axis == "y" else _upright(plane, line))
        box, where = min(options, key=lambda option: _clashes(plane, option[0], taken))
        taken.append(box)
        notes.append(_note(line.label, bgcolor=colour("paper"), **where))
    return notes


def _across(plane: Plane, line: Line) -> list[tuple[Box, dict[str, Any]]]:
    """On or under a horizontal line, at its left or right end."""
    long, y = _LETTER * len(line.label), float(plane.y(line.at))
    starts = {"left": 6.0, "right": plane.width - 6 - long}
    return [
        (
            Box(start, y if above else y - _LINE, start + long, y + _LINE if above else y),
            {
                "x": 0 if side == "left" else 1,
                "xanchor": side,
                "xshift": 6 if side == "left" else -6,
                "y": line.at,
                "yref": "y",
                "yanchor": "bottom" if above else "top",
                "yshift": 2 if above else -2,
            },
        )
        for above in (True, False)
        for side, start in starts.items()
    ]


def _upright(plane: Plane, line: Line) -> list[tuple[Box, dict[str, Any]]]:
    """Right or left of a vertical line, at its top, a line lower, or at its foot."""
    long, x = _LETTER * len(line.label), float(plane.x(line.at))
    tops = (plane.height, plane.height - _LINE, _LINE + 4)
    return [
        (
            Box(start, top - _LINE, start + long, top),
            {
                "x": line.at,
                "xref": "x",
                "xanchor": anchor,
                "xshift": 5 if anchor == "left" else -5,
                "y": 1 if top > plane.height / 2 else 0,
                "yshift": round(top - plane.height if top > plane.height / 2 else top, 1),
                "yanchor": "top",
            },
        )
        for top in tops
        for anchor, start in (("left", x + 5), ("right", x - 5 - long))
    ]


def _clashes(plane: Plane, box: Box, taken: Sequence[Box]) -> int:
    """How much a text would meet: other texts, the frame, the curves, the other lines."""
    outside = box.left < 0 or box.right > plane.width or box.low < -1
    crossed = sum(
        box.left < plane.x(line.at) < box.right
        if line.axis == "x"
        else box.low + 1 < plane.y(line.at) < box.high - 1
        for line in plane.seen.inside
    )
    return (
        8 * outside
        + 4 * sum(box.meets(other) for other in taken)
        + 2 * sum(_crosses(plane, curve, box) for curve in plane.drawn.curves)
        + crossed
    )


def _crosses(plane: Plane, curve: Curve, box: Box) -> bool:
    finite = np.isfinite(curve.y)
    if plane.seen.x is None or not finite.any():
        return False
    x, y = plane.x(curve.x[finite]), plane.y(curve.y[finite])
    heights = np.interp(np.linspace(box.left, box.right, 24), x, y, left=np.nan, right=np.nan)
    return bool(((heights > box.low - 2) & (heights < box.high + 2)).any())


def _edges(plane: Plane) -> tuple[list[dict[str, Any]], list[Box]]:
    """The lines that lie beyond the picture, named at the edge they lie behind."""
    places = {
        "below": ("↓", {"x": 0, "y": 0, "xshift": 6, "yshift": 3}, 3.0),
        "above": ("↑", {"x": 0, "y": 1, "xshift": 6, "yanchor": "top"}, plane.height - _LINE),
        "before": ("←", {"x": 0, "y": 0.5, "xshift": 6}, plane.height / 2),
        "after": (
            "→",
            {"x": 1, "y": 1, "xanchor": "right", "yanchor": "top"},
            plane.height - _LINE,
        ),
    }
    notes, boxes = [], []
    for side, (arrow, place, low) in places.items():
        several = [with_place(line) for where, line in plane.seen.beyond if where == side]
        if several:
            text = f"{arrow} {' · '.join(several)}"
            left = plane.width - _LETTER * len(text) if side == "after" else 6.0
            notes.append(_note(text, bgcolor=colour("paper"), **place))
            boxes.append(Box(left, low, left + _LETTER * len(text), low + _LINE))
    return notes, boxes


def _emptiness(drawn: Picture) -> list[dict[str, Any]]:
    """What an empty plot says in its middle."""
    if not drawn.empty:
        return []
    zero = drawn.unit == "ln" and any(np.isneginf(curve.y).any() for curve in drawn.curves)
    text = "every value is a true zero" if zero else "no values"
    return [_note(text, x=0.5, y=0.5, xanchor="center")]
