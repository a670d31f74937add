"""How a fused recurrent layer is met: taken apart into layers and directions, and replayed.

The user's code goes on with the layer's own output, bit for bit, except where the layer draws a
dropout mask between its layers: that mask cannot be known from outside, so there the replay's own
output, under one mask drawn here, is handed on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ._broken import NotFinite
from ._clock import place
from ._faithful import compare, flat
from ._fused_call import FusedCall
from ._memory import chunk_that_fits
from ._tape import Tape
from .layers._stack import Masks, Stack, kind_of, layout_of, run_layers, states_of


def meet(
    tape: Tape, module: str, layer: nn.RNNBase, own: Callable[..., Any], given: Any, hx: Any
) -> Any:
    """Answer the user's call of `layer`, and put it on the tape. `own` is the layer's forward."""
    if _misfits(layer, given):
        own(given, hx)  # which refuses it in the layer's own words
    layout, data = layout_of(layer, given), _data(given)
    entries = [tape.entry(x) for x in (data, *states_of(hx))]
    dtype = tape.dtype or data.dtype
    with torch.no_grad(), torch.autocast(data.device.type, enabled=False):
        x = layout.read(data.detach()).to(dtype)
        starts = [layout.read_rows(s.detach()).to(dtype) for s in states_of(hx)]
        chunk = tape.chunk or chunk_that_fits(layer, kind_of(layer).gates, x)
        if chunk != tape.chunk:
            tape.note(
                f"{module}: the whole replay would not fit into the free memory, so it was done in "
                f"chunks of {chunk} steps; no number depends on that."
            )
        masks = _masks(layer, x)
    answer = None
    if dtype == data.dtype and not any(mask is not None for mask in masks):
        with torch.no_grad():
            answer = flat(own(given, hx))
    with torch.no_grad(), torch.autocast(data.device.type, enabled=False):
        stack = run_layers(layer, x, starts, layout, masks=masks, chunk=chunk)
        _refuse_broken(module, stack)
        if dtype == data.dtype:
            compare(tape, module, layer, given, hx, answer=answer, ours=stack.values)
    values = stack.values if answer is None else answer
    where = place(tape, module, entries, first_state=1, steps=len(x))
    call = FusedCall(
        module=module,
        name=where.name,
        clock=where.clock,
        steps=len(x),
        rows=x.shape[1],
        kind=type(layer).__name__,
        layout=layout,
        runs=stack.runs,
        masks=masks,
        entries=entries,
        outs=[tape.leaf(value) for value in values],
    )
    tape.add(call)
    return _as_answer(given, [tape.handed(out) for out in call.outs])


def _misfits(layer: nn.RNNBase, given: Any) -> bool:
    if not isinstance(given, Tensor | PackedSequence):
        return True
    data = _data(given)
    fits = data.dim() in (2, 3) and data.shape[-1] == layer.input_size
    return not fits or not data.is_floating_point()


def _data(given: Any) -> Tensor:
    return given.data if isinstance(given, PackedSequence) else given


def _masks(layer: nn.RNNBase, x: Tensor) -> Masks:
    """One dropout mask for the input of each layer above the first."""
    keep = 1 - layer.dropout
    if not layer.training or not layer.dropout:
        return (None,) * layer.num_layers
    width = (layer.proj_size or layer.hidden_size) * (2 if layer.bidirectional else 1)
    blank = x.new_zeros(*x.shape[:2], width)
    drawn = [blank.bernoulli(keep) / max(keep, 1e-9) for _ in range(layer.num_layers - 1)]
    return (None, *drawn)


def _refuse_broken(module: str, stack: Stack) -> None:
    if stack.broken is None:
        return
    number, d, step = stack.broken
    clock = len(stack.runs[number][d].x) - 1 - step if d else step
    raise NotFinite(
        f"{module}.l{number}{'.reverse' if d else ''} first gives NaN or infinity at step {clock}, "
        "where finite states were expected; look at the input at that step, or at the size of the "
        "weights.",
        module,
    )


def _as_answer(given: Any, outs: list[Tensor]) -> Any:
    output: Any = outs[0]
    if isinstance(given, PackedSequence):
        output = PackedSequence(
            outs[0], given.batch_sizes, given.sorted_indices, given.unsorted_indices
        )
    return output, outs[1] if len(outs) == 2 else tuple(outs[1:])
