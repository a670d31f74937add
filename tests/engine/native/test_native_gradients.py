"""The native engine has the gradients of the reference, on every cell and task.

A task comes into a gradient by its inputs and its loss, which all of them read alike: BPTT is tried
wherever a cell or a task could make a difference. The others have a way of their own with the steps
of a cell, and are tried on every cell.

                    `make test`, in float64     `make gradients`
    BPTT            each cell on two tasks,     all pairs, in both types
                    each task on two cells
    RTRL            each cell on one task       all pairs in float64, those of BPTT's in float32
    windows         each cell on one task       those of BPTT's on the left, in both types
    the others      in small_trials.py and      the same
                    files of their own
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
    _online,
)
from farback.learners.gradients._gradient import Gradient
from farback.learners.updates import SGD
from farback.problem import Problem, Trials
from farback.testing._members import CELLS, PAIRS, TASKS, covering, influence
from farback.trials._compiled import native

WINDOWS = OneStep(), TruncatedBPTT(window=5, every=2)
STUDIED = PseudoNewton(), TimeWeightedNewton(mu=1e-3), Omega(squared=False), UORO()
"""Those that `make test` tries elsewhere."""

PASSING_ON = BPTT(), *WINDOWS
"""Those that take no Jacobian, which not every cell has."""

TOLERANCES = {torch.float64: 1e-12, torch.float32: 1e-5}
TRIALS = 3
RATE = 2.0**40


def asked(pairs: Iterable[tuple[str, str]], *of: Gradient) -> list[tuple[Any, ...]]:
    """Each pair with each gradient that takes its cell."""
    return [
        (*pair, it)
        for pair in pairs
        for it in of
        if CELLS[pair[0]].has_jacobian or it in PASSING_ON
    ]


def by_cell() -> list[tuple[str, str]]:
    """Each cell on one task, of those that cover them: that of the smallest net."""
    smallest: dict[str, str] = {}
    for pair in sorted(covering(), key=lambda it: influence(*it)):
        smallest.setdefault(*pair)
    return list(smallest.items())


pytestmark = pytest.mark.usefixtures("careless")


@pytest.fixture(autouse=True)
def few_steps_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a gradient does the same at all steps is no matter of the cell: two are traced."""
    monkeypatch.setattr(_online, "_LOOKED_AT", 2)


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


FEW = [
    *asked(covering(), BPTT()),
    *asked(by_cell(), RTRL(), *WINDOWS),
]
ALL = [
    *((*it, torch.float64) for it in asked(PAIRS, BPTT(), RTRL())),
    *((*it, torch.float32) for it in asked(PAIRS, BPTT())),
    *((*it, torch.float32) for it in asked(covering(), RTRL())),
    *((*it, dtype) for it in asked(covering(), *WINDOWS, *STUDIED) for dtype in TOLERANCES),
]


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "task", "gradient"), FEW, ids=str)
def test_native_gradients_in_float64(cell: str, task: str, gradient) -> None:
    check(cell, task, gradient, torch.float64)


@pytest.mark.product
@pytest.mark.parametrize(("cell", "task", "gradient", "dtype"), ALL, ids=str)
def test_native_gradients_on_all_pairs(cell: str, task: str, gradient, dtype) -> None:
    check(cell, task, gradient, dtype)


@pytest.mark.parametrize("name", CELLS)
def test_every_cell_has_every_gradient_that_takes_it(name: str) -> None:
    tried = {type(gradient) for cell, _, gradient in FEW if cell == name}
    jacobians = {RTRL} if CELLS[name].has_jacobian else set()
    assert tried == {BPTT, OneStep, TruncatedBPTT} | jacobians
