"""Axes to draw into: the caller's, or new ones of matplotlib's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import InputRefused

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def axes(ax: Axes | None) -> Axes:
    """`ax` itself, or the axes of a new figure; needs the extra `figures`."""
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError:
        raise InputRefused(
            "Drawing needs matplotlib, which is absent; try pip install 'farback[figures]'."
        ) from None
    return pyplot.figure().add_subplot()
