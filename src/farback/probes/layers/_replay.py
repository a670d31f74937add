"""One direction of one layer, run step by step.

Time runs in the direction of processing, p = 0 ... T - 1; a backward direction is handed its input
reversed. Rows of unequal length are masked: a step that is not valid leaves the state as it is.
With `chunk`, the gates are not stored but computed again from the states kept at the start of each
chunk, which bounds the memory by the chunk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ._kind import Kind, Weights

BLOCK = 32
"""Steps handled at a time on the way back, where no chunk is asked for."""


class Piece(NamedTuple):
    """A stretch of the run: states around each step, and the gate values."""

    states: Float[Tensor, "S1 B N"]
    kept: Float[Tensor, "S B M"]


@dataclass(frozen=True)
class Replay:
    """One direction of one layer over one input. `final` is the state after the last step.

    `pieces` are let go one by one as the way back meets them: it needs room where they were.
    """

    kind: Kind
    weights: Weights
    x: Float[Tensor, "T B I"]
    valid: Bool[Tensor, "T B"] | None
    pieces: list[Piece]
    starts: Float[Tensor, "C B N"]
    final: Float[Tensor, "B N"]
    chunk: int

    @property
    def steps(self) -> int:
        """T."""
        return len(self.x)

    def stretches(self) -> Iterator[tuple[int, Piece]]:
        """The run from its end to its start, as (first step, piece); it can be gone over once."""
        for number in range(len(self.starts) - 1, -1, -1):
            first = number * self.chunk
            if self.pieces:
                yield first, self.pieces.pop()
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
        pieces=pieces,
        starts=torch.stack(starts),
        final=state,
        chunk=size,
    )
    return run, outputs
