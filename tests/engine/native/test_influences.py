"""Influences stay in their place where every one of them can, and say where they stand."""

import pytest
import torch
from small_trials import ADDING, LAG, REBER

from farback.cells import LSTM, Elman
from farback.learners import Descent
from farback.learners.gradients import RTRL, Gradient, SnAp
from farback.learners.updates import SGD
from farback.problem import Problem
from farback.trials._compiled import native


def columns(cell, task) -> int:
    """Of the influences that stay in their place."""
    return told("COLUMNS", cell, task, RTRL())


def told(size: str, cell, task, gradient: Gradient) -> int:
    """A size that the program states."""
    learner = Descent(gradient, SGD(0.1))
    source = native(Problem(cell, task), learner, torch.float32).program.source
    lines = (line.split() for line in source.splitlines())
    return next(int(it[2]) for it in lines if it[:2] == ["#define", size])


@pytest.mark.parametrize("cell", [Elman(hidden=5), Elman(hidden=5, hidden_bias=True)], ids=str)
@pytest.mark.parametrize("task", [LAG, REBER], ids=["symbols", "strings"])
def test_the_influence_of_a_layer_of_units_stays_in_its_place(cell, task) -> None:
    assert columns(cell, task) == 5 * (5 + task.inputs)


def test_the_influences_of_several_matrices_stay_in_their_place() -> None:
    assert columns(LSTM(hidden=5), REBER) == 4 * 5 * (5 + REBER.inputs + 1)


def test_a_small_influence_is_written_anew() -> None:
    assert columns(Elman(hidden=2), ADDING) == 0


def test_of_a_sparse_influence_only_what_is_kept_is_carried() -> None:
    weights = 5 * (5 + REBER.inputs)
    assert told("CARRY", Elman(hidden=5), REBER, SnAp()) == 5 + weights
    assert told("CARRY", Elman(hidden=5), REBER, RTRL()) == 5 + 5 * weights
