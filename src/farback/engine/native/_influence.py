"""Influences that move on in their place, and columns of them that are zero.

    P_t = J_t P_{t-1} + dstate_t/dparams

A column of P comes of the same column before, so that it can be written where it was read: half
as much memory is gone through. A column that is zero in all lanes, since its parameter has not
been used yet or no longer matters, stays zero, and is not even looked at until something is added
to it (influence.h). Where a factor is not finite no column is passed over, since such a factor
times zero is NaN, and a lane's numbers must not depend on those beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ._buffers import only_added_to
from ._kernel import Kernel
from ._reading import may_read

_COLUMNS = re.compile(r"for \(int j = 0; j < (\d+); j\+\+\) \{")
_READ = re.compile(r"const V (c\d+) = carry\[(?:(\d+) \+ )?j\];")
_MADE = re.compile(r"((b\d+)\[(?:(\d+) \+ )?j\]) = (.*);")
_FACTOR = re.compile(r"(?:FMA\(|= |\+ |, )([a-z]\w*(?:\[\d+\])?)(?:, | \* )c\d+\b")
_STANDS = re.compile(r"V \*restrict const (b\d+) = next \+ (\d+);")


@dataclass(frozen=True)
class Moving:
    """A step of a gradient that is carried along, with some influences in their place.

    Attributes:
        advance: what it computes; it is told which columns are `live`.
        rest: what takes all else from `next` back to `carry`.
        columns: of the influences that stay in their place.
    """

    advance: Kernel
    rest: Kernel
    columns: int


@dataclass(frozen=True)
class _Loop:
    """A loop over the columns of an influence: its lines, and where the influence stands."""

    begin: int
    end: int
    name: str
    first: int
    rows: int
    columns: int

    @property
    def last(self) -> int:
        return self.first + self.rows * self.columns

    @property
    def live(self) -> str:
        """Which columns may be other than zero."""
        return f"live_{self.name}"


def in_place(kernel: Kernel, size: int) -> Moving:
    """A step that moves influences on in their place, where that can be.

    Args:
        kernel: k_advance, which writes all of `carry` anew, to `next`.
        size: of the carry.
    """
    head, *lines = kernel.text.removesuffix("\n}\n").split("\n  ")
    loops = [
        it
        for it in _loops(lines)
        if not may_read(lines, "carry", it.first, it.last, behind=it.end) and _added_to(lines, it)
    ]
    columns = 0
    for loop in reversed(loops):
        lines = list(_moved(lines, loop, columns))
        columns += loop.columns
    if loops:
        head = head.replace("const V *restrict carry", "V *carry")
    head = head.replace("V *restrict work", "unsigned char *live, V *restrict work")
    advance = Kernel("\n  ".join([head, *lines]) + "\n}\n", kernel.work)
    return Moving(advance, _rest(loops, size), columns)


def _rest(loops: list[_Loop], size: int) -> Kernel:
    """A copy of what does not stay in its place."""
    places = [0, *sorted(it for loop in loops for it in (loop.first, loop.last)), size]
    copies = [
        f"  memcpy(carry + {first}, next + {first}, {end - first} * sizeof(V));\n"
        for first, end in zip(places[::2], places[1::2], strict=True)
        if end > first
    ]
    head = "static inline void k_rest(V *restrict carry, const V *restrict next)"
    return Kernel(f"{head} {{\n{''.join(copies)}}}\n", 0)


def _loops(lines: list[str]) -> Iterator[_Loop]:
    """Those that read all of an influence and nothing else, and write it anew."""
    stands = {it[1]: int(it[2]) for it in map(_STANDS.fullmatch, lines) if it}
    for begin, line in enumerate(lines):
        if not (head := _COLUMNS.fullmatch(line)):
            continue
        end, columns = lines.index("}", begin), int(head[1])
        reads = [it for it in map(_READ.fullmatch, lines[begin:end]) if it]
        made = [it for it in map(_MADE.fullmatch, lines[begin:end]) if it]
        places = sorted(int(it[2] or 0) for it in reads)
        if len(reads) + len(made) != end - begin - 1 or not places:
            continue
        if places != list(range(places[0], places[0] + len(places) * columns, columns)):
            continue
        if any(
            len(_FACTOR.findall(f"= {it[4]}")) != len(re.findall(r"\bc\d", it[4])) for it in made
        ):
            continue
        for name in stands.keys() & {it[2] for it in made}:
            writes = sorted(stands[name] + int(it[3] or 0) for it in made if it[2] == name)
            if writes == places and stands[name] == places[0]:
                yield _Loop(begin, end, name, places[0], len(places), columns)


def _added_to(lines: list[str], loop: _Loop) -> bool:
    """Whether nothing becomes of the new influence behind the loop but that it is added to."""
    mentions = (it for it in lines[loop.end + 1 :] if re.search(rf"\b{loop.name}\b", it))
    return all(only_added_to(it, loop.name) for it in mentions)


def _moved(lines: list[str], loop: _Loop, first: int) -> Iterator[str]:
    """The lines, with one influence in its place, and its columns counted from `first` on."""
    name, live = loop.name, loop.live
    for place, line in enumerate(lines):
        stands = _STANDS.fullmatch(line)
        if stands and stands[1] == name:
            yield f"V *const {name} = (live ? carry : next) + {loop.first};"
            yield f"unsigned char *const {live} = live ? live + {first} : 0;"
        elif place == loop.begin - 1:  # the pragma of the loop
            yield from _passing(lines[loop.begin : loop.end], loop)
        elif place > loop.end:
            line = re.sub(
                rf"\b{name}\[([^\]]*)\] = ", rf"{name}[touch({live}, {loop.columns}, \1)] = ", line
            )
            yield re.sub(
                rf"\bscatter\({name} \+ ([^,]*), (\d+), ",
                rf"touched({live}, {loop.columns}, \1, \2, symbol), \g<0>",
                line,
            )
        elif not loop.begin <= place <= loop.end:
            yield line


def _passing(lines: list[str], loop: _Loop) -> Iterator[str]:
    """The loop, which passes over columns that are zero."""
    head, *inside = lines
    reads = [it for it in inside if _READ.fullmatch(it)]
    made = [it for it in map(_MADE.fullmatch, inside) if it]
    factors = dict.fromkeys(factor for it in made for factor in _FACTOR.findall(f"= {it[4]}"))
    calm, none, live = f"calm_{loop.name}", f"none_{loop.name}", loop.live
    yield f"V {none} = SPLAT((R)0);"
    for factor in factors:
        yield f"{none} = FMA({factor}, SPLAT((R)0), {none});"
    yield f"const int {calm} = {live} && ALL(EQ({none}, SPLAT((R)0)));"
    zeros = [f"{it[1]} = SPLAT((R)0); " for it in made if it[2] != loop.name and it[1] not in it[4]]
    bits = " | ".join(f"lanes_bits({it[1]})" for it in map(_READ.fullmatch, reads) if it)
    yield '_Pragma("GCC unroll 2")'
    yield head
    yield f"if ({calm} && !{live}[j]) {{ {''.join(zeros)}continue; }}"
    yield from reads
    yield f"if ({calm} && !ANY(({bits}) != 0)) {{ {live}[j] = 0; {''.join(zeros)}continue; }}"
    yield from (it[0] for it in made)
    yield f"if ({live}) {live}[j] = 1;"
    yield "}"
