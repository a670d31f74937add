"""A layer, and the way back through it, some rows at a time, so that its weights are read once.

    a_i = sum_k W_ik s_k        e_i = f(a_i, ...)        b_j = sum_i W_ij e_i

As three loops one after the other, the second use of W comes when it is long out of the cache. Here
some rows go through all three before the next ones do. Every sum keeps its order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_ROWS = re.compile(r"for \(int i = (\d+); i < (\d+); i \+= (\d+)\)")
_ONE_COLUMN = "for (int j = 0; j < 1; j++) {"
_MADE = re.compile(r"(?:for .*\) )?(b\d+)\[[^\]]*\] = .*;")
_PLAIN = re.compile(r"(?:const [VM] (v\d+)|[VM] (sum\d+)|[VM] (?:\*restrict const )?(b\d+))\b.*;")
_NAME = re.compile(r"\b(?:b|v|sum)\d+\b")
_MOST_SUMS = 8
"""As many stay in registers."""


class _Block(NamedTuple):
    """A loop over rows, `together` at a time."""

    first: int
    last: int
    together: int
    inside: list[str]
    end: int
    """The line behind it."""


class _Back(NamedTuple):
    """The way back: its sums, what is added to them for each row, and where they go."""

    begin: list[str]
    source: str
    adding: list[str]
    stores: list[str]


def tiled(lines: list[str]) -> list[str]:
    """The statements, where a layer and the way back through it are taken together."""
    for begin in range(len(lines)):
        found = _tiled(lines, begin)
        if found is not None:
            return tiled(found)
    return lines


def _tiled(lines: list[str], begin: int) -> list[str] | None:
    """With the layer that begins at a line in tiles; None where there is none."""
    layer = _blocks(lines, begin)
    if not layer or layer[0].first or layer[0].together == 1:
        return None
    rows, end = layer[-1].last, layer[-1].end
    head = f"for (int i0 = 0; i0 < {rows}; i0++) {{"
    if head not in lines[end:]:
        return None
    middle = lines.index(head, end)
    behind = lines.index("}", middle) + 1
    each = lines[middle + 1 : behind - 1]
    for place in range(behind, len(lines)):
        blocks = _blocks(lines, place)
        back = _back(blocks[0], rows) if len(blocks) == 1 else None
        if back is not None:
            between, after = lines[end:middle], lines[behind:place]
            if not _go_together(layer, between, each, after, back):
                return None
            tiles = [line for block in layer for line in _tile(block, each, back.adding)]
            moved = [*between, *back.begin, *tiles, *after, *back.stores]
            return [*lines[:begin], *moved, *lines[blocks[0].end :]]
    return None


def _blocks(lines: list[str], place: int) -> list[_Block]:
    """The loops over the rows of one column that begin at a line, one right after the other."""
    found: list[_Block] = []
    while place + 1 < len(lines) and (head := _ROWS.fullmatch(lines[place])):
        first, last, together = map(int, head.groups())
        if lines[place + 1] != _ONE_COLUMN or (found and found[-1].last != first):
            break
        end, open = place + 2, 1
        while open:
            open += lines[end].count("{") - lines[end].count("}")
            end += 1
        found.append(_Block(first, last, together, lines[place + 2 : end - 1], end))
        place = end
    return found


def _back(block: _Block, rows: int) -> _Back | None:
    """A sum over rows, if that is what a loop is, with names of its own."""
    if block.first or block.last != block.together or block.together > _MOST_SUMS:
        return None
    text = [re.sub(r"\bs(\d)\b", r"r\1", it).replace("(i + ", "(0 + ") for it in block.inside]
    head = f"for (int k = 0; k < {rows}; k++) {{"
    if text[1] != head or not (source := re.fullmatch(r"const V c = (b\d+)\[k\];", text[2])):
        return None
    end = text.index("}")
    return _Back(text[:1], source[1], text[2:end], text[end + 1 :])


def _go_together(
    layer: list[_Block], between: list[str], each: list[str], after: list[str], back: _Back
) -> bool:
    """Whether nothing waits for what would come later."""
    inside = [line for block in layer for line in block.inside]
    made = _written(inside)
    if len(made) != 1 or not all(map(_is_plain, [*between, *after])):
        return False
    elements = re.findall(rf"\b{next(iter(made))}\b(\[i0\])?", "\n".join(each))
    return (
        all(elements)
        and f"{back.source}[i0] = " in "\n".join(each)
        and not made & _names(between)
        and not _written([*between, *each]) & _names(inside)
        and not _written(after) & _names(back.adding)
        and _names(back.adding) & _written(each) <= {back.source}
    )


def _is_plain(line: str) -> bool:
    """Whether a line writes to nothing but what is the function's own."""
    return bool(_PLAIN.fullmatch(line) or _MADE.fullmatch(line))


def _written(lines: list[str]) -> set[str]:
    plain = (it for line in lines if (it := _PLAIN.fullmatch(line)))
    made = (it for line in lines if (it := _MADE.fullmatch(line)))
    return {name for it in plain for name in it.groups() if name} | {it[1] for it in made}


def _names(lines: list[str]) -> set[str]:
    return set(_NAME.findall("\n".join(lines)))


def _tile(block: _Block, each: list[str], adding: list[str]) -> Iterator[str]:
    yield f"for (int i = {block.first}; i < {block.last}; i += {block.together}) {{"
    yield from ("{", *block.inside, "}")
    yield from (f"for (int i0 = i; i0 < i + {block.together}; i0++) {{", *each, "}")
    yield from (f"for (int k = i; k < i + {block.together}; k++) {{", *adding, "}")
    yield "}"
