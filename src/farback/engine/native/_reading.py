"""Which elements of an array the statements of a function may read."""

from __future__ import annotations

import re
from collections.abc import Sequence

_HEAD = re.compile(r"for \(int (\w+) = [^;]*; \1 < ([^;]*); ")
_TERM = re.compile(r"(?:(-?\d+) \* )?([a-z]\w*)|(\d+)")


def may_read(lines: Sequence[str], array: str, first: int, last: int, *, behind: int = -1) -> bool:
    """Whether a line behind the one at `behind` may read an element from `first` up to `last`."""
    sizes: dict[str, int] = {}
    mention = re.compile(rf"\b{array}\b(?:\[([^\]]*)\])?")
    for place, line in enumerate(lines):
        for index, size in _HEAD.findall(line):
            sizes.pop(index, None)
            if size.isdigit():
                sizes[index] = int(size)
        for found in mention.finditer(line if place > behind else ""):
            low, high = _reach(found[1], sizes)
            if low < last and high >= first:
                return True
    return False


def _reach(index: str | None, sizes: dict[str, int]) -> tuple[float, float]:
    """The least and the largest place that an index stands for; any, where that is not seen."""
    low = high = 0
    for text in ["?"] if index is None else index.split(" + "):
        term = _TERM.fullmatch(text)
        if term is None or (term[2] and term[2] not in sizes):
            return float("-inf"), float("inf")
        far = int(term[1] or 1) * (sizes[term[2]] - 1) if term[2] else int(term[3])
        low += min(far, 0) if term[2] else far
        high += max(far, 0) if term[2] else far
    return low, high
