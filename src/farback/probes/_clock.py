"""Where on the clock a call starts, and whether the chain of states was cut before it."""

from __future__ import annotations

from collections import Counter
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
    clock (two encoders that share their weights, two calls in each step) is a chain of its own.
    `first_state` is the number of the first entry that is a state; the ones before it are inputs.
    """
    states, inputs = entries[first_state:], entries[:first_state]
    givers = [call for entry in entries for call in tape.givers(entry)]
    own = [call for call in givers if call.module == module]
    if own:
        return _after(tape, module, own)
    before = next((call for call in reversed(tape.calls) if call.module == module), None)
    if before is not None and before.end + steps <= tape.expected_steps:
        same = any(_same_values(entry.given, out) for entry in states for out in before.outs)
        tape.cuts.append((before.name, before.end, DETACHED if same else RESTARTED))
        return Place(before.name, before.end)
    return Place(_next_name(tape, module), _beside(tape, states, inputs, steps))


def _after(tape: Tape, module: str, own: Sequence[Call]) -> Place:
    """After the latest of the module's own calls, in the first of their chains that is free there.

    Where a chain seemed to be started anew after one of these calls, it is now known that it was
    not: the old state goes on, and the new one belongs to a use beside it.
    """
    for call in own:
        other = tape.places.get((call.name, call.end))
        if other is not None and any(cut[:2] == (call.name, call.end) for cut in tape.cuts):
            _set_apart(tape, other)
    end = max(call.end for call in own)
    latest = {call.name for call in own if call.end == end}
    for name in dict.fromkeys(call.name for call in tape.calls if call.module == module):
        if name in latest and (name, end) not in tape.places:
            return Place(name, end)
    return Place(_next_name(tape, module), end)


def _set_apart(tape: Tape, root: Call) -> None:
    """Make a chain of its own of a call, and of those that follow it."""
    old, name = root.name, _next_name(tape, root.module)
    inputs = [giver for entry in root.entries for giver in tape.givers(entry)]
    shift = root.clock - max((giver.clock for giver in inputs), default=0)
    moved: dict[int, Call] = {id(root): root}
    for call in tape.calls:
        givers = [giver for entry in call.entries for giver in tape.givers(entry)]
        if call.name == old and any(id(giver) in moved for giver in givers):
            moved[id(call)] = call
    cuts = [cut for cut in tape.cuts if cut[:2] != (old, root.clock)]
    places = {(call.name, call.clock) for call in moved.values()}
    tape.cuts[:] = [(name, c[1] - shift, c[2]) if c[:2] in places else c for c in cuts]
    for call in moved.values():
        del tape.places[call.name, call.clock]
        call.name, call.clock = name, call.clock - shift
        tape.places[call.name, call.clock] = call


def _next_name(tape: Tape, module: str) -> str:
    """A name for a further chain of the module."""
    uses = len({call.name for call in tape.calls if call.module == module})
    return f"{module}#{uses + 1}" if uses else module


def told_uses(tape: Tape, steps: int) -> list[str]:
    """What to know of modules that make more steps than the batch has."""
    chains: dict[str, Counter[str]] = {}
    for call in tape.calls:
        if call.steps:
            chains.setdefault(call.module, Counter())[call.name] += call.steps
    told = []
    for module, made in chains.items():
        if len(made) > 1:
            told.append(
                f"{module} is used {len(made)} times on the same steps; each use is reported "
                f"apart: {', '.join(made)}."
            )
        if max(made.values()) > steps:
            told.append(
                f"{module} makes {max(made.values())} steps for the {steps} of the batch: a lag "
                "counts its own steps."
            )
    return told


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


def _beside(tape: Tape, states: Sequence[Entry], inputs: Sequence[Entry], steps: int) -> int:
    from_state: list[Call] = [call for entry in states for call in tape.givers(entry)]
    if from_state:
        return max(call.end for call in from_state)
    seen = [
        _last_seen(entry, leaf, tape.owners[id(leaf)][0]) if steps == 1 else call.clock
        for entry in inputs
        for leaf, call in zip(entry.leaves, tape.givers(entry), strict=True)
    ]
    return max(seen, default=0)


def _last_seen(entry: Entry, leaf: Tensor, giver: Call) -> int:
    """The last step of a whole sequence that one step's input depends on.

    A cell on top of a layer sees the step beside it; a decoder that attends sees them all.
    """
    layout = getattr(giver, "layout", None)
    if layout is None or giver.steps < 2 or entry.given.grad_fn is None:
        return giver.clock
    given = entry.given
    (found,) = torch.autograd.grad(
        given, leaf, torch.rand_like(given), retain_graph=True, materialize_grads=True
    )
    if found.shape != giver.outs[0].shape:
        return giver.clock
    read = (layout.read(found) != 0).flatten(1).any(1).nonzero()
    return giver.clock + (int(read[-1]) if len(read) else 0)


def _same_values(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(torch.equal(one.detach(), other.detach()))
