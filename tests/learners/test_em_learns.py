"""What EM learns within the budgets of its source."""

from typing import Any

import pytest

from farback import cells, tasks
from farback.cells._state_distribution import StateDistribution
from farback.learners import ExpectationMaximization
from farback.learners.updates import SGD
from farback.trials import train

LEARNED = {
    "two sequences, tables": (
        cells.StateNetwork.two_sequence(bounds=(-0.5, 0.0, 0.5)),
        tasks.Bengio1994TwoSequence(steps=20, patterns=((-0.8, 0.8, -0.8), (0.8, -0.8, 0.8))),
        ExpectationMaximization(batch=100),
    ),
    "two sequences, networks": (
        cells.StateNetwork.two_sequence(),
        tasks.Bengio1994TwoSequence(steps=20, patterns=((-0.8, 0.8, -0.8), (0.8, -0.8, 0.8))),
        ExpectationMaximization(batch=20, update=SGD(lr=1.0)),
    ),
    "parity": (
        cells.StateNetwork.parity(),
        tasks.Parity(longest=5),
        ExpectationMaximization(
            batch=20, update=SGD(lr=1.0), determinant=1.0, fall=0.7, rise=1.5, window=60
        ),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "task", "learner"), LEARNED.values(), ids=LEARNED)
def test_most_trials_learn_what_the_source_let_em_learn(
    cell: StateDistribution, task: Any, learner: ExpectationMaximization
) -> None:
    runs = train(cell, task, learner, seeds=8, sequences=4000, check=100, progress=False)
    solved = [it for it in runs if it.outcome == "solved"]
    assert len(solved) >= 6
    assert all(it.measures["test_wrong"] < 0.02 * task.test for it in solved)
