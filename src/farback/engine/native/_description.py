"""What a program is made of: plain functions, and the order in which they are called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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


@dataclass(frozen=True)
class Learning:
    """What a learner makes of gradients.

    Args:
        memory: its memory of one trial, to try.
        update: params, gradient, memory -> params, memory.
        before: params, memory -> params; before the sequences of a step.
        after: params, memory, errors [batch] -> params, memory; after its update.
        batch: sequences of a step.
        per_step: whether the update comes within a sequence.
    """

    memory: Any
    update: Function
    before: Function
    after: Function
    batch: int = 1
    per_step: bool = False
