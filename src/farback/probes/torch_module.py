"""An ordinary torch module as the subject: run once, with its recurrent calls on the tape.

Fused layers, PyTorch's cells and the user's own cells are found by themselves. A module without any
is measured all the same: the sensitivity of each output step to the embedded input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence
from torch.utils import _pytree

from ..errors import InputRefused, WrongUsage
from ..flow.trace import Trace
from ._arithmetic import copied, forward, model_dtype, name_of
from ._axes import read_as, settle_axes
from ._batch import Batch, is_packed
from ._broken import Forward, explained
from ._clock import told_uses
from ._find_cells import RECURRENT, find_cells, named_cells
from ._landscape import of_module, with_landscape
from ._loss import (
    picked,
    refuse_blind,
    refuse_without_entrance,
    refuse_without_graph,
    scalars,
)
from ._measure import Question, Taken, measured
from ._output import cut_output, first_of_layer
from ._recording import recording
from ._source import Source
from ._tape import Tape, as_real, is_floating, like
from ._untouched import untouched
from .layers._layout import Dense, Packed

_HALF = (torch.float16, torch.bfloat16)


@torch.inference_mode(False)
def trace_module(
    model: nn.Module,
    batch: Batch,
    question: Question,
    advance: Callable[[int, int], None],
    *,
    layout_said: bool,
) -> tuple[Trace, Batch, list[str]]:
    """Measure the error flow of `model`; return the batch as it was read, and what to know."""
    dtype = model_dtype(model, batch)
    working = torch.float64 if question.depth == "deep" or dtype in _HALF else None
    cells = [] if question.cells is None else named_cells(model, question.cells)
    notes = list(batch.remarks)

    @contextmanager
    def take(arithmetic: torch.dtype | None, *, writable: bool) -> Iterator[Taken]:
        with untouched(model, question.seed) as changes:
            taken = _take(model, batch, question, cells, arithmetic, writable=writable)
            yield taken
        if changes.rewritten:
            taken.tape.note(
                f"The forward rewrites {', '.join(sorted(changes.rewritten))}; this was put back, "
                "and the probe began with what was there."
            )
        if changes.drew:
            taken.tape.note(
                "The forward draws random numbers (dropout, noise): one draw was used for the "
                f"whole probe, seed {question.seed}."
            )

    if not cells and not isinstance(model, RECURRENT):
        with untouched(model, question.seed):
            given = copied(batch, None)
            cells = find_cells(model, lambda: forward(model, given, None), batch.steps)
        if cells:
            notes.append(
                f"Found by its feedback: {', '.join(cells)} is called once a step; its output that "
                "comes back is the state. Name another with cells= (--cells)."
            )
    subject = f"{type(model).__name__} ({_size(model)} parameters)"

    def run(*, writable: bool) -> tuple[Trace, Taken]:
        return measured(
            partial(take, writable=writable),
            question,
            advance,
            subject=subject,
            working=working,
            model_dtype=dtype,
        )

    def alone() -> None:
        with untouched(model, question.seed):
            forward(model, copied(batch, working), working)

    wide = working is not None and dtype not in (*_HALF, working)
    try:
        trace, taken = explained(run, Forward(model, batch, alone))
    except InputRefused:
        if not wide:
            raise
        working = None  # its code may name a type, as torch.zeros does
        trace, taken = explained(run, Forward(model, batch, alone))
        notes.append(f"The model runs in {name_of(dtype)} only; float64 was not tried further.")
    read = read_as(batch, taken.tape)
    if layout_said and read.batch_first != batch.batch_first:
        raise WrongUsage(
            f"layout= says {'batch' if batch.batch_first else 'time'} first, but the recurrent "
            f"layer takes this batch as {read.reading.removeprefix('read as ')}; transpose the "
            "batch, or set batch_first on the layer."
        )
    if question.motion:
        trace = with_landscape(trace, of_module(model, batch, question, working))
    if dtype in _HALF:
        notes.append(f"The model is {name_of(dtype)}; its error was followed in float64.")
    return trace, read, [*notes, *told_uses(taken.tape, batch.steps), *taken.tape.notes]


def _take(
    model: nn.Module,
    batch: Batch,
    question: Question,
    cells: Sequence[str],
    arithmetic: torch.dtype | None,
    *,
    writable: bool,
) -> Taken:
    """One forward, with its calls on the tape."""
    tape = Tape(arithmetic, question.chunk, expected_steps=batch.steps, writable=writable)
    given = copied(batch, arithmetic)
    given = replace(given, **_with_sources(tape, given))
    tokens = [x for x in given.parts() if not is_floating(x.data)]
    with (
        torch.compiler.set_stance("force_eager"),
        torch.enable_grad(),
        recording(tape, model, cells=cells, tokens=tokens, batch=batch),
    ):
        output = forward(model, given, arithmetic)
        if isinstance(output, Tensor) and output.is_complex() and question.loss is None:
            tape.note("The output is complex; its modulus was followed.")
        output = first_of_layer(model, output, question.output)
        if not any(call.steps for call in tape.calls):
            refuse_blind(tape)
            refuse_without_entrance(tape)
            time = 0 if batch.rows == 1 and _unbatched(given) else batch.time
            output = cut_output(tape, output, steps=batch.steps, rows=batch.rows, time=time)
        output = picked(output, question.output)
        refuse_without_graph(output, _last_differentiable(tape))
        values = scalars(output, given.target, question.loss, question.seed)
    settle_axes(tape)
    dtype = arithmetic or model_dtype(model, batch)
    return Taken(tape, values, dtype)


def _with_sources(tape: Tape, batch: Batch) -> dict[str, Any]:
    """Replace each floating sequence of the input by a leaf that is on the tape."""

    def inner(x: Any) -> Any:
        if isinstance(x, PackedSequence) and x.data.is_floating_point():
            source = Source("input", Packed.of(x), [tape.leaf(x.data)])
            tape.add(source)
            return PackedSequence(
                tape.handed(source.outs[0]), x.batch_sizes, x.sorted_indices, x.unsorted_indices
            )
        if not isinstance(x, Tensor) or not is_floating(x) or x.dim() < 2:
            return x
        flat = x.dim() == 2 and x.shape == (batch.rows, batch.steps)
        real = as_real(x)
        if batch.channels_first and x.shape[2:] == (batch.steps,):
            leaf = tape.leaf(x.transpose(1, 2))
            tape.add(Source("input", Dense(True, unbatched=False), [leaf]))
            return tape.handed(leaf).transpose(1, 2)
        leaf = tape.leaf(x.unsqueeze(-1) if flat else real.flatten(2) if real.dim() > 3 else real)
        if batch.steps in leaf.shape[:2]:
            unbatched = leaf.dim() == 2
            place = sum(isinstance(call, Source) for call in tape.calls) + 1
            name = "input" if place == 1 else f"input {place}"
            tape.add(Source(name, Dense(batch.batch_first and not unbatched, unbatched), [leaf]))
        handed = tape.handed(leaf)
        # the leaf itself wherever it can be: even a view would cost a pass over all steps
        return handed if leaf.shape == x.shape else like(x, handed.reshape(real.shape))

    given = (batch.args, dict(batch.kwargs))
    args, kwargs = _pytree.tree_map(inner, given, is_leaf=is_packed)
    return {"args": args, "kwargs": kwargs}


def _unbatched(batch: Batch) -> bool:
    return batch.tensors()[0].dim() < 3 and batch.rows == 1


def _last_differentiable(tape: Tape) -> str:
    call = tape.calls[-1] if tape.calls else None
    return f"the output of {call.name}" if call is not None and call.steps else "the input"


def _size(model: nn.Module) -> str:
    return f"{sum(p.numel() for p in model.parameters()):,}"
