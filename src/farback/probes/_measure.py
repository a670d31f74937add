"""From a tape and what the loss reads of it, to the trace that the analyses see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..flow.trace import Trace
from ._arithmetic import NAMES, name_of
from ._loss import DRAWS, Loss, choose_times, gradients_at, read_times
from ._sweep import sweep
from ._tape import Errors, Records, Tape


@dataclass(frozen=True)
class Question:
    """What is asked of a subject, apart from the subject and its batch."""

    loss: Loss | None = None
    needs: int | None = None
    depth: str = "standard"
    output: str | None = None
    chunk: int | None = None
    loss_times: Sequence[int] | None = None
    cells: str | Sequence[str] | None = None
    floor: float = 1e-3
    seed: int = 0


@dataclass(frozen=True)
class Taken:
    """One forward on the tape, and the scalars that the loss made of it."""

    tape: Tape
    values: Sequence[Tensor]
    dtype: torch.dtype
    steps: int


Take = Callable[[torch.dtype | None], Taken]
"""Runs the subject's forward in an arithmetic (None: its own) and returns what was taken."""


def measured(
    take: Take,
    question: Question,
    advance: Callable[[int, int], None],
    *,
    subject: str,
    working: torch.dtype | None,
    model_dtype: torch.dtype,
) -> tuple[Trace, Taken]:
    """Run the subject, follow its error back, and return the trace with what it was taken from."""
    taken = take(working)
    errors = _errors(taken, question)
    records = None
    if errors is not None:
        total = sum(call.steps for call in taken.tape.calls)
        records = sweep(taken.tape, errors, lambda steps: advance(steps, total))
    trace = _trace(taken, errors, records, question, subject, model_dtype)
    if errors is None:
        return trace, taken
    return replace(trace, rerun=_rerun(take, errors, trace, question, subject)), taken


def _errors(taken: Taken, question: Question) -> Errors | None:
    gradients = gradients_at(taken.values, taken.tape)
    read = read_times(gradients, taken.tape, len(taken.values))
    if not read:
        return None
    most = 0 if question.depth == "quick" else None
    times = choose_times(sorted(read), taken.tape.steps, question.loss_times, most=most)
    pairs = [(t, draw) for t in times for draw in range(len(taken.values))]
    return Errors([t for t, _ in pairs], [draw for _, draw in pairs], gradients)


def _rerun(
    take: Take, errors: Errors, trace: Trace, question: Question, subject: str
) -> Callable[[str], Trace]:
    """The same errors followed back by the plain arithmetic of a type, underflow and all."""

    def rerun(name: str) -> Trace:
        taken = take(NAMES[name])
        gradients = gradients_at(taken.values, taken.tape)
        plain = Errors(errors.times, errors.draw, gradients, rescale=False)
        records = sweep(taken.tape, plain)
        return _trace(taken, plain, records, question, subject, NAMES[name])

    return rerun


def _trace(
    taken: Taken,
    errors: Errors | None,
    records: Records | None,
    question: Question,
    subject: str,
    model_dtype: torch.dtype,
) -> Trace:
    tape = taken.tape
    times: Sequence[int] = () if errors is None else errors.times
    chains = [] if records is None else list(records.by_name.values())
    entrances = [] if records is None else list(records.inputs.values())
    text = "the loss given"
    if len(taken.values) > 1:
        text = f"{DRAWS} random projections of the output (no loss was given)"
    return Trace(
        subject=subject,
        paths=tuple(chain.path(times) for chain in chains if chain.norms),
        inputs=tuple(entrance.path(times) for entrance in entrances if entrance.norms),
        loss_times=tuple(sorted(set(times))),
        draws=max(len(taken.values), 1),
        steps=tape.steps,
        batch=tape.batch,
        dtype=name_of(taken.dtype),
        model_dtype=name_of(model_dtype),
        loss_text=text,
        recurrent=any(call.steps and call.name != "output" for call in tape.calls),
        needs=question.needs,
        floor=question.floor,
        deep=question.depth == "deep",
    )
