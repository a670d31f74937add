"""The loss over the parameters of a torch module, or of a step map whose step is one.

The subject's own tensors are never written to: parameters, buffers and batch are replaced by copies
in the asked type, and what the forward does to the module is put back after each call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..flow.landscape import Landscape
from ..flow.trace import Trace
from ._arithmetic import cast, copied, name_of
from ._batch import Batch
from ._border import first_line
from ._loss import picked, scalars
from ._measure import Question
from ._output import first_of_layer
from ._untouched import untouched

Run = Callable[[dict[str, Tensor], torch.dtype | None], Tensor]
"""From all tensors of the module by name, and the type of the batch (None: its own), to E."""


def of_module(
    model: nn.Module, batch: Batch, question: Question, arithmetic: torch.dtype | None
) -> Landscape | str:
    """The landscape of a model; else why it has none, nothing where none was to be expected."""

    def run(tensors: dict[str, Tensor], dtype: torch.dtype | None) -> Tensor:
        given = copied(batch, dtype)
        output = functional_call(model, tensors, given.args, dict(given.kwargs))
        output = picked(first_of_layer(model, output, question.output), question.output)
        return scalars(output, given.target, question.loss, question.seed)[0]

    return _landscape(model, run, question, arithmetic)


def of_step_map(
    module: nn.Module,
    start: Tensor,
    xs: Tensor,
    target: object,
    question: Question,
    arithmetic: torch.dtype | None,
) -> Landscape | str:
    """The landscape of a step map, or why it has none."""

    def run(tensors: dict[str, Tensor], dtype: torch.dtype | None) -> Tensor:
        state, given = (x.detach() if dtype is None else cast(x, dtype) for x in (start, xs))
        state = state.expand(len(xs), -1) if state.dim() == 1 else state
        for x in given.unbind(1):
            state = functional_call(module, tensors, (state, x))
        return scalars(state, target, question.loss, question.seed)[0]

    return _landscape(module, run, question, arithmetic)


def _landscape(
    module: nn.Module, run: Run, question: Question, arithmetic: torch.dtype | None
) -> Landscape | str:
    own = {n: p for n, p in module.named_parameters() if p.requires_grad and p.is_floating_point()}
    if question.loss is None or not own:
        return ""
    first = next(iter(own.values())).dtype
    fixed = {n: x for n, x in (*module.named_parameters(), *module.named_buffers()) if n not in own}

    def loss(parameters: Sequence[Tensor]) -> Tensor:
        dtype = None if parameters[0].dtype == first else parameters[0].dtype
        eager = torch.compiler.set_stance("force_eager")
        with untouched(module, question.seed), eager, _without_cudnn():
            kept = {n: (x if dtype is None else cast(x, dtype)).clone() for n, x in fixed.items()}
            return run({**kept, **dict(zip(own, parameters, strict=True))}, dtype)

    start = [cast(p, arithmetic or p.dtype).clone() for p in own.values()]
    try:
        with torch.enable_grad():
            value = loss([p.requires_grad_() for p in start])
    except Exception as error:  # the user's own code, with other tensors than it was made for
        return f"the model cannot be run on other parameters ({first_line(error)})"
    if not value.requires_grad or not bool(torch.isfinite(value)):
        return f"it is {value.item():g} in {name_of(value.dtype)}, or does not depend on any"
    return Landscape(tuple(own), tuple(p.detach() for p in start), loss)


@contextmanager
def _without_cudnn() -> Iterator[None]:
    """Its recurrent layers have no second derivative, and none at all in evaluation."""
    enabled = torch.backends.cudnn.enabled
    torch.backends.cudnn.enabled = False
    try:
        yield
    finally:
        torch.backends.cudnn.enabled = enabled


def with_landscape(trace: Trace, found: Landscape | str) -> Trace:
    """The trace with a landscape, or with the reason why it has none."""
    return replace(trace, flat=found) if isinstance(found, str) else replace(trace, landscape=found)
