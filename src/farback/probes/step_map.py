"""A bare step map as the subject: state and input to the next state, nothing else.

    s_t = step(s_{t-1}, x_t),   E = loss(s_T, target)

The rows of the batch must be independent. The loop is farback's own, so the state's axis N and the
clock are known without searching.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..errors import FarbackError, InputRefused
from ..flow.trace import Trace
from ._arithmetic import name_of
from ._batch import Batch
from ._border import first_line
from ._broken import explained
from ._cell_call import CellCall
from ._clock import Place, note_inner_cut
from ._landscape import of_step_map, with_landscape
from ._loss import scalars
from ._measure import Question, Taken, measured
from ._source import Source
from ._tape import Tape
from ._untouched import untouched
from .layers._layout import Dense


@dataclass(frozen=True)
class StepMap:
    """step(state [B, N], x [B, I]) -> state [B, N], from `start` [B, N] or [N].

    The batch is (xs [B, T, I], target), the loss a function of (last state, target). Where the
    probe is asked for loss times, each of them is taken as the last, and has an error of its own.

    >>> import torch, farback as fb
    >>> halve = StepMap(lambda state, x: 0.5 * state + x, start=torch.ones(1, 2))
    >>> profile = fb.probe(halve, (torch.zeros(1, 9, 2), None), loss=lambda s, _: s.sum())
    >>> round(profile["adjoint_decay"].half_life, 6)
    1.0
    """

    step: Callable[[Tensor, Tensor], Tensor]
    start: Tensor

    def cast(self, dtype: torch.dtype | None) -> tuple[StepMap, list[Tensor]]:
        """The map in another arithmetic, where its step is a module, and its parameters."""
        start = self.start if dtype is None else self.start.detach().to(dtype)
        if not isinstance(self.step, nn.Module):
            return replace(self, start=start), []
        if dtype is None:
            return self, [p for p in self.step.parameters() if p.requires_grad]
        module, own = self.step, dict(self.step.named_parameters())
        held = {n: p.detach().to(dtype).requires_grad_(p.requires_grad) for n, p in own.items()}
        cast = StepMap(lambda s, x: functional_call(module, held, (s, x)), start)
        return cast, [p for p in held.values() if p.requires_grad]

    def run(self, tape: Tape, xs: Tensor, parameters: list[Tensor]) -> list[Tensor]:
        """Run the map over xs [B, T, I], each step a call on the tape; return the states after it.

        Raises:
            InputRefused: a step fails, or gives no state that can be followed.
        """
        state = self.start.detach()
        if state.dim() == 1:
            state = state.expand(len(xs), -1)
        source = Source("input", Dense(True, False), [tape.leaf(xs)])
        tape.add(source)
        states = []
        for clock, x in enumerate(source.outs[0].unbind(1)):
            copies = [tape.leaf(state), tape.leaf(x)]
            after = self._step(copies, clock)
            _check(after, state, clock)
            if tape.dtype is not None and after.dtype != tape.dtype:
                raise InputRefused(
                    f"The step map does not run in {tape.dtype}: it holds numbers of another type; "
                    "let it cast them to state.dtype."
                )
            entries = [tape.entry(state, is_state=True), tape.entry(x)]
            note_inner_cut(tape, Place("step", clock), entries, copies, [after])
            call = CellCall(
                module="step",
                name="step",
                clock=clock,
                rows=len(state),
                cell=None,
                kind="StepMap",
                copies=copies,
                results=[after],
                entries=entries,
                outs=[tape.leaf(after)],
                parameters={"recurrent": parameters} if parameters else {},
                again=lambda taken: [self.step(*taken)],
            )
            tape.add(call)
            state = call.outs[0]
            states.append(state)
        if not any(x.requires_grad for call in tape.calls for x in getattr(call, "results", ())):
            raise InputRefused(
                "The step map runs without gradients (no_grad, detach), and a state that depends "
                "on the state before was expected; take that out of the step."
            )
        return states

    def _step(self, copies: list[Tensor], clock: int) -> Any:
        """One step, on copies into which it may write."""
        try:
            with torch.enable_grad():
                return self.step(*(copy.clone() for copy in copies))
        except FarbackError:
            raise
        except Exception as error:
            raise InputRefused(
                f"The step map fails at step {clock}, on a state {list(copies[0].shape)} and an "
                f"input {list(copies[1].shape)}: {first_line(error)}; step(state [B, N], x [B, I]) "
                "was expected to give the next state: try one step by itself."
            ) from error


def _check(after: Any, state: Tensor, clock: int) -> None:
    if not isinstance(after, Tensor) or after.shape != state.shape:
        came = tuple(after.shape) if isinstance(after, Tensor) else type(after).__name__
        raise InputRefused(
            f"The step map returned {came} at step {clock}, and a state of shape "
            f"{tuple(state.shape)} was expected; return the next state and nothing else."
        )
    if not bool(torch.isfinite(after).all()):
        raise InputRefused(
            f"The step map first gives NaN or infinity at step {clock}, where finite states were "
            "expected; look at the start, the input at that step, or the size of the weights."
        )


def _read(states: list[Tensor], asked: Sequence[int] | None) -> list[Tensor]:
    """The states that are the last for some loss time; one out of range is refused later."""
    steps = len(states)
    wanted = {t + steps if t < 0 else t for t in asked or ()} & {*range(steps)}
    return [states[t] for t in sorted(wanted)] or states[-1:]


def _checked_input(start: Any, batch: Batch) -> Tensor:
    """The sequence as [B, T, I], where it and the start can be used."""
    if not isinstance(start, Tensor) or not start.is_floating_point() or start.dim() not in (1, 2):
        raise InputRefused(
            f"The start of the step map is {_told(start)}, and a floating tensor [B, N] or [N] was "
            "expected; convert it (torch.view_as_real for complex states)."
        )
    xs = batch.args[0] if len(batch.args) == 1 else None
    if not isinstance(xs, Tensor) or not xs.is_floating_point() or xs.dim() != 3:
        came = ", ".join(_told(x) for x in (*batch.args, *batch.kwargs.values()))
        raise InputRefused(
            f"The input of the step map is {came}, and one floating tensor xs [B, T, I] was "
            "expected; convert it, and put the target beside it: (xs, target)."
        )
    if start.dim() == 2 and len(start) != batch.rows:
        raise InputRefused(
            f"The start of the step map has {len(start)} rows, and the input is {batch.reading}: "
            "as many rows were expected; give a start [N] for all, or say layout= (--layout)."
        )
    return (xs if batch.batch_first else xs.transpose(0, 1)).clone()


def _told(x: Any) -> str:
    if not isinstance(x, Tensor):
        return f"a {type(x).__name__}"
    return f"{list(x.shape)} of {str(x.dtype).removeprefix('torch.')}"


@torch.inference_mode(False)
def trace_step_map(
    subject: StepMap, batch: Batch, question: Question, advance: Callable[[int, int], None]
) -> tuple[Trace, Batch, list[str]]:
    """Measure the error flow of a step map."""
    xs = _checked_input(subject.start, batch)
    dtype = subject.start.dtype if subject.start.is_floating_point() else torch.get_default_dtype()
    module = subject.step if isinstance(subject.step, nn.Module) else None

    @contextmanager
    def take(arithmetic: torch.dtype | None) -> Iterator[Taken]:
        tape = Tape(arithmetic, expected_steps=batch.steps)
        with untouched(module, question.seed), torch.enable_grad():
            own, parameters = subject.cast(arithmetic)
            given = xs if arithmetic is None else xs.to(arithmetic)
            states = own.run(tape, given, parameters)
            each = [
                scalars(state, batch.target, question.loss, question.seed)
                for state in _read(states, question.loss_times)
            ]
            values = [torch.stack(draw).sum() for draw in zip(*each, strict=True)]
            yield Taken(tape, values, arithmetic or dtype)

    name = getattr(subject.step, "__name__", type(subject.step).__name__)

    def run(*, working: torch.dtype | None) -> tuple[Trace, Taken]:
        return measured(
            take,
            question,
            advance,
            subject=f"StepMap {name} (state of {subject.start.shape[-1]})",
            working=working,
            model_dtype=dtype,
        )

    notes = list(batch.remarks)
    wide = question.depth == "deep" and dtype != torch.float64
    try:
        trace, taken = explained(lambda *, writable: run(working=torch.float64 if wide else None))
    except InputRefused:
        if not wide:
            raise
        trace, taken = explained(lambda *, writable: run(working=None))
        notes.append(f"The step map runs in {name_of(dtype)} only; float64 was not tried further.")
    if question.motion and module is not None:
        arithmetic = None if taken.dtype == dtype else taken.dtype
        found = of_step_map(module, subject.start, xs, batch.target, question, arithmetic)
        trace = with_landscape(trace, found)
    return trace, batch, [*notes, *taken.tape.notes]
