"""How a place where the data enter is met: an embedding of tokens, or a layer named by the user."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ._batch import Batch
from ._source import Source
from ._tape import Tape, floating, rebuilt
from .layers._layout import Dense, Layout, Packed


def embed(
    tape: Tape,
    name: str,
    own: Callable[..., Any],
    given: Tensor,
    tokens: Sequence[Tensor | PackedSequence],
    batch: Batch,
) -> Tensor:
    """An embedding of the batch's own tokens is where the data enter; any other is not."""
    values = own(given)
    layout = next((_layout(t, batch) for t in tokens if _shares(t.data, given)), None)
    if layout is None:
        return values
    source = Source(name, layout, [tape.leaf(values)])
    tape.add(source)
    tape.note(f"The input is tokens, so the error is followed to the output of {name}.")
    return tape.handed(source.outs[0])


def _layout(tokens: Tensor | PackedSequence, batch: Batch) -> Layout | None:
    """How the embedded tokens will lie; None for what is no sequence, such as a label a row."""
    if isinstance(tokens, PackedSequence):
        return Packed.of(tokens)
    if tokens.dim() == 2 or (tokens.dim() == 1 and batch.rows == 1):
        return Dense(batch.batch_first, unbatched=tokens.dim() == 1)
    return None


def _shares(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and bool(torch.equal(one, other))


def whole(answer: Any, batch: Batch) -> bool:
    """Whether an answer holds all steps of the batch at once, so that its module is no cell."""
    given, *_ = floating(answer)
    shapes = ((batch.rows, batch.steps), (batch.steps, batch.rows))
    return any(x.dim() > 2 and tuple(x.shape[:2]) in shapes for x in given)


def enter(tape: Tape, name: str, answer: Any, batch: Batch) -> Any:
    """Measure at the output of a layer that the user named: what lies before it is not followed."""
    tensors, flat, spec = floating(answer)
    outs = [tape.leaf(x) for x in tensors]
    for out in outs:
        tape.add(Source(name, Dense(batch.batch_first, unbatched=False), [out]))
    tape.note(
        f"{name} gives all steps at once, so it is no cell: the input is taken at its output."
    )
    return rebuilt(flat, spec, [tape.handed(out) for out in outs])
