"""Dice behind the inputs: fresh for each sequence that is presented, the same for every engine."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch

import farback as fb
from farback import cells, learners, tasks
from farback._dice import Diced, Shown, diced
from farback.cells._cell import Cell
from farback.draws import Draws
from farback.errors import FarbackError, InputRefused
from farback.learners import Descent, gradients, updates
from farback.learners._learner import Learner
from farback.problem import Problem
from farback.tasks._task import Task
from farback.testing._members import TASKS
from farback.testing._noise import Noise
from farback.trials._feed import Feed
from farback.types import Params, Sequences

SEEDS = (5, 2**40 + 3, 9)
NET = cells.ThresholdNet(hidden=2, additive=True)
LEARNER = Descent(gradients.DiscreteError(), updates.SGD(lr=0.01))
PARITY = tasks.Parity(longest=5, strings=4)
"""With a fixed training set."""


@pytest.mark.parametrize("name", TASKS)
def test_a_task_with_dice_draws_what_it_draws_without(name: str) -> None:
    task, draws = TASKS[name], ((0, 7), "here")
    mine, bare = Diced(task, 3).sample(Draws(*draws, count=4)), task.sample(Draws(*draws, count=4))
    assert torch.equal(mine.inputs[..., :-3], bare.inputs)
    for field in ("targets", "answers", "scored", "alive"):
        assert torch.equal(getattr(mine, field), getattr(bare, field))
    if type(task).sample is Task.sample:
        drawn = Diced(task, 3).draw(Draws(*draws, count=4).tensors).whole()
        assert torch.equal(mine.inputs, drawn.inputs)


def test_dice_are_even_exact_in_float32_and_zero_behind_the_end() -> None:
    drawn = Diced(tasks.Parity(longest=40), 2).sample(Draws((0, 1), "here", count=200))
    dice, alive = drawn.inputs[..., 1:], drawn.alive
    assert torch.equal(dice.float().double(), dice)
    assert not dice[~alive].any()
    thrown = dice[alive].flatten()
    assert thrown.unique().numel() > 0.99 * thrown.numel()
    counts = torch.histc(thrown, 10, 0, 1) / thrown.numel()
    assert (counts - 0.1).abs().max() < 5 * (0.09 / thrown.numel()) ** 0.5


def test_a_sequence_has_its_dice_alone_as_among_others() -> None:
    task = Diced(tasks.Parity(longest=9), 2)
    among = task.sample(Draws(SEEDS, "here", first=3, count=5)).one(1, 2)
    alone = task.sample(Draws(SEEDS[1:2], "here", first=5)).one(0, 0)
    assert torch.equal(among.inputs, alone.inputs)


def test_what_has_its_dice_keeps_them_and_others_replace_others() -> None:
    problem = Problem(NET, PARITY)
    assert problem.task.inputs == 1 + 3
    assert diced(problem.cell, problem.task) == (problem.cell, problem.task)
    two, four = (Problem(problem.cell, problem.task, others) for others in (2, 4))
    assert (two.task.inputs, four.task.inputs) == (1 + 3 + 2, 1 + 3 + 4)
    assert Problem(two.cell, two.task, 4).task == four.task
    assert Problem(cells.Elman(), PARITY).task is PARITY


def test_a_cell_does_not_see_the_dice_of_a_gradient() -> None:
    bare = Problem(NET, PARITY)
    more = Problem(NET, PARITY, 2)
    params = bare.parameters(0)
    assert all(torch.equal(it, params[name]) for name, it in more.parameters(0).items())
    state, x = bare.start(params, None), torch.rand(6, dtype=torch.float64)  # type: ignore
    one = bare.cell.step(params, state, x[:4])
    for end in (0.0, 1.0):
        seen = torch.cat([x[:4], torch.full((2,), end, dtype=torch.float64)])
        assert torch.equal(one, more.cell.step(params, state, seen))
        assert torch.equal(bare.cell.read(params, one, x[:4]), more.cell.read(params, one, seen))


@pytest.mark.parametrize("whole", [False, True])
def test_a_fixed_training_set_gets_fresh_dice_at_each_presentation(whole: bool) -> None:
    task = Diced(PARITY, 2)
    feed, bare = (Feed(it, SEEDS, torch.float64, "cpu") for it in (task, PARITY))
    mine, plain = (next(iter(it.sequences(40))) for it in (feed, bare))
    assert torch.equal(mine.inputs[..., :1], plain.inputs)
    rows = {row.numpy().tobytes() for row in plain.inputs[:, 0].transpose(0, 1)}
    dice = {row.numpy().tobytes() for row in mine.inputs[..., 1:][:, 0].transpose(0, 1)}
    assert len(rows) <= 8 and len(dice) == 40
    assert feed.set is None and bare.set is not None
    some = feed.only([1]).fresh(7, 2) if whole else feed.fresh(7, 2).trials([1])
    assert torch.equal(some.inputs, mine.inputs[: len(some.inputs), 1:2, 7:9])


def test_what_shows_or_throws_dice_is_its_part_in_all_else() -> None:
    for kind, wrapper in ((Task, Diced), (Cell, Shown)):
        asked = {name for name in vars(kind) if not name.startswith("_")}
        assert asked <= vars(wrapper).keys()


def test_with_dice_too_a_solved_net_is_tested_on_other_tasks() -> None:
    task = tasks.Pascanu2013TemporalOrder(length=12, tested=(10, 15))
    problem = Problem(cells.Elman(hidden=2), task, 2)
    for (name, other), (_, own) in zip(problem.task.elsewhere, task.elsewhere, strict=True):
        assert name in ("test_10", "test_15")
        assert (other, other.inputs) == (Diced(own, 2), task.inputs + 2)


def test_evolution_sees_the_weights_of_a_net_and_not_its_dice() -> None:
    cell = cells.ThresholdNet(hidden=2, hidden_bias=True, output_bias=True)
    learners.Evolution().fits(Problem(cell, PARITY))


@pytest.mark.parametrize("asked", [-1, 1.5])
def test_dice_that_are_no_number_of_dice_are_refused(asked: float) -> None:
    cell: Any = type("Mine", (cells.ThresholdNet,), {"dice": asked})()
    with pytest.raises(InputRefused, match=rf"^Mine\(.* asks for {asked} dice a step, expected"):
        Problem(cell, PARITY)
    with pytest.raises(InputRefused, match=rf"^The gradient asks for {asked} dice"):
        Problem(NET, PARITY, asked)  # type: ignore


@dataclass(frozen=True)
class Short(cells.ThresholdNet):
    """A user's cell that starts with too little."""

    def start(self, params: Params) -> torch.Tensor:
        return super().start(params)[:1]


@dataclass(frozen=True)
class Silent(Noise):
    """A user's task that gives nothing."""

    inputs: int = 1  # type: ignore
    outputs: int = 1  # type: ignore

    def sample(self, draws: Draws) -> Sequences:
        return None  # type: ignore


@dataclass(frozen=True)
class Failing(Silent):
    """And one that fails."""

    def sample(self, draws: Draws) -> Sequences:
        raise ValueError("on purpose")


REFUSED: dict[str, tuple[Cell, Task, Learner, str]] = {
    "a start": (Short(), PARITY, LEARNER, r"^Short\(.*gives \(1,\) from start, expected"),
    "a name": (
        cells.Elman(hidden=2),
        PARITY,
        learners.Construction(Descent(gradients.UORO(), updates.SGD()), added=("none",)),
        "no parameter 'none' of Elman;",
    ),
    "a Jacobian": (NET, PARITY, Descent(gradients.RTRL(), updates.SGD()), r"^ThresholdNet\("),
    "a distribution": (NET, PARITY, learners.ExpectationMaximization(), "with ThresholdNet"),
    "what is no task": (NET, Silent(), LEARNER, r"^Silent\(.* draws None, expected Sequences"),
    "a task that fails": (NET, Failing(), LEARNER, "farback was drawing a sequence of Failing:"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_name_the_users_own_parts(name: str) -> None:
    cell, task, learner, said = REFUSED[name]
    with pytest.raises(FarbackError, match=said) as caught:
        fb.train(cell, task, learner, seeds=1, sequences=200, progress=False)
    assert "Shown" not in str(caught.value) and "Diced" not in str(caught.value)


def test_a_learner_asks_for_the_dice_of_its_gradient() -> None:
    problem = Problem(cells.Elman(hidden=2), PARITY)
    descent = Descent(gradients.UORO(), updates.SGD())
    assert descent.dice(problem) == learners.Construction(descent, added=("readout",)).dice(problem)
    assert descent.dice(problem) == 2
    assert LEARNER.dice(problem) == learners.Guessing().dice(problem) == 0
