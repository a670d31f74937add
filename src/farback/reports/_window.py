"""The part of the plane that a picture shows.

The data fill it. A straight line joins where it leaves the data half of the height or a third of
the width; one that lies further off is named at the edge, so that it never squashes the curves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..flow import Line
from ._picture import Picture, as_text

LEAST_DECADES = 1.0
"""A log axis spans at least this, so that a flat curve looks flat."""


@dataclass(frozen=True)
class Window:
    """Ranges of both axes, the lines inside, and those beyond (side, line)."""

    x: tuple[float, float] | None
    y: tuple[float, float]
    inside: tuple[Line, ...]
    beyond: tuple[tuple[str, Line], ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What the caption says of the lines that the picture does not show."""
        if not self.beyond:
            return ()
        told = ", ".join(with_place(line) for _, line in self.beyond)
        return (f"Beyond the edge of the picture: {told}.",)


def window(drawn: Picture) -> Window:
    """The window of a picture, from its data and its lines."""
    across = [line for line in drawn.lines if line.axis == "y" and np.isfinite(line.at)]
    upright = [line for line in drawn.lines if line.axis == "x" and np.isfinite(line.at)]
    inside: list[Line] = []
    beyond: list[tuple[str, Line]] = []

    low, high = _extent([part for curve in drawn.curves for part in curve.parts], (-1.0, 0.0))
    if drawn.unit == "share":
        low, high = min(low, 0.0), max(high, 1.0)
    if drawn.unit == "ln":
        low = min(low, high - LEAST_DECADES)
    elif low == high:
        low, high = low - 0.5, high + 0.5
    span = high - low
    bottom, top = low, high
    for line in across:
        if low - span <= line.at <= high + span:
            inside.append(line)
            bottom, top = min(bottom, line.at), max(top, line.at)
        else:
            beyond.append(("below" if line.at < low else "above", line))
    pad = 0.06 * (top - bottom)

    if drawn.categories:
        return Window(None, (bottom - pad, top + pad), tuple(inside), tuple(beyond))
    left, right = _extent([curve.x for curve in drawn.curves], (0.0, 1.0))
    wide = max(right - left, _least_width(drawn))
    start, end = left, left + wide
    for line in upright:
        if left - wide <= line.at <= right + 2 * wide:
            inside.append(line)
            start, end = min(start, line.at), max(end, line.at)
        else:
            beyond.append(("before" if line.at < left else "after", line))
    return Window(
        (start - 0.012 * (end - start), end + 0.012 * (end - start)),
        (bottom - pad, top + pad),
        tuple(inside),
        tuple(beyond),
    )


def _least_width(drawn: Picture) -> float:
    """Steps stand one apart; what is measured in between may lie as near as it likes."""
    places = np.concatenate([np.asarray(curve.x, float) for curve in drawn.curves] or [[0.0]])
    steps = bool((places == np.floor(places)).all())
    return 1.0 if steps or np.ptp(places) == 0 else float(np.ptp(places))


def with_place(line: Line) -> str:
    """A line's label and, where it does not say so itself, where the line stands."""
    place = as_text(round(line.at, 2))
    return line.label if place in line.label else f"{line.label} {place.replace('-', '−')}"


def _extent(parts: list[np.ndarray], fallback: tuple[float, float]) -> tuple[float, float]:
    values = (
        np.concatenate([np.asarray(part, dtype=float) for part in parts]) if parts else np.array([])
    )
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else fallback
