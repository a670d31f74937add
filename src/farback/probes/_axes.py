"""Which axis of the input is time, told by what the recurrent layers made of it.

A model may transpose or pack its input before a layer sees it; so the layer's own batch_first says
little about the batch. Afterwards the tape knows how many rows and steps there were.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from ._batch import Batch
from ._fused_call import FusedCall
from ._source import Source
from ._tape import Call, Tape
from .layers._layout import Dense, Packed


def settle_axes(tape: Tape) -> None:
    """Set the layout, and the rows' true lengths, of every place where the data enter."""
    calls = [call for call in tape.calls if call.steps and call.name != "output"]
    layouts = [call.layout for call in calls if isinstance(call, FusedCall)]
    packed = next((layout for layout in layouts if isinstance(layout, Packed)), None)
    for source in _padded(tape):
        shape = source.outs[0].shape
        if packed is not None:
            lengths = packed.exists.sum(0)
            order = packed.unsorted_indices
            source.lengths = lengths if order is None else lengths[order]
            source.layout = Dense(batch_first=shape[0] == len(lengths), unbatched=False)
        elif calls and calls[0].rows != tape.steps:
            as_rows, as_steps = (calls[0].rows, tape.steps), (tape.steps, calls[0].rows)
            if shape[:2] in (as_rows, as_steps):
                source.layout = Dense(batch_first=shape[:2] == as_rows, unbatched=False)
        elif calls and shape[0] == shape[1]:
            told = _batch_first(calls[0], source.outs[0])
            if told is not None:
                source.layout = Dense(batch_first=told, unbatched=False)
        steps = source.layout.read(source.outs[0]).shape[0]
        if calls and packed is None and steps > tape.steps:
            tape.note(
                f"{source.name} has {steps} steps and the recurrent layers {tape.steps}: a lag at "
                "the input counts its own steps, a lag of the adjoint counts the layers'."
            )


def _batch_first(call: Call, leaf: Tensor) -> bool | None:
    """Which of two axes of one length is the batch: where one row, or one step, comes from."""
    entry = next((e for e in call.entries if any(x is leaf for x in e.leaves)), None)
    if entry is None:
        return None
    sent = torch.ones_like(entry.given)
    if isinstance(call, FusedCall):
        sent = call.layout.read(sent).clone()
        sent[:, 1:] = 0  # one row, all steps
        sent = call.layout.write(sent)
    (found,) = torch.autograd.grad(entry.given, leaf, sent, retain_graph=True)
    met = (found != 0).flatten(2).any(2)
    one_first, one_second = int(met.any(1).sum()) == 1, int(met.any(0).sum()) == 1
    if one_first == one_second:
        return None
    return one_first if isinstance(call, FusedCall) else one_second


def read_as(batch: Batch, tape: Tape) -> Batch:
    """The batch as the layers read it."""
    layouts = [source.layout for source in _padded(tape) if isinstance(source.layout, Dense)]
    if not layouts or layouts[0].batch_first == batch.batch_first:
        return batch
    return replace(batch, batch_first=not batch.batch_first, steps=batch.rows, rows=batch.steps)


def _padded(tape: Tape) -> list[Source]:
    """The places where whole batches enter as one tensor [B, T, F] or [T, B, F]."""
    sources = [call for call in tape.calls if isinstance(call, Source)]
    return [s for s in sources if isinstance(s.layout, Dense) and s.outs[0].dim() > 2]
