"""A program throws the dice that the reference engine throws, and both decide by them alike."""

import numpy as np
import pytest
import torch

import farback as fb
from farback import tasks
from farback.cells import Elman, ThresholdNet
from farback.cells._cell import Cell
from farback.draws import Draws
from farback.engine.native._lanes import Compiled
from farback.learners import Descent
from farback.learners.gradients import UORO, DiscreteError
from farback.learners.gradients._gradient import Gradient
from farback.learners.updates import SGD
from farback.problem import Problem
from farback.results import Runs
from farback.tasks._task import Task
from farback.trials._compiled import native

SEEDS = (5, 2**40 + 3, 9)
NET = ThresholdNet(hidden=2, additive=True)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]


def run(engine: str, cell: Cell, task: Task, learner: Descent) -> Runs:
    return fb.train(
        cell,
        task,
        learner,
        seeds=3,
        sequences=60,
        check=20,
        group=3,
        dtype="float64",
        engine=engine,
        progress=False,
    )


@pytest.mark.parametrize("strings", [4, None])
@pytest.mark.parametrize(
    ("cell", "gradient"), [(NET, DiscreteError()), (Elman(hidden=2, width=1.0), UORO())], ids=repr
)
def test_both_engines_decide_by_the_same_dice(
    strings: int | None, cell: Cell, gradient: Gradient
) -> None:
    task, learner = tasks.Parity(longest=5, strings=strings), Descent(gradient, SGD(lr=0.05))
    for one, other in zip(
        *(run(it, cell, task, learner) for it in ("native", "reference")), strict=True
    ):
        assert (one.trial.cell, one.trial.task) == (repr(cell), repr(task))
        assert one.curve["loss"] == pytest.approx(other.curve["loss"], rel=1e-9)
        assert one.measures == pytest.approx(other.measures, rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_program_throws_the_dice_that_the_task_throws(dtype: torch.dtype) -> None:
    problem = Problem(NET, tasks.Bengio1994TwoSequence(steps=9))
    learner = Descent(DiscreteError(), SGD(lr=0.01))
    compiled = Compiled(native(problem, learner, dtype).program, dtype, 4)
    stream = compiled.program.stream
    assert stream is not None
    rows = compiled.lanes_of(np.arange(3))
    found = compiled.shown(stream.of(SEEDS, "here"), rows, first=4, count=6)
    drawn = problem.task.sample(Draws(SEEDS, "here", first=4, count=6))
    steps, alive = len(drawn.alive), drawn.alive.numpy()
    own = found["inputs"][:steps, :3, ..., 1:].astype(float)
    assert np.array_equal(own[alive], drawn.inputs[..., 1:].numpy()[alive])
