"""The error pulled back through one direction of one layer.

It goes in blocks of steps. Within a block the local derivatives come from a few large products;
only the recursion itself is sequential, and it is rescaled after every step (flow/scaled.py).

Axes: S steps of a block, K loss times, B rows, N state, P output, G nets, M kept values, I input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ...flow.scaled import NOTHING, Scaled, add, normalise
from ._replay import Piece, Replay


class Block(NamedTuple):
    """What the way back met in the steps [first, first + S): adjoints and errors, each scaled.

    K counts only the loss times in `draws`, whose errors were under way.
    """

    first: int
    draws: slice
    adjoint: Float[Tensor, "S K B N"]
    exponent: Int[Tensor, "S K B"]
    hidden: Float[Tensor, "S K B G"]
    input: Float[Tensor, "S K B G"]
    before: Float[Tensor, "S B N"]
    after: Float[Tensor, "S B N"]
    x: Float[Tensor, "S B I"]
    kept: Float[Tensor, "S B M"]


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
    at_input: list[Scaled] = []
    room = _Room(run, final)
    awake = _woken(slice(0, 0), final, rescale)
    for first, piece in run.stretches():
        steps = len(piece.kept)
        slopes = kind.slopes(piece.states[:-1], piece.states[1:], piece.kept)
        by_step = list(zip(*(slope.unbind() for slope in slopes), strict=True))
        room.begin(steps)
        for p in range(steps - 1, -1, -1):
            arrival = arriving[first + p]
            if arrival is not None:
                awake = _woken(awake, arrival, rescale)
                _arrive(room.at(p, awake), arrival, awake, rescale)
            here, after = room.at(p, awake), room.at(p - 1, awake)
            errors, before = room.errors[p, awake], room.before[awake]
            kind.pull(weights, by_step[p], here.mantissa, errors, before)
            if run.valid is not None:
                _hold(before, errors, here.mantissa, run.valid[first + p])
            _put(after, normalise(before, here.exponent) if rescale else Scaled(before, here[1]))
        block = room.block(first, piece, run, awake)
        take(block)
        if wants_input:
            error = room.nothing(steps, weights.input.shape[1])
            own = Scaled(block.input @ weights.input, block.exponent)
            _put(
                Scaled(error.mantissa[:, awake], error.exponent[:, awake]),
                normalise(*own) if rescale else own,
            )
            at_input.append(error)
    if not wants_input:
        return Arrived(room.left, None)
    mantissa = torch.cat([error.mantissa for error in reversed(at_input)])
    exponent = torch.cat([error.exponent for error in reversed(at_input)])
    return Arrived(room.left, Scaled(mantissa, exponent))


class _Room:
    """The tensors that a block of the way back is written into, made once.

    A loss time sleeps until its error arrives; until then its place holds zeros, and no work is
    done for it. `left` is the adjoint that leaves the block at its first step.
    """

    def __init__(self, run: Replay, final: Scaled):
        steps, (draws, rows, states) = min(run.chunk, run.steps), final.mantissa.shape
        kept = run.kind.drive(run.weights, run.x[:1]).shape[-1]
        self.level = int(final.exponent.min())
        self.adjoint = final.mantissa.new_zeros(steps, draws, rows, states)
        self.exponent = final.exponent.new_full((steps, draws, rows), self.level)
        self.errors = final.mantissa.new_zeros(steps, draws, rows, kept)
        self.before = torch.empty_like(final.mantissa)
        self.left = Scaled(final.mantissa.clone(), final.exponent.clone())

    def begin(self, steps: int) -> None:
        """Start a block of so many steps with the adjoint that left the one after it."""
        _put(Scaled(self.adjoint[steps - 1], self.exponent[steps - 1]), self.left)

    def at(self, p: int, awake: slice) -> Scaled:
        """The adjoint at step p of the block; at -1 the one that leaves it."""
        if p < 0:
            return Scaled(self.left.mantissa[awake], self.left.exponent[awake])
        return Scaled(self.adjoint[p, awake], self.exponent[p, awake])

    def nothing(self, steps: int, width: int) -> Scaled:
        """No error at the input of so many steps."""
        shape = (steps, *self.exponent.shape[1:])
        mantissa = self.adjoint.new_zeros(*shape, width)
        return Scaled(mantissa, self.exponent.new_full(shape, self.level))

    def block(self, first: int, piece: Piece, run: Replay, awake: slice) -> Block:
        """What was written of the steps from `first` on."""
        steps = len(piece.kept)
        errors = self.errors[:steps, awake]
        return Block(
            first=first,
            draws=awake,
            adjoint=self.adjoint[:steps, awake],
            exponent=self.exponent[:steps, awake],
            hidden=run.kind.hidden_errors(errors),
            input=run.kind.input_errors(errors),
            before=piece.states[:-1],
            after=piece.states[1:],
            x=run.x[first : first + steps],
            kept=piece.kept,
        )


def _woken(awake: slice, arrival: Scaled, rescale: bool) -> slice:
    """The range of loss times whose error is under way, with those that arrive now."""
    if awake == slice(0, len(arrival.exponent)):
        return awake
    alive = arrival.exponent > NOTHING // 2 if rescale else (arrival.mantissa != 0).any(-1)
    found = alive.flatten(1).any(1).nonzero().flatten().tolist()
    if not found:
        return awake
    if awake.start == awake.stop:
        return slice(found[0], found[-1] + 1)
    return slice(min(awake.start, found[0]), max(awake.stop, found[-1] + 1))


def _arrive(adjoint: Scaled, arrival: Scaled, awake: slice, rescale: bool) -> None:
    """Add an error that enters at the output, which is the first block of the state, in place."""
    missing = adjoint.mantissa.shape[-1] - arrival.mantissa.shape[-1]
    padded = torch.nn.functional.pad(arrival.mantissa[awake], (0, missing))
    if rescale:
        _put(adjoint, normalise(*add(adjoint, Scaled(padded, arrival.exponent[awake]))))
    else:
        adjoint.mantissa.add_(padded)


def _put(place: Scaled, value: Scaled) -> None:
    place.mantissa.copy_(value.mantissa)
    place.exponent.copy_(value.exponent)


def _hold(before: Tensor, errors: Tensor, adjoint: Tensor, valid: Tensor) -> None:
    """Where a row is not valid the step is the identity: nothing is pulled through the weights."""
    row = valid.unsqueeze(-1)
    errors.mul_(row)
    torch.where(row, before, adjoint, out=before)


def nothing(like: Tensor, *shape: int) -> Scaled:
    """No error at all, of the given shape."""
    exponent = torch.full(shape[:-1], NOTHING, dtype=torch.int64, device=like.device)
    return Scaled(like.new_zeros(shape), exponent)
