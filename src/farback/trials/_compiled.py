"""A cell on a task under a learner, as a program of the native engine; or why it is none.

What a program cannot be made of is told by one sentence, and the reference engine runs.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from .._dice import plain
from .._named import users_code
from ..cells._cell import Cell
from ..draws import Draws
from ..engine._machine import lanes
from ..engine.native import Backward, Net, Recursion, Unavailable, compiler
from ..engine.native._lanes import Compiled
from ..engine.native._memory import laid
from ..engine.native._program import Program, examination, training
from ..engine.native._stream import Stream, stream
from ..learners._learner import Learner
from ..problem import Problem
from ..tasks._task import Task
from ..types import Sequences

_SEEDS = (0, 1, 2**40 + 1)
_TRIED = 32
"""Sequences of seed 0 that tell whether inputs are one-hot."""


@dataclass(frozen=True)
class Native:
    """What the native engine needs of a study."""

    program: Program
    batch: int
    dtype: torch.dtype
    task: Task
    fed: Callable[[], Program]
    """The same without sequences of its own."""

    elsewhere: tuple[tuple[str, Native], ...] = ()
    """The other tasks that a solved net is tested on, by the name of their measures."""

    def compiled(self, trials: int) -> Compiled:
        """The program with as many lanes as pay for so many trials.

        Raises:
            Unavailable: it cannot be built here.
        """
        lanes = lanes_for(trials, self.dtype)
        if self.program.stream is not None:
            # A program that draws something else, or that no compiler takes, is fed.
            with suppress(Unavailable):
                compiled = Compiled(self.program, self.dtype, lanes)
                if _draws_as_told(compiled, self.task):
                    return compiled
            return Compiled(self.fed(), self.dtype, lanes)
        return Compiled(self.program, self.dtype, lanes)


def native(problem: Problem, learner: Learner, dtype: torch.dtype) -> Native:
    """The program of a study; the same parts have one, written once in a process.

    Raises:
        Unavailable: why there is none.
    """
    compiler()
    try:
        return _written(problem.cell, problem.task, learner, dtype)
    except TypeError as error:
        if "unhashable" not in str(error):
            raise
        return _written.__wrapped__(problem.cell, problem.task, learner, dtype)


@lru_cache(maxsize=64)
def _written(cell: Cell, task: Task, learner: Learner, dtype: torch.dtype) -> Native:
    problem = Problem(cell, task)
    kind = type(learner)
    if not _is_its_own(kind, "compiled", "step", "init"):
        raise Unavailable(f"{kind.__name__} learns in a way of its own")
    with torch.no_grad():
        made = learner.compiled(problem)
    if made is None:
        raise Unavailable(f"{_culprit(learner)} has no schedule for it")
    gradient = type(made.gradient)
    if isinstance(made.schedule, Backward | Recursion) and not _is_its_own(
        gradient, "schedule", "__call__", "begin", "advance"
    ):
        raise Unavailable(f"{gradient.__name__} goes back in a way of its own")
    if made.learning.per_step and made.learning.batch > 1:
        raise Unavailable("several sequences a step that change the parameters within them")
    hot, one = _looks(problem.task)
    _expect_stepwise(problem.task, one)
    net = net_of(problem, dtype)
    learning = replace(made.learning, memory=_in_type(made.learning.memory, dtype))
    drawn = _stream_of(problem.task, hot, dtype)
    write = partial(training, net, made.schedule, learning, hot=hot)
    others = tuple((name, answering(Problem(cell, it), dtype)) for name, it in task.elsewhere)
    return Native(write(stream=drawn), made.learning.batch, dtype, task, write, others)


def answering(problem: Problem, dtype: torch.dtype) -> Native:
    """The program that only answers: for candidates of a search, and for further tests.

    Raises:
        Unavailable: why there is none.
    """
    compiler()
    hot, one = _looks(problem.task)
    _expect_stepwise(problem.task, one)
    drawn = _stream_of(problem.task, hot, dtype)
    write = partial(examination, net_of(problem, dtype), hot=hot)
    return Native(write(stream=drawn), 1, dtype, problem.task, write)


def net_of(problem: Problem, dtype: torch.dtype) -> Net:
    """The functions of a cell on a task, with parameters of the type that is run."""
    cell, task = problem.cell, problem.task

    def grade(output: Tensor, answer: Tensor) -> tuple[Tensor, Tensor]:
        step = _one_step(task, answer)
        return task.right(output.unsqueeze(0), step), task.error(output.unsqueeze(0), step)

    return Net(
        params=_in_type(problem.parameters(0), dtype),
        inputs=task.inputs,
        outputs=task.outputs,
        start=cell.start,
        step=cell.step,
        read=cell.read,
        loss=task.loss,
        grade=grade,
    )


def _draws_as_told(compiled: Compiled, task: Task) -> bool:
    """Whether the program shows the sequences that the task draws, as far as some of them tell."""
    stream = compiled.program.stream
    assert stream is not None
    rows = compiled.lanes_of(np.arange(min(compiled.lanes, len(_SEEDS))))
    with users_code(f"drawing sequences of {task!r}"):
        drawn = task.sample(Draws(_SEEDS, "look", count=_TRIED))
    found = compiled.shown(stream.of(_SEEDS, "look"), rows, first=0, count=_TRIED)
    alike, steps = len(np.unique(rows)), len(drawn.alive)
    alive = drawn.alive[:, :alike].numpy()
    asked = drawn.scored[:, :alike].numpy() > 0
    close = 1e-9 if compiled.kind == np.float64 else 1e-4
    for name, where in (("inputs", alive), ("targets", asked), ("answers", asked)):
        told = getattr(drawn, name)[:, :alike].numpy()[where]
        own = found[name][:steps, :alike][where]
        if not np.allclose(own, told, rtol=close, atol=close):
            return False
    there = [found[name][:, :alike, :, 0] > 0 for name in ("alive", "scored")]
    return all(
        np.array_equal(own[:steps], told) and not own[steps:].any()
        for own, told in zip(there, (alive, asked), strict=True)
    )


def _stream_of(task: Task, hot: bool, dtype: torch.dtype) -> Stream | None:
    """The task's own sequences, drawn by the program; None where they have to be drawn for it."""
    if task.training is not None or type(plain(task)).sample is not Task.sample:
        return None
    try:
        with torch.no_grad():
            made = stream(task.draw, dtype)
    except Exception:  # its `draw` does what the engine cannot follow, so it is called
        return None
    return made if made.hot == hot else None


def lanes_for(trials: int, dtype: torch.dtype) -> int:
    """How many trials stand side by side: all of the CPU's lanes, and one where there is one."""
    return 1 if trials == 1 else lanes(str(dtype).removeprefix("torch."))


def _is_its_own(kind: type[Any], told: str, *does: str) -> bool:
    """Whether what tells the engine how was written for what is done, and not for a parent's."""
    order = kind.__mro__
    at = {name: next((i for i, it in enumerate(order) if name in vars(it)), 99) for name in does}
    return next(i for i, it in enumerate(order) if told in vars(it)) <= min(at.values())


def _culprit(learner: Learner) -> str:
    gradient = getattr(learner, "gradient", None) or getattr(
        getattr(learner, "descent", None), "gradient", None
    )
    return type(gradient or learner).__name__


def _looks(task: Task) -> tuple[bool, Sequences]:
    """Whether inputs are one-hot, and one sequence."""
    drawn = task.sample(Draws((0,), "look", count=_TRIED))
    return laid(drawn, torch.float64).hot, drawn.one(0, 0)


def _in_type(tree: Any, dtype: torch.dtype) -> Any:
    return pytree.tree_map(lambda it: it.to(dtype), tree)


def _one_step(task: Task, answer: Tensor) -> Sequences:
    return Sequences(
        inputs=answer.new_zeros(1, task.inputs),
        targets=answer.unsqueeze(0),
        answers=answer.unsqueeze(0),
        scored=answer.new_ones(1),
        alive=torch.ones(1, dtype=torch.bool),
    )


def _expect_stepwise(task: Task, one: Sequences) -> None:
    """Refuse a task whose judgement of a sequence is not one of its steps."""
    if not len(one.answers):
        return
    generator = torch.Generator().manual_seed(0)
    noise = torch.rand(one.answers.shape, generator=generator, dtype=torch.float64)
    for outputs in (one.answers, task.perfect(one.answers), one.answers + noise - 0.5):
        steps = [_one_step(task, answer) for answer in one.answers]
        pairs = list(zip(outputs.split(1), steps, strict=True))
        asked = one.scored > 0
        right = torch.stack([task.right(*it) for it in pairs])
        off = torch.stack([task.error(*it) for it in pairs])
        whole = (off * one.scored)[asked].sum() / one.scored.sum().clamp(min=1)
        if bool(task.right(outputs, one)) != bool(right[asked].all()) or not torch.allclose(
            task.error(outputs, one), whole, equal_nan=True
        ):
            raise Unavailable(f"{type(task).__name__} judges a sequence as a whole")
