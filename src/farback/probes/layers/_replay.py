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
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ...flow.scaled import NOTHING, Scaled, add, normalise
from ._kind import Kind, Pulled, Weights

BLOCK = 64
"""Steps handled at a time on the way back, where no chunk is asked for."""


class Block(NamedTuple):
    """What the way back met in the steps [first, first + S): adjoints and errors, each scaled."""

    first: int
    adjoint: Float[Tensor, "S K B N"]
    exponent: Int[Tensor, "S K B"]
    hidden: Float[Tensor, "S K B G"]
    input: Float[Tensor, "S K B G"]
    before: Float[Tensor, "S B N"]
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
    outputs: Float[Tensor, "T B P"]
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
    states, kept = [start], []
    for p, drive in enumerate(kind.drive(weights, x)):
        after, gates = kind.step(weights, states[-1], drive)
        if valid is not None:
            after = torch.where(valid[p].unsqueeze(-1), after, states[-1])
        states.append(after)
        kept.append(gates)
    return Piece(torch.stack(states), torch.stack(kept))


def replay(
    kind: Kind,
    weights: Weights,
    x: Float[Tensor, "T B I"],
    start: Float[Tensor, "B N"],
    *,
    valid: Bool[Tensor, "T B"] | None = None,
    chunk: int | None = None,
) -> Replay:
    """Run the layer step by step; with `chunk`, keep only what the way back cannot recompute."""
    size = chunk or BLOCK
    pieces, starts, outputs = [], [], []
    width = kind.blocks(weights)["h"]
    state = start
    for first in range(0, len(x), size):
        held = None if valid is None else valid[first : first + size]
        piece = _run(kind, weights, x[first : first + size], state, held)
        starts.append(state)
        outputs.append(piece.states[1:, :, width])
        state = piece.states[-1]
        if chunk is None:
            pieces.append(piece)
    return Replay(
        kind=kind,
        weights=weights,
        x=x,
        valid=valid,
        pieces=tuple(pieces),
        starts=torch.stack(starts),
        outputs=torch.cat(outputs),
        final=state,
        chunk=size,
    )


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
    for first, piece in run.stretches():
        steps = len(piece.kept)
        slopes = kind.slopes(piece.states[:-1], piece.states[1:], piece.kept)
        by_step = [tuple(slope[p] for slope in slopes) for p in range(steps)]
        adjoints, exponents, pulls = [], [], []
        for p in range(steps - 1, -1, -1):
            arrival = arriving[first + p]
            if arrival is not None:
                adjoint = _arrive(adjoint, arrival, rescale)
            pulled = kind.pull(weights, by_step[p], adjoint.mantissa)
            if run.valid is not None:
                pulled = _hold(pulled, adjoint.mantissa, run.valid[first + p])
            adjoints.append(adjoint.mantissa)
            exponents.append(adjoint.exponent)
            pulls.append(pulled)
            if rescale:
                adjoint = normalise(pulled.before, adjoint.exponent)
            else:
                adjoint = Scaled(pulled.before, adjoint.exponent)
        hidden = torch.stack([pulled.hidden for pulled in reversed(pulls)])
        shared = pulls[0].input is pulls[0].hidden
        inputs = hidden if shared else torch.stack([pulled.input for pulled in reversed(pulls)])
        block = Block(
            first=first,
            adjoint=torch.stack(adjoints[::-1]),
            exponent=torch.stack(exponents[::-1]),
            hidden=hidden,
            input=inputs,
            before=piece.states[:-1],
            x=run.x[first : first + steps],
            kept=piece.kept,
        )
        take(block)
        if wants_input:
            error = inputs @ weights.input
            if rescale:
                at_input.append(normalise(error, block.exponent))
            else:
                at_input.append(Scaled(error, block.exponent))
    if not wants_input:
        return Arrived(adjoint, None)
    mantissa = torch.cat([error.mantissa for error in reversed(at_input)])
    exponent = torch.cat([error.exponent for error in reversed(at_input)])
    return Arrived(adjoint, Scaled(mantissa, exponent))


def _arrive(adjoint: Scaled, arrival: Scaled, rescale: bool) -> Scaled:
    """Add an error that enters at the output, which is the first block of the state."""
    missing = adjoint.mantissa.shape[-1] - arrival.mantissa.shape[-1]
    padded = torch.nn.functional.pad(arrival.mantissa, (0, missing))
    if not rescale:
        return Scaled(adjoint.mantissa + padded, adjoint.exponent)
    total = add(adjoint, Scaled(padded, arrival.exponent))
    return normalise(total.mantissa, total.exponent)


def _hold(pulled: Pulled, adjoint: Tensor, valid: Tensor) -> Pulled:
    """Where a row is not valid the step is the identity: nothing is pulled through the weights."""
    row = valid.unsqueeze(-1)
    hidden = pulled.hidden * row
    inputs = hidden if pulled.input is pulled.hidden else pulled.input * row
    return Pulled(torch.where(row, pulled.before, adjoint), hidden, inputs)


def nothing(like: Tensor, *shape: int) -> Scaled:
    """No error at all, of the given shape."""
    exponent = torch.full(shape[:-1], NOTHING, dtype=torch.int64, device=like.device)
    return Scaled(like.new_zeros(shape), exponent)
