"""Loops that run over the same numbers one after another, as one loop.

What one loop writes and only the next ones read never goes to memory then. Loops are joined where
each reads of the others nothing but the element that it is at, and where what stands between them
can come before them all, or after.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_LOOP = re.compile(r"for \(int i0 = 0; i0 < (\d+); i0\+\+\) (b\d+\[i0\]|sum\d+) = (.*);")
_SCALAR = re.compile(r"const [VM] (v\d+) = .*;")
_DECLARED = re.compile(r"(?:V|M) (?:\*restrict const )?(b\d+)\b.*;")
_BEGUN = re.compile(r"[VM] (sum\d+) = .*;")
_ELEMENT = re.compile(r"\b(b\d+)\[([^\]]*)\]")
_COLUMN = re.compile(r"const V (c\d+) = .*;")
_NAME = re.compile(r"\b(?:b|v|sum)\d+\b")


@dataclass(frozen=True)
class _Loop:
    size: str
    place: str
    """What it writes to: an element of a buffer, or a sum."""
    value: str

    @property
    def target(self) -> str:
        return self.place.removesuffix("[i0]")

    @property
    def apart(self) -> set[str]:
        """The names of which it reads another element than the one it is at, or a whole sum."""
        elsewhere = {name for name, at in _ELEMENT.findall(self.value) if at != "i0"}
        return elsewhere | {it for it in _NAME.findall(self.value) if it.startswith("sum")}


@dataclass
class _Group:
    """Loops that become one, and the statements that have to come after it."""

    loops: list[_Loop] = field(default_factory=list)
    after: list[str] = field(default_factory=list)

    @property
    def targets(self) -> set[str]:
        return {it.target for it in self.loops}

    def takes(self, loop: _Loop) -> bool:
        """Whether a loop may join."""
        if not self.loops:
            return True
        mine = self.targets
        late = {it[1] for it in map(_SCALAR.fullmatch, self.after) if it}
        return (
            loop.size == self.loops[0].size
            and loop.target not in mine
            and not (loop.apart - {loop.target}) & mine
            and not late & set(_NAME.findall(loop.value))
        )

    def passes(self, line: str) -> bool | None:
        """Whether a statement may come before the loops; None where it must end the group."""
        if _DECLARED.fullmatch(line) or _BEGUN.fullmatch(line):
            return True
        if not _SCALAR.fullmatch(line):
            return None
        late = {it[1] for it in map(_SCALAR.fullmatch, self.after) if it}
        return not (self.targets | late) & set(_NAME.findall(line))


def fused(lines: list[str]) -> list[str]:
    """The statements of a function with its loops joined."""
    lines = _by_columns(lines)
    result: list[str] = []
    group = _Group()
    counts = _counts(lines)
    # What stands in an array of the function's results is read by others.
    kinds = {
        it[1]: line[0]
        for line in lines
        if (it := _DECLARED.fullmatch(line)) and ("*" not in line or "(work + " in line)
    }

    def close() -> None:
        nonlocal group
        result.extend([*_joined(group.loops, counts, kinds), *group.after])
        group = _Group()

    for line in lines:
        match = _LOOP.fullmatch(line)
        if match:
            loop = _Loop(*match.groups())
            if not group.takes(loop):
                close()
            group.loops.append(loop)
            continue
        before = group.passes(line) if group.loops else True
        if before is None:
            close()
        (group.after if before is False else result).append(line)
    close()
    gone = {it[1] for it in map(_DECLARED.fullmatch, result) if it} - _counts(result).keys()
    return [it for it in result if not ((m := _DECLARED.fullmatch(it)) and m[1] in gone)]


def _by_columns(lines: list[str]) -> list[str]:
    """Loops over the columns of one matrix, one right after the other, as one: it is read once."""
    result: list[str] = []
    begin, end = 0, -1  # of the last such loop
    for line in lines:
        result.append(line)
        if line != "}" or not (this := _last_columns(result)):
            continue
        head, between = result[begin : begin + 2], result[end:this]
        before, body = result[begin + 2 : end - 1], result[this + 2 : -1]
        if (
            end >= 0
            and head == result[this : this + 2]
            and all(map(_DECLARED.fullmatch, between))
            and _goes_on(before, body)
        ):
            rest = [it for it in body if it not in before]
            result[begin:] = [*between, *head, *before, *rest, "}"]
            begin += len(between)
        else:
            begin = this
        end = len(result)
    return result


def _last_columns(lines: list[str]) -> int | None:
    """Where the loop over columns begins that the last line ends."""
    for place in range(len(lines) - 2, 0, -1):
        if lines[place].startswith("for (int j = 0;") and lines[place - 1].startswith("_Pragma"):
            return place - 1
        if lines[place].startswith(("for ", "}", "_Pragma")):
            return None
    return None


def _goes_on(before: list[str], body: list[str]) -> bool:
    """Whether a body may follow another: it reads nothing from it, and calls the same the same."""
    read = {it[1]: it[0] for line in before if (it := _COLUMN.fullmatch(line))}
    same = all(read.get(it[1], line) == line for line in body if (it := _COLUMN.fullmatch(line)))
    written = {it[1] for line in before if (it := re.match(r"(b\d+)\[", line))}
    return same and not written & set(_NAME.findall("\n".join(body)))


def _joined(group: list[_Loop], counts: dict[str, int], kinds: dict[str, str]) -> list[str]:
    if not group:
        return []
    head = f"for (int i0 = 0; i0 < {group[0].size}; i0++)"
    if len(group) == 1:
        return [f"{head} {group[0].place} = {group[0].value};"]
    inside = _counts([f"{it.place} = {it.value}" for it in group])
    own = {name for it in group if (name := it.target) in kinds and inside[name] == counts[name]}

    def named(text: str) -> str:
        return _ELEMENT.sub(lambda it: f"e{it[1][1:]}" if it[1] in own else it[0], text)

    body = []
    for it in group:
        kind = f"const {kinds[it.target]} " if it.target in own else ""
        body.append(f"{kind}{named(it.place)} = {named(it.value)};")
    return [f"{head} {{", *body, "}"]


def _counts(lines: list[str]) -> dict[str, int]:
    """How often each buffer is touched; being handed on as a whole counts as well."""
    counts: dict[str, int] = {}
    for line in lines:
        if _DECLARED.fullmatch(line):
            continue
        for name in re.findall(r"\bb\d+\b", line):
            counts[name] = counts.get(name, 0) + 1
    return counts
