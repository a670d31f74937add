"""What every medium draws of results: a sentence, a matrix of numbers, the trials behind each.

    line   = labels of the row, one square a column
    square = a number, its interval, remarks, and the group of trials that it is taken over

A square without trials says so; it is never a zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ..results import Runs
from ._map import Map
from ._picture import Picture

Tone = Literal["", "ok", "watch", "bad"]


@dataclass(frozen=True)
class Whisker:
    """An interval as places from 0 to 1 on a scale."""

    low: float
    at: float
    high: float
    published: float | None = None


@dataclass(frozen=True)
class Square:
    """One entry of the matrix, in words."""

    text: str
    interval: str = ""
    notes: tuple[str, ...] = ()
    whisker: Whisker | None = None
    group: int | None = None
    """The place of its trials among the sheet's groups."""

    published: str = ""
    verdict: str = ""
    """Whether the published number agrees."""

    tone: Tone = ""


MISSING = Square("no trials")


@dataclass(frozen=True)
class Line:
    """One row of the matrix."""

    labels: tuple[str, ...]
    squares: tuple[Square, ...]


@dataclass(frozen=True)
class Group:
    """Trials that differ in their seeds alone."""

    name: str
    """Short, to stand beside a curve."""

    title: str
    facts: dict[str, str]
    runs: Runs


@dataclass(frozen=True)
class Sheet:
    """Results, ready to be drawn.

    Args:
        title: what they are of.
        sentence: what came out.
        heading: names of the labels, then of the columns.
        lines: the matrix.
        meaning: what its numbers are.
        groups: the trials behind it.
        pictures: its numbers along an axis, where they stand along one.
        maps: its numbers over two choices, where they stand in a plane.
        facts: what all trials have in common.
        notes: what the reader of the numbers should know.
        verdict: a judgement in a word, where there is one.
        tone: how it is coloured.
    """

    title: str
    sentence: str
    heading: tuple[str, ...]
    lines: tuple[Line, ...]
    meaning: str
    groups: tuple[Group, ...] = ()
    pictures: tuple[Picture, ...] = ()
    maps: tuple[Map, ...] = ()
    facts: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    verdict: str = ""
    tone: Tone = ""


def whiskers(
    estimates: Sequence[tuple[float | None, float | None, float | None, float | None]],
) -> list[Whisker | None]:
    """Each (low, value, high, published) on one scale from 0, so that they can be compared.

    Shares run from 0 to 1; other numbers to the largest among them.
    """
    numbers = [it for one in estimates for it in one if it is not None]
    if not numbers or min(numbers) < 0:
        return [None] * len(estimates)
    top = max(1.0, *numbers)
    placed: list[Whisker | None] = []
    for low, value, high, published in estimates:
        if low is None or value is None or high is None:
            placed.append(None)
        else:
            there = None if published is None else published / top
            placed.append(Whisker(low / top, value / top, high / top, there))
    return placed
