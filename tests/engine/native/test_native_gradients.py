"""The native engine has the gradients of the reference, on every cell and task.

`make test` covers each cell on two tasks and each task on two cells, `make gradients` all pairs.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
import torch

from farback.draws import Draws
from farback.engine.native import Unavailable
from farback.engine.native._lanes import Compiled, leaves_of
from farback.engine.native._memory import laid
from farback.learners import Descent
from farback.learners.gradients import (
    BPTT,
    RTRL,
    UORO,
    Omega,
    OneStep,
    PseudoNewton,
    TimeWeightedNewton,
    TruncatedBPTT,
)
from farback.learners.gradients._gradient import Gradient
from farback.learners.updates import SGD
from farback.problem import Problem, Trials
from farback.testing._members import CELLS, PAIRS, TASKS, covering
from farback.trials._compiled import native

FEW = BPTT(), RTRL(), OneStep(), TruncatedBPTT(window=5, every=2)
GRADIENTS = *FEW, PseudoNewton(), TimeWeightedNewton(mu=1e-3), Omega(squared=False), UORO()
"""Those that are no few have a study in small_trials.py, and every pair in the product."""

PASSING_ON = BPTT(), OneStep(), TruncatedBPTT(window=5, every=2)
"""Those that take no Jacobian, which not every cell has."""

TOLERANCES = {torch.float64: 1e-12, torch.float32: 1e-5}
TRIALS = 3
RATE = 2.0**40


def asked(pairs: Iterable[tuple[str, str]], of: Iterable[Gradient]) -> list[tuple[Any, ...]]:
    """Each pair with each gradient that takes its cell."""
    return [
        (*pair, it)
        for pair in pairs
        for it in of
        if CELLS[pair[0]].has_jacobian or it in PASSING_ON
    ]


pytestmark = pytest.mark.usefixtures("quick")


def of_the_native_engine(problem, gradient, dtype, sequences):
    """By a step of gradient descent with a rate that leaves nothing of the parameters; [R, P]."""
    learner = Descent(gradient, SGD(lr=RATE))
    made = native(problem, learner, dtype)
    compiled = Compiled(made.program, dtype, 1)
    rows = range(TRIALS)
    leaves = leaves_of(Trials(problem).parameters(rows, dtype))
    params = compiled.packed(leaves, rows)
    before = params.copy()
    memory = compiled.packed([], rows)
    lanes = compiled.lanes_of(np.arange(TRIALS))
    verdicts = compiled.train(
        params, memory, lanes, laid(sequences, dtype), first=1, count=1, batch=1
    )
    return (before - params)[:, :, 0].astype(float) / RATE, verdicts


def of_the_reference(problem, gradient, sequences, trial):
    params = problem.parameters(trial)
    return gradient(problem, params, sequences.one(trial, 1))


def flat(params):
    return torch.cat([it.flatten() for it in params.values()]).numpy()


def check(cell: str, task: str, gradient, dtype) -> None:
    problem = Problem(CELLS[cell], TASKS[task])
    problem = Problem(problem.cell, problem.task, gradient.dice(problem))
    sequences = problem.task.sample(Draws(range(TRIALS), "native", count=2))
    try:
        found, verdicts = of_the_native_engine(problem, gradient, dtype, sequences)
    except Unavailable as reason:
        if "too large to be worth it" not in str(reason):
            raise
        pytest.skip(str(reason))
    for trial in range(TRIALS):
        expected = of_the_reference(problem, gradient, sequences, trial)
        exact = flat(expected.gradient)
        off = np.abs(found[trial] - exact).max()
        # The parameters are still seen in what was taken off them, by their last digit.
        seen = np.abs(flat(problem.parameters(trial))).max() * float(torch.finfo(dtype).eps) / RATE
        assert off <= TOLERANCES[dtype] * np.abs(exact).max() + seen
        assert verdicts.loss[trial, 0] == pytest.approx(
            float(expected.loss), rel=TOLERANCES[dtype], abs=TOLERANCES[dtype]
        )


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "task", "gradient"), asked(covering(), FEW), ids=repr)
def test_native_gradients_in_float64(cell: str, task: str, gradient) -> None:
    check(cell, task, gradient, torch.float64)


@pytest.mark.product
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize(("cell", "task", "gradient"), asked(PAIRS, GRADIENTS), ids=repr)
def test_native_gradients_on_all_pairs(cell: str, task: str, gradient, dtype) -> None:
    check(cell, task, gradient, dtype)
