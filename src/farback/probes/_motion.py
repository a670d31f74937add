"""The motion behind each chain of states on a tape, or why it cannot be had.

A layer's map is known. A cell's map is its call repeated on other states: that holds where the
state goes from call to call as it is. Code between two calls that changes it (a dropout, a norm)
would be part of the map, and is not seen; such a chain has no motion, and says so.

Axes: T steps, B rows, M points, N state, I input.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from ..flow.motion import Motion
from ._cell_call import CellCall
from ._fused_call import FusedCall
from ._tape import Tape
from .layers._motion import layer_motion, motion_of
from .layers._stack import kind_of, weights_in

_CHANGED = "its state is changed by other code between two of its calls"
_TOGETHER = "its rows do not go each by itself: they are normed or counted together"
_UNLIKE = "a call repeated on the same state gives another: it draws random numbers or keeps some"


def motions(tape: Tape) -> dict[str, Motion | str]:
    """By the name of the chain: its motion, or the reason why there is none."""
    for name, weights in tape.weights.items():  # the model's own change once the forward is over
        tape.weights[name].update({key: value.clone() for key, value in weights.items()})
    found: dict[str, Motion | str] = {}
    for name in dict.fromkeys(call.name for call in tape.calls if call.steps):
        calls = [call for call in tape.calls if call.name == name]
        calls.sort(key=lambda call: call.clock)
        fused = [call for call in calls if isinstance(call, FusedCall)]
        cells = [call for call in calls if isinstance(call, CellCall)]
        if fused:
            found |= _of_layers(name, fused)
        elif cells:
            try:
                found[name] = _of_cells(tape, cells)
            except _Unmoved as reason:
                found[name] = str(reason)
    return found


class _Unmoved(Exception):
    """Why a chain has no motion."""


def _of_layers(name: str, calls: Sequence[FusedCall]) -> dict[str, Motion | str]:
    found: dict[str, Motion | str] = {}
    for layer, directions in enumerate(calls[0].runs):
        for d in range(len(directions)):
            runs = [call.runs[layer][d] for call in calls]
            joined = all(torch.equal(a.final, b.starts[0]) for a, b in pairwise(runs))
            key = f"{name}.l{layer}{'.reverse' if d else ''}"
            found[key] = layer_motion(runs) if joined else _CHANGED
    return found


def _of_cells(tape: Tape, calls: Sequence[CellCall]) -> Motion:
    if len(calls[0].copies) < len(calls[-1].copies):  # a first call without a state to begin with
        calls = calls[1:]
    first, again = calls[0], calls[0].again
    if again is None:
        raise _Unmoved("its step takes whole numbers, and can be run on its own batch only")
    if len(calls) < 2:
        raise _Unmoved("it takes its state once only, and one step does not tell where from")
    places = _places(calls)
    for before, after in pairwise(calls):
        handed = [before.outs[number] for number in first.state]
        taken = [after.copies[place] for place in places]
        if not all(
            a.shape == b.shape and torch.equal(a, b) for a, b in zip(handed, taken, strict=True)
        ):
            raise _Unmoved(_CHANGED)
    start = [first.copies[place] for place in places]
    if any(part.dim() < 2 or len(part) != first.rows for part in start):
        raise _Unmoved("its state does not have the rows of the batch as its first axis")
    shapes = [part.shape[1:] for part in start]
    rest = [n for n in range(len(first.copies)) if n not in places]
    driven = [n for n in rest if _is_input(first, n)]
    for n in rest:
        alike = all(torch.equal(first.copies[n], call.copies[n]) for call in calls[1:])
        if n not in driven and not alike:
            raise _Unmoved("something that it takes changes from step to step and has no rows")
    widths = [first.copies[n].shape[1:] for n in driven]
    fixed = {n: first.copies[n].detach().clone() for n in rest if n not in driven}

    def step(state: Tensor, x: Tensor) -> Tensor:
        parts = dict(zip(places, _unpacked(state, shapes), strict=True))
        parts |= dict(zip(driven, _unpacked(x, widths), strict=True)) | fixed
        results = again([parts[n] for n in range(len(parts))])
        return _packed([results[number] for number in first.state])

    last = [calls[-1].outs[number] for number in first.state]
    states = [[call.copies[place] for place in places] for call in calls]
    states = torch.stack([_packed(parts).detach() for parts in [*states, last]])
    inputs = torch.stack([_inputs(call, driven) for call in calls])
    if isinstance(first.cell, nn.RNNCellBase):
        weights = weights_in(tape.weights[first.module])
        return motion_of(kind_of(first.cell), weights, states, inputs)
    motion = Motion(states, inputs, step, _blocks(first, shapes))
    _refuse_unlike(motion)
    return motion


def _places(calls: Sequence[CellCall]) -> list[int]:
    """Where each part of the state enters the second call."""
    before, after = calls[:2]
    found = []
    for number in before.state:
        leaf = before.outs[number]
        here = [n for n, e in enumerate(after.entries) if any(it is leaf for it in e.leaves)]
        if len(here) != 1:
            raise _Unmoved(_CHANGED)
        found += here
    return found


def _is_input(call: CellCall, number: int) -> bool:
    """Whether an argument has a row for each row of the batch, and is no parameter."""
    given = call.entries[number].given
    own = given.requires_grad and given.is_leaf and not call.entries[number].leaves
    return not own and given.dim() > 1 and len(given) == call.rows


def _inputs(call: CellCall, driven: Sequence[int]) -> Tensor:
    if not driven:
        return call.copies[0].new_zeros(call.rows, 0).detach()
    return _packed([call.copies[n] for n in driven]).detach().clone()


def _blocks(call: CellCall, shapes: Sequence[torch.Size]) -> dict[str, slice]:
    blocks, first = {}, 0
    for name, shape in zip(call.block_names, shapes, strict=True):
        blocks[name] = slice(first, first + shape.numel())
        first += shape.numel()
    return blocks


def _packed(parts: Sequence[Tensor]) -> Tensor:
    return torch.cat([part.flatten(1) for part in parts], -1)


def _unpacked(whole: Tensor, shapes: Sequence[torch.Size]) -> list[Tensor]:
    sizes = [shape.numel() for shape in shapes]
    parts = whole.split(sizes, -1) if sizes else ()
    return [part.unflatten(-1, shape) for part, shape in zip(parts, shapes, strict=True)]


def _refuse_unlike(motion: Motion) -> None:
    """The map must lead where the batch was led, any number of its states at once."""
    ends = [0, len(motion.inputs) - 1]
    for p in ends:
        _refuse_elsewhere(motion, motion.states[p], motion.inputs[p], motion.states[p + 1], _UNLIKE)
    several = [
        torch.cat([x[p + shift] for p in ends])
        for x, shift in ((motion.states, 0), (motion.inputs, 0), (motion.states, 1))
    ]
    for rows in (slice(None), slice(1)):
        state, x, after = (part[rows] for part in several)
        _refuse_elsewhere(motion, state, x, after, _TOGETHER)


def _refuse_elsewhere(motion: Motion, state: Tensor, x: Tensor, after: Tensor, why: str) -> None:
    eps = 1e3 * torch.finfo(state.dtype).eps
    try:
        with torch.no_grad():
            found = motion.step(state, x)
    except Exception as error:  # the user's own code, outside the forward that it was made for
        alone = f"its step cannot be run by itself ({type(error).__name__})"
        raise _Unmoved(alone if why == _UNLIKE else why) from error
    if found.shape != after.shape or not torch.allclose(found, after, rtol=eps, atol=eps):
        raise _Unmoved(why)
