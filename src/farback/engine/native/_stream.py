"""Sequences that a program draws itself: a task's `draw`, followed once and compiled.

Every call for random numbers is noted, with its turn, so that C draws the same numbers (draws.h);
what the task makes of them is traced like a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import log, prod
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...drawn import Drawn, Rows
from ...draws import Draws, Source
from ._codes import ZERO, Codes
from ._kernel import Kernel, Writer
from ._memory import Field, Streamed, table
from ._reading import may_read
from ._trace import Traced, trace

FIELDS = ("inputs", "targets", "answers", "scored")
"""In the order of sequences.h."""

_COARSE = 2.0**24
"""Steps of the numbers that a bound is multiplied with, which float32 has too."""


class Call(NamedTuple):
    """One call for random numbers."""

    draw: str
    """The function of draws.h."""

    purpose: str
    """What the stream's purpose is followed by; or a purpose of the trial's own."""

    number: int | None
    """The sequence's number where it is always the same one, for a trial's own."""

    turn: int
    places: int
    values: tuple[float, ...]


@dataclass(frozen=True)
class Stream:
    """Sequences as functions of a trial's seed and a number."""

    steps: int
    """T."""

    calls: tuple[Call, ...]
    purposes: tuple[tuple[str, bool], ...]
    """Of the calls; whether each is the trial's own."""

    used: frozenset[int]
    """Where the numbers of a call begin of which anything is made."""

    kernel: Kernel
    macros: dict[str, int]
    straight: dict[int, int]
    """The input that a call's numbers are, by where they begin."""

    inputs: int
    """I."""

    tables: tuple[Field | None, ...]
    """The table of each field that is drawn as places in one."""

    still: tuple[int, ...]
    """The inputs that are zero from the step EARLY on, and not written from there."""

    @property
    def hot(self) -> bool:
        """Whether every input is one-hot."""
        return self.tables[0] is not None and self.tables[0].onehot

    @property
    def text(self) -> str:
        """Draw what is asked for, from the keys of the lanes."""
        lines, first = [], 0
        for it in self.calls:
            place = self.purposes.index((it.purpose, it.number is not None))
            number = "number" if it.number is None else str(it.number)
            where = f"u + {first}"
            if first in self.straight:
                where = f"inputs + {self.straight[first] * self.steps}"
            given = [number, it.turn, it.places, *map(repr, it.values), where]
            if first in self.used:
                lines.append(f"{it.draw}(keys + {place}, {', '.join(map(str, given))});")
            first += it.places
        body = "\n  ".join(lines)
        head = "static void k_numbers(const Keys *keys, uint64_t number, V *u, V *inputs)"
        still = ", ".join(str(int(it in self.still)) for it in range(self.inputs))
        known = f"static const int STILL[] = {{{still}}};"
        return f"{known}\n{head} {{\n  {body}\n}}\n{self.kernel.text}"

    def of(self, seeds: Sequence[int], purpose: str) -> Streamed:
        """The sequences that the trials draw for a purpose."""
        keys = [
            Draws(seeds, name if own else f"{purpose}{name}").keys for name, own in self.purposes
        ]
        return Streamed(self.steps, np.stack(keys), self.tables)


def stream(draw: Callable[[Source], Drawn], dtype: torch.dtype) -> Stream:
    """A task's `draw` in C.

    Raises:
        Exception: whatever comes of it where it cannot be followed.
    """
    calls: list[Call] = []
    kind = torch.empty((), dtype=dtype).numpy().dtype
    example = draw(_Followed(calls))
    most = 2 / torch.finfo(dtype).eps
    if not calls or any(it.draw == "draw_integers" and it.values[0] > most for it in calls):
        raise ValueError("nothing is drawn, or more numbers than the type can tell apart")
    given = [_example(it, dtype) for it in calls]
    fields = [_field(example, name, kind) for name in FIELDS]
    if example.answers is None:
        fields[2] = fields[1]

    def made(*numbers: Tensor) -> list[Tensor]:
        drawn = draw(_Followed([], iter(numbers)))
        found = [_numbers(drawn, name) for name in FIELDS]
        return [it for it in (*found, drawn.lengths) if it is not None]

    traced = trace(made, *given)
    numbers = sum(it.places for it in calls)
    shapes = [tuple(it.shape) for it in made(*given)]
    names = [name for name in FIELDS if getattr(example, name) is not None]
    if example.lengths is not None:
        names.append("lengths")
    sizes = {name: prod(shape) for name, shape in zip(names, shapes, strict=True)}
    writer = Writer("draw", {"u": numbers} | {it: sizes.get(it, 0) for it in (*FIELDS, "lengths")})
    results: list[Codes] = writer.run(traced, writer.array("u", [tuple(it.shape) for it in given]))
    early, still = example.steps, np.empty(0, dtype=int)
    straight: dict[int, int] = {}
    if not isinstance(example.inputs, Rows):
        early, still = _still(results[0])
        places = writer.array("inputs", [results[0].shape])[0]
        results[0][still, early:] = places[still, early:]  # which leaves them as they are
        (drawn,) = writer.array("u", [(numbers,)])
        straight = _straight(calls, results, drawn, places, writer.body.lines)
    for name, codes in zip(names, results, strict=True):
        writer.set(name, [codes])
    macros = {"DRAWN_STEPS": example.steps, "DRAWN_NUMBERS": numbers, "EARLY": early}
    purposes = tuple(dict.fromkeys((it.purpose, it.number is not None) for it in calls))
    macros["PURPOSES"] = len(purposes)
    for name in (*FIELDS, "lengths"):
        macros[f"DRAWN_{name.upper()}"] = sizes.get(name, 0)
    for name, field in zip(FIELDS, fields, strict=True):
        macros[f"DRAWN_{name.upper()}_BY_STEP"] = int(field is not None and field[1])
    return Stream(
        steps=example.steps,
        calls=tuple(calls),
        purposes=purposes,
        used=_used(traced, calls),
        kernel=writer.done([*FIELDS, "lengths"]),
        macros=macros,
        inputs=_width(example.inputs),
        tables=tuple(None if it is None else it[0] for it in fields),
        still=tuple(still.tolist()),
        straight=straight,
    )


def _straight(
    calls: list[Call], results: list[Codes], drawn: Codes, places: Codes, lines: list[str]
) -> dict[int, int]:
    """The input that the numbers of a call are, by where they begin; they are left out of results.

    Nothing else may become of them. An input may be another number at its first steps.
    """
    found: dict[int, int] = {}
    inputs, steps = results[0], results[0].shape[1]
    begin = accumulate((it.places for it in calls), initial=0)
    for call, first in zip(calls, begin, strict=False):
        end = first + call.places
        same = inputs == drawn[first:end] if call.places == steps else np.zeros_like(inputs, bool)
        read = sum(int(np.isin(it, drawn[first:end]).sum()) for it in results)
        column = int(same.sum(1).argmax())
        if not read or same[column].sum() != read or may_read(lines, "u", first, end):
            continue
        if same[column, steps - read :].all():
            found[first] = column
            inputs[column, steps - read :] = places[column, steps - read :]
    return found


def _width(value: Tensor | Rows) -> int:
    return (value.table if isinstance(value, Rows) else value).shape[-1]


def _still(inputs: Codes) -> tuple[int, np.ndarray]:
    """The step, and the inputs that are zero from it on, with the most zeros among [I, T].

    They have to be so for half of the steps at least.
    """
    steps = inputs.shape[1]
    ends = steps - (inputs[:, ::-1] != ZERO).argmax(1)
    ends[(inputs == ZERO).all(1)] = 0
    early = max(ends.tolist(), key=lambda end: (steps - end) * (ends <= end).sum())
    return early, np.flatnonzero((ends <= early) & (2 * early <= steps))


def _used(traced: Traced, calls: list[Call]) -> frozenset[int]:
    places = [it for it in traced.graph.nodes if it.op == "placeholder"]
    begin = accumulate((it.places for it in calls), initial=0)
    return frozenset(first for node, first in zip(places, begin, strict=False) if node.users)


def _field(drawn: Drawn, name: str, kind: np.dtype) -> tuple[Field | None, bool] | None:
    """The table of a field, and whether it has numbers for each step; None where there is none."""
    value: Tensor | Rows | None = getattr(drawn, name)
    if value is None:
        return None
    if name == "scored":
        return None, True
    by_step = value.ndim == 2
    if isinstance(value, Rows):
        rows = value.table.numpy()
        return table(rows, kind, np.empty(0, np.int16), onehot=value.onehot), by_step
    return None, by_step


def _numbers(drawn: Drawn, name: str) -> Tensor | None:
    """The numbers of a field as C has them: places, or one column behind the other."""
    value: Tensor | Rows | None = getattr(drawn, name)
    if value is None or isinstance(value, Rows):
        return value if value is None else value.places
    return value.T if value.ndim == 2 else value


def _example(call: Call, dtype: torch.dtype) -> Tensor:
    whole = call.draw in ("draw_integers", "draw_geometric")
    return torch.zeros(call.places, dtype=torch.int64 if whole else dtype)


class _Followed(Source):
    """Notes what is asked for, and gives what it is given, or zeros, for one sequence alone."""

    def __init__(
        self,
        calls: list[Call],
        given: Iterator[Tensor] | None = None,
        purpose: str = "",
        number: int | None = None,
    ) -> None:
        self._calls, self._given = calls, given
        self._purpose, self._number = purpose, number
        self._turn = 0

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return self._next("draw_uniform", shape, low, high)

    def normal(self, *shape: int, std: float = 1.0) -> Tensor:
        return self._next("draw_normal", shape, std)

    def integers(self, *shape: int, high: int | Tensor) -> Tensor:
        if isinstance(high, int):
            return self._next("draw_integers", shape, float(high))
        unit = self._next("draw_integers", shape, _COARSE).double() / _COARSE
        found = torch.floor(unit * high)
        # The product may have been rounded up to a whole number; what is left of it was not.
        rest = unit * high - found
        return (found - (rest < 0).to(found.dtype) + (rest >= 1).to(found.dtype)).long()

    def geometric(self, *shape: int, more: float) -> Tensor:
        return self._next("draw_geometric", shape, log(more))

    def signs(self, *shape: int) -> Tensor:
        return self._next("draw_integers", shape, 2.0).double() * 2.0 - 1.0

    def branch(self, name: str) -> Source:
        return _Followed(self._calls, self._given, f"{self._purpose}/{name}", self._number)

    def own(self, name: str, number: int = 0) -> Source:
        return _Followed(self._calls, self._given, name, number)

    def _next(self, draw: str, shape: tuple[int, ...], *values: float) -> Tensor:
        given = tuple(map(float, values))
        call = Call(draw, self._purpose, self._number, self._turn, prod(shape), given)
        self._turn += 1
        self._calls.append(call)
        made = _example(call, torch.float64) if self._given is None else next(self._given)
        return made.reshape(shape)
