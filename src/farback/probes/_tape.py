"""The tape: every recurrent call of one forward pass, in order, cut apart from the user's code.

A call takes tensors and hands out tensors. The tape cuts both: the call works on detached copies of
what it takes, and hands out new leaves. So the user's code between two calls is a small autograd
graph of its own (_segment.py), and the error can be followed call by call, rescaled at each.

The **clock** numbers the steps of the data. A call starts where the call that gave it its state
ended; a call that only takes its input from another (a layer on top of a layer) runs beside it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree

from ..flow.scaled import Scaled
from ._records import Record
from ._segment import sources


@dataclass(frozen=True)
class Entry:
    """A tensor that a call took: as the user gave it, and the leaves on which it depends."""

    given: Tensor
    leaves: list[Tensor]
    is_state: bool = False


@dataclass(frozen=True)
class Errors:
    """The error as it enters: for each handed-out tensor its gradient, once for each draw.

    K counts (loss time, draw) pairs; `times` [K] and `draw` [K] tell which. One draw is the user's
    loss itself, several are random projections of the output.
    """

    times: Sequence[int]
    draw: Sequence[int]
    gradients: Mapping[int, Sequence[Tensor | None]]
    rescale: bool = True

    def entering(self, leaf: Tensor) -> Sequence[Tensor | None]:
        """The gradient of each draw at `leaf`."""
        return self.gradients.get(id(leaf), ())


class Call(ABC):
    """One call on the tape."""

    module: str
    name: str
    clock: int
    steps: int
    rows: int
    entries: list[Entry]
    outs: list[Tensor]

    @property
    def end(self) -> int:
        """The clock step after the last."""
        return self.clock + self.steps

    @abstractmethod
    def read_times(self, gradients: Sequence[Tensor | None]) -> set[int]:
        """The clock steps at which an error enters, given the gradients at `outs`."""

    @abstractmethod
    def pull(
        self, errors: Errors, arrived: Sequence[Scaled | None], records: Records
    ) -> list[Scaled | None]:
        """Follow the errors at `outs` back to `entries`, noting the adjoints on the way."""


class Records:
    """The records of a sweep, made as chains of states are met.

    `advance` counts steps done; `sums` asks for whole weight gradients besides their summands.
    """

    def __init__(
        self, errors: Errors, steps: int, advance: Callable[[int], None], *, sums: bool = False
    ):
        self.errors = errors
        self.sums = sums
        self.steps = steps
        self.advance = advance
        self.by_name: dict[str, Record] = {}
        self.inputs: dict[str, Record] = {}

    def chain(self, name: str, kind: str, batch: int, *, direction: int = 1) -> Record:
        """The record of the chain `name`."""
        if name not in self.by_name:
            shape = (len(self.errors.times), self.steps, batch)
            self.by_name[name] = Record(name, kind, shape, direction, sums=self.sums)
        return self.by_name[name]

    def entrance(self, name: str, batch: int, steps: int) -> Record:
        """The record of a place where the data enter, which may have a clock of its own."""
        shape = (len(self.errors.times), steps, batch)
        return self.inputs.setdefault(name, Record(name, "input", shape))


@dataclass
class Tape:
    """The calls of one forward pass.

    `dtype` is the arithmetic of the replay (None: that of the data); `expected_steps` the length of
    the batch; `writable` whether the user's code writes into what it is handed; `cuts` where the
    code cut a chain of states: its name, the clock step, the reason; `blind` the recurrent modules
    that were called without gradients; `weights` the parameters and buffers of each cell as they
    were when it was first called.
    """

    dtype: torch.dtype | None = None
    chunk: int | None = None
    expected_steps: int = 0
    writable: bool = False
    cuts: list[tuple[str, int, str]] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    owners: dict[int, tuple[Call, int]] = field(default_factory=dict)
    places: dict[tuple[str, int], Call] = field(default_factory=dict)
    blind: list[str] = field(default_factory=list)
    copies: dict[int, Tensor] = field(default_factory=dict)
    weights: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    largest_difference: float = 0.0

    def entry(self, given: Tensor, *, is_state: bool = False) -> Entry:
        """Note a tensor that a call takes."""
        return Entry(given, sources(given, self.owners), is_state)

    def leaf(self, value: Tensor) -> Tensor:
        """A new leaf with the value of `value`."""
        return value.detach().requires_grad_()

    def handed(self, leaf: Tensor) -> Tensor:
        """What the user gets of a leaf: itself, or a copy where their code writes into it."""
        return leaf.clone() if self.writable else leaf

    def add(self, call: Call) -> None:
        """Put a finished call on the tape."""
        self.calls.append(call)
        self.places[call.name, call.clock] = call
        for number, out in enumerate(call.outs):
            self.owners[id(out)] = (call, number)

    def givers(self, entry: Entry) -> list[Call]:
        """The calls that handed out what `entry` depends on."""
        return [self.owners[id(leaf)][0] for leaf in entry.leaves]

    def note(self, sentence: str) -> None:
        """Remember what the reader of the numbers should know, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    @property
    def steps(self) -> int:
        """The number of clock steps."""
        return max((call.end for call in self.calls), default=0)

    @property
    def batch(self) -> int:
        """The number of rows of the first recurrent call."""
        return next((call.rows for call in self.calls if call.steps), 1)


def floating(tree: Any) -> tuple[list[Tensor], list[Any], Any]:
    """The floating tensors of a nested value as real ones, all its leaves, and its structure."""
    flat, spec = _pytree.tree_flatten(tree)
    return [as_real(x) for x in flat if is_floating(x)], flat, spec


def is_floating(x: Any) -> bool:
    """Whether `x` is a tensor that can carry an error and has an axis to carry it on."""
    return isinstance(x, Tensor) and (x.is_floating_point() or x.is_complex()) and bool(x.dim())


def as_real(x: Tensor) -> Tensor:
    """A complex tensor as pairs of real numbers, so that norms are those of its moduli."""
    return torch.view_as_real(x) if x.is_complex() else x


def like(x: Tensor, real: Tensor) -> Tensor:
    """The inverse of `as_real`: `real` as complex numbers where `x` is."""
    return torch.view_as_complex(real) if x.is_complex() else real


def rebuilt(flat: list[Any], spec: Any, tensors: list[Tensor]) -> Any:
    """The nested value with its floating tensors replaced, in order."""
    replacements = iter(tensors)
    whole = [like(x, next(replacements)) if is_floating(x) else x for x in flat]
    return _pytree.tree_unflatten(whole, spec)
