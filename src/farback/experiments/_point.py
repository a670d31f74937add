"""Where a row of an experiment stands in its figure.

The rows of one axis make one figure for each measure; those of one line are joined in it. A map
over two choices is a figure with a line for each value of the second.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """One place along one line.

    Args:
        axis: what is counted along the figure, as "T (steps)".
        at: where on it.
        line: what the rows of one line have in common, as the name of a method.
    """

    axis: str
    at: float
    line: str
