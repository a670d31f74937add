"""The criterion is put to each trial by itself, over its whole set."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from farback.problem import Problem, Trials
from farback.tasks import Criterion
from farback.tasks._task import at_end, sequences, within
from farback.testing._learned_start import LearnedStart
from farback.testing._noise import Noise
from farback.trials._exam import Last, examine
from farback.trials._feed import Feed
from farback.trials._judge import Judge, alone
from farback.types import Params

SEEDS = (0, 1, 2, 3)


@dataclass(frozen=True)
class Weigh(Noise):
    """One step: say 0. A trial's own weight times the number of the sequence is what it says."""

    inputs: int = 1  # type: ignore
    outputs: int = 1  # type: ignore
    criterion: Criterion = field(default=Criterion(on=("test",)))  # type: ignore
    training: int | None = None  # type: ignore
    test: int = 2000  # type: ignore

    def sample(self, draws):
        numbers = np.broadcast_to(draws.numbers, draws.shape)
        inputs = (numbers / self.test)[None, ..., None]
        ends = at_end(np.ones(draws.shape, dtype=int), 1)
        return sequences(inputs, 0 * inputs[0], scored=ends, alive=ends > 0)

    def correct(self, outputs, answers):
        return within(0.5, outputs, answers)


@dataclass(frozen=True)
class Weight(LearnedStart):
    """Says the weight times the input."""

    units: int = 1

    def parameters(self, generator, inputs, outputs) -> Params:
        return {"w": torch.rand(1, generator=generator, dtype=torch.float64)}

    def start(self, params):
        return 0 * params["w"]

    def step(self, params, state, x):
        return params["w"] * x

    def read(self, params, state, x):
        return state


def judged(criterion: Criterion, weights: list[float], **options: object) -> list[bool]:
    net = Trials(Problem(Weight(), Weigh(criterion=criterion, **options)))  # type: ignore
    feed = Feed(net.task, SEEDS, torch.float64, "cpu")
    params = {"w": torch.tensor(weights, dtype=torch.float64)[:, None]}
    open_to = np.array([True, True, True, False])
    return Judge(net, feed).solved(params, Last(4, 1), open_to).tolist()


@pytest.mark.parametrize(
    ("criterion", "solved"),
    [
        # Said is w n / 2000, wrong from 0.5 on: w = 0.5 is right throughout, 0.51 wrong at the end
        # alone, behind the first part, 2 from the middle on; the last trial is not in question.
        (Criterion(on=("test",)), [True, False, False, False]),
        (Criterion(on=("test",), wrong=100), [True, True, False, False]),
        (Criterion(on=("test",), wrong=100, error=0.2), [False, False, False, False]),
        (Criterion(on=("test",), wrong=100, error=0.25), [True, False, False, False]),
        (Criterion(on=("test",), test=900), [True, True, False, False]),
        (Criterion(on=("training", "test")), [False, False, False, False]),
    ],
)
def test_a_trial_is_solved_by_its_whole_set(criterion: Criterion, solved: list[bool]) -> None:
    assert judged(criterion, [0.5, 0.51, 2.0, 0.0]) == solved


def test_a_trial_is_solved_by_both_sets_where_there_are_two() -> None:
    both = Criterion(on=("training", "test"))
    assert judged(both, [0.5, 0.51, 2.0, 0.0], training=1000) == [True, False, False, False]


def test_a_trial_that_is_no_number_is_never_solved() -> None:
    everything = Criterion(on=("test",), wrong=2000)
    assert judged(everything, [0.5, np.nan, np.inf, 0.0]) == [True, False, False, False]


def test_the_published_test_is_asked_of_the_trial_in_question() -> None:
    net = Trials(Problem(Weight(), Weigh(training=10)))
    feed = Feed(net.task, SEEDS, torch.float64, "cpu")
    params = {"w": torch.tensor([[0.1], [1.0], [0.1], [2.0]], dtype=torch.float64)}
    judge = Judge(net, feed)
    counts = [judge.measures(params, row)["test_wrong"] for row in range(4)]
    assert counts == [0, 1000, 0, 1500]
    found = judge.measures(params, 1)
    assert (found["training_count"], found["test_count"]) == (10, 2000)
    whole = examine(net, alone(params, 1), feed.of(1).test())
    assert found["test_error"] == whole.error[0]
