"""Where on the clock a call starts, and whether the chain of states was cut before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ._segment import sources
from ._tape import Call, Entry, Tape

DETACHED = "the state is detached from the graph"
RESTARTED = "the state is started anew"


class Place(NamedTuple):
    """The chain that a call belongs to, and the clock step at which it starts."""

    name: str
    clock: int


def place(
    tape: Tape, module: str, entries: Sequence[Entry], *, first_state: int, steps: int
) -> Place:
    """Where a call of `module` belongs.

    It follows the call that gave it its state, its own predecessor first. With no such call it runs
    beside the call that gave it its input. A second use of the module on the same stretch of the
    clock (two encoders that share their weights) is a chain of its own. `first_state` is the number
    of the first entry that is a state; the ones before it are inputs.
    """
    states, inputs = entries[first_state:], entries[:first_state]
    givers = [call for entry in entries for call in tape.givers(entry)]
    own = [call for call in givers if call.module == module]
    if own:
        latest = max(own, key=lambda call: call.end)
        return Place(latest.name, latest.end)
    before = next((call for call in reversed(tape.calls) if call.module == module), None)
    if before is not None and before.end + steps <= tape.expected_steps:
        same = any(_same_values(entry.given, out) for entry in states for out in before.outs)
        tape.cuts.append((before.name, before.end, DETACHED if same else RESTARTED))
        return Place(before.name, before.end)
    uses = len({call.name for call in tape.calls if call.module == module})
    name = f"{module}#{uses + 1}" if uses else module
    return Place(name, _beside(tape, states, inputs))


def note_inner_cut(
    tape: Tape,
    at: Place,
    entries: Sequence[Entry],
    copies: Sequence[Tensor],
    results: Sequence[Tensor],
) -> None:
    """A step whose results do not depend on the state that it took is a cut too."""
    taken = {id(copy): copy for copy, entry in zip(copies, entries, strict=True) if entry.is_state}
    if taken and at.clock and not any(sources(result, taken) for result in results):
        tape.cuts.append((at.name, at.clock, DETACHED))


def _beside(tape: Tape, states: Sequence[Entry], inputs: Sequence[Entry]) -> int:
    from_state: list[Call] = [call for entry in states for call in tape.givers(entry)]
    if from_state:
        return max(call.end for call in from_state)
    from_input = [call for entry in inputs for call in tape.givers(entry)]
    return max((call.clock for call in from_input), default=0)


def _same_values(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(torch.equal(one.detach(), other.detach()))
