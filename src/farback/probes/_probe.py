"""The verb: a subject and a batch in, a profile out."""

from __future__ import annotations

import operator
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, SupportsIndex

import numpy
import torch
from torch import nn

from .. import __version__
from .._catalogue import member, names
from ..analyses._analysis import DEPTHS, Analysis
from ..analyses._conclude import conclude
from ..errors import InputRefused, WrongUsage, unknown
from ..flow import Profile, Trace
from ._batch import Batch, read_batch
from ._checks import checked_model
from ._loss import Loss
from ._measure import Question
from ._progress import progress
from ._untouched import untouched
from .step_map import StepMap, trace_step_map
from .torch_module import trace_module

UNCHECKED = (
    "other batches, and other moments of the training: this is one batch, now",
    "whether the weights between the layers, outside the recurrence, carry the error well",
)


def probe(
    model: nn.Module | StepMap,
    batch: Any,
    *,
    loss: Loss | None = None,
    needs: SupportsIndex | None = None,
    depth: str = "standard",
    analyses: Sequence[Analysis | str] | Analysis | str | None = None,
    output: str | int | None = None,
    layout: str | None = None,
    chunk: SupportsIndex | None = None,
    max_steps: SupportsIndex | None = None,
    loss_times: Sequence[int] | int | None = None,
    cells: str | Sequence[str] | None = None,
    floor: float = 1e-3,
    seed: SupportsIndex = 0,
) -> Profile:
    """Measure how far back the error of `model` reaches on `batch`, and what carries it.

    Nothing is left behind on the model: parameters, gradients, buffers, hooks, flags, attributes
    and random states are the same before and after.

    >>> import torch, farback as fb
    >>> model = torch.nn.GRU(3, 8, batch_first=True)
    >>> fb.probe(model, torch.randn(4, 20, 3), needs=10).verdict.word
    'vanishes'

    Args:
        model: a torch module as it is, or a StepMap.
        batch: (input, target) or the input alone; a tuple or dict as input is unpacked.
        loss: a function of (output, target); without one, random projections of the output.
        needs: the lag that the task needs.
        depth: 'quick' (the last loss time), 'standard', or 'deep' (float64, each float type rerun).
        analyses: which to run, as objects or names; by default all that fit the depth.
        output: the part of the output that the loss takes, as 'logits' or '0'.
        layout: 'batch-first', 'time-first' or 'channels-first', where it cannot be told.
        chunk: steps between kept states; a smaller one needs less memory and more time.
        max_steps: use only the last so many steps of the batch.
        loss_times: the steps at which the error is followed; by default the last, and 16 before it.
        cells: names of the modules that are the recurrent cells, or of the layer to measure at.
        floor: the share of its start down to which the error counts as reaching.
        seed: of dropout masks and random projections.

    Raises:
        InputRefused: the model, the batch or the loss cannot be measured as it is.
        WrongUsage: an argument names something that does not exist.
    """
    _check_choices(depth, floor)
    start, needed = _seed(seed), _count("needs", needs)
    part_of, most = _count("chunk", chunk), _count("max_steps", max_steps)
    asked = [analyses] if isinstance(analyses, str | Analysis) else analyses
    chosen = [_analysis(one) for one in asked] if asked is not None else _fitting(depth)
    part = None if output is None else str(output)
    times = None if loss_times is None else _times(loss_times)
    motion = any(analysis.of_motion for analysis in chosen)
    question = Question(loss, needed, depth, part, part_of, times, cells, floor, start, motion)
    with progress() as advance:
        trace, read, notes = _traced(model, batch, question, advance, layout, most)
    with untouched(_module(model) if motion else None, start):
        return _profile(trace, read.reading, question, chosen, notes)


def _module(model: nn.Module | StepMap) -> nn.Module | None:
    """What the analyses may call again, and must leave as it was."""
    held = model.step if isinstance(model, StepMap) else model
    return held if isinstance(held, nn.Module) else None


def _fitting(depth: str) -> list[Analysis]:
    """All analyses of a depth and of those below it."""
    every = [member("analyses", name)() for name in names("analyses")]
    return [a for a in every if DEPTHS.index(a.depth) <= DEPTHS.index(depth)]


def _traced(
    model: Any,
    batch: Any,
    question: Question,
    advance: Callable[[int, int], None],
    layout: str | None,
    max_steps: int | None,
) -> tuple[Trace, Batch, list[str]]:
    if isinstance(model, StepMap):
        return trace_step_map(
            model, read_batch(batch, None, layout=layout, max_steps=max_steps), question, advance
        )
    module, remarks = checked_model(model)
    read = read_batch(batch, module, layout=layout, max_steps=max_steps)
    read = replace(read, remarks=(*remarks, *read.remarks))
    return trace_module(module, read, question, advance, layout_said=layout is not None)


def _times(loss_times: Any) -> list[int]:
    """Loss times as plain whole numbers, from a list, a range, an array or one alone."""
    try:
        return [operator.index(t) for t in numpy.atleast_1d(numpy.asarray(loss_times)).tolist()]
    except TypeError:
        raise WrongUsage(
            f"loss_times is {loss_times!r}, and whole numbers of steps were expected; try [10, 20]."
        ) from None


def _seed(seed: Any) -> int:
    """A seed as Python's own number, whoever's it is."""
    if (found := _whole(seed)) is None or not 0 <= found < 2**63:
        raise WrongUsage(f"seed is {seed!r}, and a whole number from 0 to 2**63 - 1 was expected.")
    return found


def _count(name: str, value: Any) -> int | None:
    """Steps as Python's own number, whoever's they are."""
    if value is None:
        return None
    if (found := _whole(value)) is None or found < 1:
        raise WrongUsage(f"{name} is {value!r}, and a whole number of steps was expected.")
    return found


def _whole(value: Any) -> int | None:
    """What counts as a whole number; True and False do not."""
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def _check_choices(depth: str, floor: float) -> None:
    if depth not in DEPTHS:
        raise unknown("depth", depth, DEPTHS)
    if not 0 < floor < 1:
        raise WrongUsage(f"floor is {floor}, and a share between 0 and 1 was expected; try 1e-3.")


def _analysis(one: Analysis | str | type[Analysis]) -> Analysis:
    if isinstance(one, Analysis):
        return one
    if isinstance(one, str):
        return member("analyses", one)()
    raise WrongUsage(
        f"analyses holds {one!r}, and an analysis or its name was expected; try "
        f"{'an instance: ' + one.__name__ + '()' if isinstance(one, type) else names('analyses')}."
    )


def _profile(
    trace: Trace,
    reading: str,
    question: Question,
    chosen: Sequence[Analysis],
    notes: Sequence[str],
) -> Profile:
    """Run the analyses on the trace, and conclude."""
    fitting = [analysis for analysis in chosen if analysis.applies(trace)]
    if not fitting:
        raise InputRefused(
            "None of the analyses asked for fits this subject; leave analyses= out to run all."
        )
    measurements = {}
    findings = []
    for analysis in fitting:
        measurement = analysis.measure(trace)
        measurements[measurement.name] = measurement
        findings.append(analysis.judge(measurement))
    lead = "adjoint_decay" if "adjoint_decay" in measurements else "input_sensitivity"
    if lead not in measurements:
        lead = next(iter(measurements))
    unchecked: list[str] = list(UNCHECKED)
    if question.depth != "deep":
        unchecked.append("the same in float64 and in each float type (depth 'deep')")
    missing = [n for n in names("analyses") if n not in measurements]
    if missing:
        unchecked.append(f"not run, or nothing here to run on: {', '.join(missing)}")
    return Profile(
        subject=trace.subject,
        reading=reading,
        verdict=conclude(findings, unchecked),
        measurements=measurements,
        findings=tuple(findings),
        lead=lead,
        settings={
            "needs": question.needs,
            "depth": question.depth,
            "floor": question.floor,
            "seed": question.seed,
            "loss": trace.loss_text,
            "loss_times": list(trace.loss_times),
            "dtype": trace.dtype,
            "replay_difference": trace.replay_difference,
        },
        environment=_environment(trace),
        notes=tuple(dict.fromkeys([*notes, *_unmoved(trace)])),
    )


def _unmoved(trace: Trace) -> list[str]:
    told = [
        f"{path.name}: its map alone could not be followed, because {path.unmoved}."
        for path in trace.paths
        if path.unmoved
    ]
    if trace.flat:
        told.append(f"The loss could not be followed over the parameters: {trace.flat}.")
    return told


def _environment(trace: Trace) -> dict[str, str]:
    return {
        "farback": __version__,
        "torch": str(torch.__version__),
        "numpy": numpy.__version__,
        "python": platform.python_version(),
        "model dtype": trace.model_dtype,
        "device": trace.device,
    }
