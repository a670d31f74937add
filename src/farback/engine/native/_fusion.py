"""Loops that run over the same numbers one after another, as one loop.

What one loop writes and only the next ones read never goes to memory then. Loops are joined where
each reads of the others nothing but the element that it is at, and where what stands between them
can come before them all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LOOP = re.compile(r"for \(int i0 = 0; i0 < (\d+); i0\+\+\) (b\d+)\[i0\] = (.*);")
_SCALAR = re.compile(r"const [VM] v\d+ = .*;")
_DECLARED = re.compile(r"(?:V|M) (?:\*restrict const )?(b\d+)\b.*;")
_ELEMENT = re.compile(r"\b(b\d+)\[([^\]]*)\]")


@dataclass(frozen=True)
class _Loop:
    size: str
    target: str
    value: str

    @property
    def read(self) -> list[tuple[str, str]]:
        """The buffers that it reads, and where."""
        return _ELEMENT.findall(self.value)


def fused(lines: list[str]) -> list[str]:
    """The statements of a function with its loops joined."""
    result: list[str] = []
    group: list[_Loop] = []
    counts = _counts(lines)
    # What stands in an array of the function's results is read by others.
    kinds = {
        it[1]: line[0]
        for line in lines
        if (it := _DECLARED.fullmatch(line)) and ("*" not in line or "(work + " in line)
    }

    def close() -> None:
        result.extend(_joined(group, counts, kinds))
        group.clear()

    for line in lines:
        targets = {it.target for it in group}
        match = _LOOP.fullmatch(line)
        loop = _Loop(*match.groups()) if match else None
        if loop is not None:
            apart = any(name in targets and at != "i0" for name, at in loop.read)
            if group and (apart or loop.size != group[0].size or loop.target in targets):
                close()
            group.append(loop)
        elif group and _may_come_before(line, targets):
            result.append(line)
        else:
            close()
            result.append(line)
    close()
    gone = {it[1] for it in map(_DECLARED.fullmatch, result) if it} - _counts(result).keys()
    return [it for it in result if not ((m := _DECLARED.fullmatch(it)) and m[1] in gone)]


def _may_come_before(line: str, targets: set[str]) -> bool:
    if _DECLARED.fullmatch(line):
        return True
    touched = {name for name, _ in _ELEMENT.findall(line)}
    return bool(_SCALAR.fullmatch(line)) and not touched & targets


def _joined(group: list[_Loop], counts: dict[str, int], kinds: dict[str, str]) -> list[str]:
    if not group:
        return []
    head = f"for (int i0 = 0; i0 < {group[0].size}; i0++)"
    if len(group) == 1:
        return [f"{head} {group[0].target}[i0] = {group[0].value};"]
    inside = _counts([f"{it.target}[i0] = {it.value}" for it in group])
    own = {name for it in group if (name := it.target) in kinds and inside[name] == counts[name]}

    def named(text: str) -> str:
        return _ELEMENT.sub(lambda it: f"e{it[1][1:]}" if it[1] in own else it[0], text)

    body = []
    for it in group:
        kind = f"const {kinds[it.target]} " if it.target in own else ""
        body.append(f"{kind}{named(f'{it.target}[i0]')} = {named(it.value)};")
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
