"""Whether a cell and a task are what they say: one step of one sequence, before any work.

What broadcasts would run without a complaint, and its results would be of another problem.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from .._dice import bare, plain
from .._named import users_code
from ..draws import Draws
from ..errors import InputRefused
from ..problem import Problem
from ..tasks._criterion import Criterion
from ..tasks._task import Task
from ..types import Sequences


def check_fit(problem: Problem) -> None:
    """Refuse a cell or a task whose numbers are not shaped as it says.

    Raises:
        WrongUsage: the cell cannot have the task's inputs and outputs.
        InputRefused: what came, what was expected; or the user's own code failed.
    """
    cell, task = problem.cell, plain(problem.task)
    with users_code(f"drawing a sequence of {type(task).__name__}"):
        drawn = task.sample(Draws((0,), "size"))
    _check_task(task, drawn)
    _check_elsewhere(task)
    with users_code(f"making the parameters of {type(bare(cell)).__name__}"):
        params = problem.parameters(0)
    _check_params(cell, params)
    drawn = problem.task.sample(Draws((0,), "size"))
    x = drawn.one(0, 0).to(torch.float64).inputs[0]
    with users_code(f"trying a step of {type(bare(cell)).__name__}"):
        size = sum(cell.layout(params).values())
        start = cell.start(params)
        _expect(cell, "start", start, size)
        after = cell.step(params, start, x)
        _expect(cell, "step", after, size)
        _expect(cell, "read", cell.read(params, after, x), task.outputs)


def _check_task(task: Task, drawn: Any) -> None:
    said = f"{task!r} draws"
    advice = "try farback.testing.check_task"
    if not isinstance(drawn, Sequences):
        raise InputRefused(f"{said} {drawn!r}, expected Sequences; {advice}.")
    for field in fields(drawn):
        came = getattr(drawn, field.name)
        kind = torch.bool if field.name == "alive" else torch.float64
        if not isinstance(came, Tensor) or came.dtype != kind:
            what = came.dtype if isinstance(came, Tensor) else type(came).__name__
            raise InputRefused(f"{said} {field.name} as {what}, expected {kind}; {advice}.")
    steps, batch = len(drawn.alive), drawn.alive.shape[1:]
    for name, came, size in (
        ("inputs", drawn.inputs, task.inputs),
        ("targets", drawn.targets, task.outputs),
        ("answers", drawn.answers, task.outputs),
    ):
        if not steps or came.shape != (steps, *batch, size):
            raise InputRefused(
                f"{said} {name} of shape {tuple(came.shape)}, expected [T, R, B, {size}] with T at "
                f"least 1; {advice}."
            )
    if not (drawn.scored.sum(0) > 0).all():
        raise InputRefused(f"{said} a sequence without a scored step, expected one; {advice}.")
    if not isinstance(task.criterion, Criterion):
        raise InputRefused(f"{task!r} has {task.criterion!r} for a criterion; {advice}.")


def _check_elsewhere(task: Task) -> None:
    for name, other in task.elsewhere:
        if (other.inputs, other.outputs) != (task.inputs, task.outputs):
            raise InputRefused(
                f"{task!r} tests on {other!r} as {name}, which has {other.inputs} inputs and "
                f"{other.outputs} outputs, expected {task.inputs} and {task.outputs}; see "
                "Task.elsewhere."
            )


def _check_params(cell: object, params: Any) -> None:
    if not isinstance(params, dict):
        raise InputRefused(
            f"{cell!r} has parameters {params!r}, expected a dictionary of tensors; try "
            "farback.testing.check_cell."
        )
    for name, came in params.items():
        kind = came.dtype if isinstance(came, Tensor) else type(came).__name__
        if kind != torch.float64:
            raise InputRefused(
                f"{cell!r} has {name} as {kind}, expected a tensor of torch.float64; a trial's own "
                "type is chosen by dtype=."
            )
    if not params:
        raise InputRefused(f"{cell!r} has no parameters, and there is nothing to learn.")


def _expect(cell: object, what: str, came: Any, size: int) -> None:
    found = tuple(came.shape) if isinstance(came, Tensor) else type(came).__name__
    if found != (size,):
        raise InputRefused(
            f"{cell!r} gives {found} from {what}, expected a tensor of the shape {(size,)}; try "
            "farback.testing.check_cell."
        )
