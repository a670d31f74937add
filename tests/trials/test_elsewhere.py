"""A solved trial is tested on the other tasks that its own names, by either engine."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch

import farback as fb
from farback.cells import Pascanu2013
from farback.errors import InputRefused
from farback.learners import Descent, gradients, updates
from farback.problem import Problem, Trials
from farback.results import Runs
from farback.tasks import Pascanu2013TemporalOrder
from farback.tasks._task import Task
from farback.testing._noise import Noise
from farback.trials._exam import examine
from farback.trials._feed import Feed
from farback.trials._judge import Judge, alone

CELL = Pascanu2013(hidden=3, std=1.0)
NAMES = {"test_10_wrong", "test_15_wrong"}


@dataclass(frozen=True)
class Small(Pascanu2013TemporalOrder):
    """With a test set that is soon answered."""

    test: int = 60  # type: ignore


def trained(engine: str, *, wrong: int) -> Runs:
    """Three trials of one look: all are solved by it, or none is."""
    return fb.train(
        CELL,
        Small(length=12, longest=14, wrong=wrong, tested=(10, 15)),
        Descent(gradients.BPTT(), updates.SGD(0.1), batch=2),
        seeds=3,
        group=3,
        sequences=20,
        check=20,
        dtype="float64",
        engine=engine,
        progress=False,
    )


def test_each_has_its_own_test_set_of_the_same_seed() -> None:
    net = Trials(Problem(CELL, Small(length=12, tested=(10, 15))))
    params = net.parameters((7, 8), torch.float64)
    found = Judge(net, Feed(net.task, (7, 8), torch.float64, "cpu")).elsewhere(params, 1)
    for length in (10, 15):
        other = Small(length=length)
        test = Feed(other, (8,), torch.float64, "cpu").test()
        by_hand = examine(Trials(Problem(CELL, other)), alone(params, 1), test)
        assert found[f"test_{length}_wrong"] == by_hand.wrong[0] > 0
        assert found[f"test_{length}_error"] == by_hand.error[0]
        assert found[f"test_{length}_count"] == 60
    assert len(found) == 6


def test_the_native_engine_finds_what_the_reference_finds(has_compiler: None) -> None:
    for ours, theirs in zip(
        *(trained(it, wrong=60) for it in ("native", "reference")), strict=True
    ):
        assert ours.outcome == theirs.outcome == "solved"
        assert ours.measures == pytest.approx(theirs.measures, rel=1e-9)
        assert ours.measures.keys() >= NAMES


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_a_trial_that_is_not_solved_is_not_tested_further(engine: str, has_compiler: None) -> None:
    for run in trained(engine, wrong=0):
        assert run.outcome == "unsolved" and not run.measures.keys() & NAMES


def test_another_task_of_other_sizes_is_refused() -> None:
    other = Pascanu2013TemporalOrder(symbols=3)
    kind: Any = dataclass(frozen=True)(type("Mine", (Noise,), {"elsewhere": (("far", other),)}))
    task: Task = kind()
    with pytest.raises(InputRefused, match="as far, which has 6 inputs and 8 outputs, expected"):
        fb.train(CELL, task, Descent(gradients.BPTT(), updates.SGD()), sequences=2, progress=False)
