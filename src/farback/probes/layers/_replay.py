"""One direction of one layer run step by step, and the error pulled back through that run.

Time runs in the direction of processing, p = 0 ... T - 1; a backward direction is handed its input
reversed. Rows of unequal length are masked: a step that is not valid leaves the state as it is.

The way back is done in blocks of steps. Within a block the local derivatives come from a few large
products; only the recursion itself is sequential, and it is rescaled after every step
(flow/scaled.py). With `chunk`, the gates are not stored but computed again from the states kept at
the start of each chunk, which bounds the memory by the chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...flow.scaled import NOTHING, Scaled, add, normalise
from ._kind import Kind, Weights

BLOCK = 32
"""Steps handled at a time on the way back, where no chunk is asked for."""


class Block(NamedTuple):
    """What the way back met in the steps [first, first + S): adjoints and errors, each scaled."""

    first: int
    adjoint: Float[Tensor, "S K B N"]
    exponent: Int[Tensor, "S K B"]
    hidden: Float[Tensor, "S K B G"]
    input: Float[Tensor, "S K B G"]
    before: Float[Tensor, "S B N"]
    after: Float[Tensor, "S B N"]
    x: Float[Tensor, "S B I"]
    kept: Float[Tensor, "S B M"]


class Piece(NamedTuple):
    """A stretch of the run: states around each step, and the gate values."""

    states: Float[Tensor, "S1 B N"]
    kept: Float[Tensor, "S B M"]


@dataclass(frozen=True)
class Replay:
    """One direction of one layer over one input. `final` is the state after the last step."""

    kind: Kind
    weights: Weights
    x: Float[Tensor, "T B I"]
    valid: Bool[Tensor, "T B"] | None
    pieces: tuple[Piece, ...]
    starts: Float[Tensor, "C B N"]
    final: Float[Tensor, "B N"]
    chunk: int

    @property
    def steps(self) -> int:
        """T."""
        return len(self.x)

    def stretches(self) -> Iterator[tuple[int, Piece]]:
        """The run from its end to its start, as (first step, piece)."""
        for number in range(len(self.starts) - 1, -1, -1):
            first = number * self.chunk
            if self.pieces:
                yield first, self.pieces[number]
            else:
                valid = None if self.valid is None else self.valid[first : first + self.chunk]
                x = self.x[first : first + self.chunk]
                yield first, _run(self.kind, self.weights, x, self.starts[number], valid)


def _run(kind: Kind, weights: Weights, x: Tensor, start: Tensor, valid: Tensor | None) -> Piece:
    """Equation (1) of the kind, over a stretch."""
    nets = kind.drive(weights, x)
    states = start.new_empty(len(x) + 1, *start.shape)
    states[0] = start
    for p, (before, after) in enumerate(pairwise(states.unbind())):
        kind.step(weights, before, nets[p], after)
        if valid is not None:
            torch.where(valid[p].unsqueeze(-1), after, before, out=after)
    return Piece(states, nets)


def replay(
    kind: Kind,
    weights: Weights,
    x: Float[Tensor, "T B I"],
    start: Float[Tensor, "B N"],
    *,
    valid: Bool[Tensor, "T B"] | None = None,
    chunk: int | None = None,
) -> tuple[Replay, Float[Tensor, "T B P"]]:
    """Run the layer step by step; return the run and its outputs.

    With `chunk`, the run keeps only what the way back cannot recompute.
    """
    size = chunk or BLOCK
    pieces, starts = [], []
    width = kind.blocks(weights)["h"]
    outputs = start.new_empty(*x.shape[:2], width.stop)
    state = start
    for first in range(0, len(x), size):
        held = None if valid is None else valid[first : first + size]
        piece = _run(kind, weights, x[first : first + size], state, held)
        starts.append(state)
        outputs[first : first + size] = piece.states[1:, :, width]
        state = piece.states[-1].clone()  # not a view, which would keep the whole piece
        if chunk is None:
            pieces.append(piece)
    run = Replay(
        kind=kind,
        weights=weights,
        x=x,
        valid=valid,
        pieces=tuple(pieces),
        starts=torch.stack(starts),
        final=state,
        chunk=size,
    )
    return run, outputs


class Arrived(NamedTuple):
    """What reached the start of the run: the adjoint of the first state, and the input's errors."""

    start: Scaled
    input: Scaled | None


def pull_back(
    run: Replay,
    arriving: Sequence[Scaled | None],
    final: Scaled,
    take: Callable[[Block], None],
    *,
    wants_input: bool,
    rescale: bool = True,
) -> Arrived:
    """Follow the errors from the outputs back to the start.

    Args:
        run: the layer's run.
        arriving: for each step the error [K, B, P] that enters its output, or None.
        final: the error [K, B, N] that enters the last state directly.
        take: receives each block of steps, from the last to the first.
        wants_input: whether the error at the input is followed as well.
        rescale: False repeats what plain arithmetic would hold, underflow and all.
    """
    kind, weights = run.kind, run.weights
    adjoint = final
    at_input: list[Scaled] = []
    room = _Room(run, final)
    for first, piece in run.stretches():
        steps = len(piece.kept)
        slopes = kind.slopes(piece.states[:-1], piece.states[1:], piece.kept)
        by_step = list(zip(*(slope.unbind() for slope in slopes), strict=True))
        for p in range(steps - 1, -1, -1):
            arrival = arriving[first + p]
            if arrival is not None:
                adjoint = _arrive(adjoint, arrival, rescale)
            room.adjoint[p].copy_(adjoint.mantissa)
            room.exponent[p].copy_(adjoint.exponent)
            errors = room.errors[p]
            kind.pull(weights, by_step[p], adjoint.mantissa, errors, room.before)
            if run.valid is not None:
                _hold(room.before, errors, adjoint.mantissa, run.valid[first + p])
            if rescale:
                adjoint = normalise(room.before, adjoint.exponent)
            else:
                adjoint = Scaled(room.before.clone(), adjoint.exponent)
        block = room.block(first, piece, run)
        take(block)
        if wants_input:
            error = block.input @ weights.input
            exponent = block.exponent.clone()
            at_input.append(normalise(error, exponent) if rescale else Scaled(error, exponent))
    if not wants_input:
        return Arrived(adjoint, None)
    mantissa = torch.cat([error.mantissa for error in reversed(at_input)])
    exponent = torch.cat([error.exponent for error in reversed(at_input)])
    return Arrived(adjoint, Scaled(mantissa, exponent))


class _Room:
    """The tensors that a block of the way back is written into, made once."""

    def __init__(self, run: Replay, final: Scaled):
        steps, (draws, rows, states) = min(run.chunk, run.steps), final.mantissa.shape
        kept = run.kind.drive(run.weights, run.x[:1]).shape[-1]
        self.adjoint = final.mantissa.new_empty(steps, draws, rows, states)
        self.exponent = final.exponent.new_empty(steps, draws, rows)
        self.errors = final.mantissa.new_empty(steps, draws, rows, kept)
        self.before = torch.empty_like(final.mantissa)

    def block(self, first: int, piece: Piece, run: Replay) -> Block:
        """What was written of the steps from `first` on."""
        steps = len(piece.kept)
        errors = self.errors[:steps]
        return Block(
            first=first,
            adjoint=self.adjoint[:steps],
            exponent=self.exponent[:steps],
            hidden=run.kind.hidden_errors(errors),
            input=run.kind.input_errors(errors),
            before=piece.states[:-1],
            after=piece.states[1:],
            x=run.x[first : first + steps],
            kept=piece.kept,
        )


def _arrive(adjoint: Scaled, arrival: Scaled, rescale: bool) -> Scaled:
    """Add an error that enters at the output, which is the first block of the state."""
    missing = adjoint.mantissa.shape[-1] - arrival.mantissa.shape[-1]
    padded = torch.nn.functional.pad(arrival.mantissa, (0, missing))
    if not rescale:
        return Scaled(adjoint.mantissa + padded, adjoint.exponent)
    total = add(adjoint, Scaled(padded, arrival.exponent))
    return normalise(total.mantissa, total.exponent)


def _hold(before: Tensor, errors: Tensor, adjoint: Tensor, valid: Tensor) -> None:
    """Where a row is not valid the step is the identity: nothing is pulled through the weights."""
    row = valid.unsqueeze(-1)
    errors.mul_(row)
    torch.where(row, before, adjoint, out=before)


def nothing(like: Tensor, *shape: int) -> Scaled:
    """No error at all, of the given shape."""
    exponent = torch.full(shape[:-1], NOTHING, dtype=torch.int64, device=like.device)
    return Scaled(like.new_zeros(shape), exponent)
