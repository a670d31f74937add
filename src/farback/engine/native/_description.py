"""What a program is made of: plain functions, and the order in which they are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

    from ...types import Params

Function = Callable[..., Any]


@dataclass(frozen=True)
class Net:
    """What is compiled of a problem: pure functions of one sequence, and parameters to try."""

    params: Params
    inputs: int
    outputs: int
    start: Function
    """params -> state."""

    step: Function
    """params, state, x -> state."""

    read: Function
    """params, state, x -> output."""

    loss: Function
    """output, target -> error."""

    grade: Function
    """output, answer -> whether it is right, and how far it is off."""


@dataclass(frozen=True)
class Ahead:
    """Sequences are answered, and nothing goes back: for learners that need no derivative."""


@dataclass(frozen=True)
class Backward:
    """Errors of `every` steps at a time run back over `window` steps; None for all there are."""

    window: int | None = None
    every: int | None = None


@dataclass(frozen=True)
class Forward:
    """What is carried along.

    Args:
        begin: params -> carry.
        first: params, carry, x, target, scored -> carry, output, error, gradient, due; at the
            first step.
        advance: the same, at the others.
        later: `advance` as it would be at some later steps, which must be no different.
    """

    begin: Function
    first: Function
    advance: Function
    later: tuple[Function, ...]


class Told(NamedTuple):
    """What became of the sequences of a step."""

    losses: Tensor
    """[batch], the error of each."""

    right: Tensor
    """[batch], 1 for each that was answered rightly, else 0."""

    chance: Tensor
    """[chances], what `before` was given."""


def _nothing_before(params: Params, memory: Any, chance: Tensor) -> tuple[Params, Any]:
    return params, memory


def _nothing_after(params: Params, memory: Any, told: Told) -> tuple[Params, Any]:
    return params, memory


def _no_update(params: Params, gradient: Params, memory: Any) -> tuple[Params, Any]:
    return params, memory


@dataclass(frozen=True)
class Recursion:
    """What is carried back over the states of a sequence, and what each of its steps adds.

    Where what is carried and the parts are zero, `back` must give zeros: a step behind a sequence's
    end adds nothing.

    Args:
        reading: params, state, x, target, weight -> output, error, entering, parts; at a scored
            step. What enters is shaped like what is carried and added to it, and the parts are what
            the step adds by its output alone.
        back: params, state before, x, carried, parts -> carried before, added.
        origin: params, carried -> added; what reaches the start.
        finish: all that was added, in sum -> gradient.
    """

    reading: Function
    back: Function
    origin: Function
    finish: Function


@dataclass(frozen=True)
class Learning:
    """What a learner makes of gradients, and of sequences that were answered.

    Args:
        memory: its memory of one trial, to try.
        update: params, gradient, memory -> params, memory.
        before: params, memory, chance -> params, memory; before the sequences of a step.
        after: params, memory, `Told` -> params, memory; after its update.
        batch: sequences of a step.
        per_step: whether the update comes within a sequence.
        chances: numbers of `chance`, drawn for each step as learners/_chance.py draws them,
            by the key and the count of steps that `memory["chance"]` holds.
    """

    memory: Any
    update: Function = _no_update
    before: Function = _nothing_before
    after: Function = _nothing_after
    batch: int = 1
    per_step: bool = False
    chances: int = 0
