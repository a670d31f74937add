"""From a tape and what the loss reads of it, to the trace that the analyses see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..flow.motion import Motion
from ..flow.trace import Path, Trace
from ._arithmetic import NAMES, name_of
from ._fused_call import FusedCall
from ._loss import DRAWS, Loss, choose_times, gradients_at, read_times
from ._motion import motions
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
    motion: bool = False
    """Whether the map behind the states is wanted as well, and whole weight gradients."""


@dataclass(frozen=True)
class Taken:
    """One forward on the tape, and the scalars that the loss made of it."""

    tape: Tape
    values: Sequence[Tensor]
    dtype: torch.dtype


Take = Callable[[torch.dtype | None], AbstractContextManager[Taken]]
"""Runs the subject's forward in an arithmetic (None: its own), and holds what was taken.

The subject is put back as it was when the block ends, and not before the error has been followed:
its graph may need what the forward wrote into a buffer.
"""


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
    with take(working) as taken:
        errors = _errors(taken, question)
        records = None
        if errors is not None:
            total = sum(call.steps for call in taken.tape.calls)
            records = sweep(
                taken.tape, errors, lambda steps: advance(steps, total), sums=question.motion
            )
        behind = motions(taken.tape) if question.motion else {}
    trace = _trace(taken, errors, records, question, subject, model_dtype)
    trace = replace(trace, paths=tuple(_moved(path, behind) for path in trace.paths))
    if errors is None:
        return trace, taken
    return replace(trace, rerun=_rerun(take, errors, trace, question, subject)), taken


def _moved(path: Path, behind: Mapping[str, Motion | str]) -> Path:
    found = behind.get(path.name)
    return replace(path, unmoved=found) if isinstance(found, str) else replace(path, motion=found)


def _errors(taken: Taken, question: Question) -> Errors | None:
    gradients = gradients_at(taken.values, taken.tape)
    read = read_times(gradients, taken.tape, len(taken.values))
    if not read:
        return None
    both = any(isinstance(c, FusedCall) and len(c.runs[-1]) > 1 for c in taken.tape.calls)
    most = int(both) if question.depth == "quick" else None  # a reverse direction ends at step 0
    times = choose_times(sorted(read), taken.tape.steps, question.loss_times, most=most)
    pairs = [(t, draw) for t in times for draw in range(len(taken.values))]
    return Errors([t for t, _ in pairs], [draw for _, draw in pairs], gradients)


def _rerun(
    take: Take, errors: Errors, trace: Trace, question: Question, subject: str
) -> Callable[[str], Trace]:
    """The same errors followed back by the plain arithmetic of a type, underflow and all."""

    def rerun(name: str) -> Trace:
        with take(NAMES[name]) as taken:
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
        paths=continued([chain.path(times) for chain in chains if chain.norms]),
        inputs=tuple(e.path(e.times or times) for e in entrances if e.norms),
        loss_times=tuple(sorted(set(times))),
        draws=max(len(taken.values), 1),
        steps=tape.steps,
        batch=tape.batch,
        dtype=name_of(taken.dtype),
        model_dtype=name_of(model_dtype),
        loss_text=text,
        replay_difference=tape.largest_difference,
        device=_device(tape),
        recurrent=any(call.steps and call.name != "output" for call in tape.calls),
        needs=question.needs,
        floor=question.floor,
        deep=question.depth == "deep",
    )


def _device(tape: Tape) -> str:
    """Where the subject lies, and its name where it is a CUDA device."""
    device = next((out.device for call in tape.calls for out in call.outs), torch.device("cpu"))
    return (
        f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else str(device)
    )


def continued(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Begin the curve of a path that ends before the loss with those that took over its state.

    An encoder has no state at lag 0 of a decoder's loss; there the decoder's own states stand.
    """
    if not paths:
        return ()
    whole = [path.log_norm[""] for path in paths]
    alike = all(norms.shape == whole[0].shape for norms in whole)
    if not alike:
        return tuple(paths)
    largest = np.fmax.reduce(whole), np.fmax.reduce([path.log_peak for path in paths])
    return tuple(_begun(path, *largest) for path in paths)


def _begun(path: Path, largest: np.ndarray, peak: np.ndarray) -> Path:
    missing = np.all(np.isnan(path.log_norm[""]), axis=2)
    leading = np.logical_and.accumulate(missing, axis=1)
    before = (leading & ~np.all(missing, axis=1, keepdims=True))[:, :, None]
    if not before.any():
        return path
    return replace(
        path,
        log_norm={n: np.where(before, largest, norms) for n, norms in path.log_norm.items()},
        log_peak=np.where(before, peak, path.log_peak),
    )
