"""A program draws the sequences that the task draws, number for number."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from farback import tasks
from farback.cells import Elman
from farback.drawn import Drawn, symbols
from farback.draws import Draws
from farback.engine.native._lanes import Compiled, leaves_of
from farback.engine.native._memory import laid
from farback.engine.native._unavailable import Unavailable
from farback.learners import Descent
from farback.learners.gradients import BPTT
from farback.learners.updates import SGD
from farback.problem import Problem, Trials
from farback.testing._members import TASKS
from farback.trials._compiled import answering, native

LEARNER = Descent(BPTT(), SGD(0.1))
SEEDS = (5, 2**40 + 3, 9)
FIRST, COUNT = 2**32 - 9, 20
"""Across the number at which the counter's second word begins."""

BY_PYTHON = {"Characters", "Digits", "Gap", "Reber", "Tomita"}
"""Those that draw what cannot be followed."""

CHOICES = (
    *(it for it in TASKS.values() if it.training is None and type(it).__name__ not in BY_PYTHON),
    tasks.Latch(strings=None, variance=True),
    tasks.NARXLatch(strings=None),
    tasks.NARXParity(strings=None),
    tasks.Bengio1994TwoSequence(patterns=((0.5, -0.5, 1.0), (1.0, 0.25, -1.0))),
    tasks.TwoSequence(length=12, conveying=1, noisy_signal=True, noisy_targets=True),
    tasks.Adding(length=20, first_pair=False),
    tasks.Multiplication(length=20, shown=False),
    tasks.RandomLag(delay=10, every_step=False),
    tasks.TemporalOrder(symbols=3),
    tasks.RandomPermutation(longest=120),
    tasks.Pascanu2013Addition(length=20, longest=40),
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]


def examined(task, dtype, lanes):
    """What nets answer to sequences that are drawn for them and by them."""
    problem = Problem(Elman(hidden=3), task)
    program = answering(problem, dtype).program
    assert program.stream is not None
    compiled = Compiled(program, dtype, lanes)
    params = leaves_of(Trials(problem).parameters(SEEDS, dtype))
    packed = compiled.packed(params, range(len(SEEDS)))
    rows = compiled.lanes_of(np.arange(len(SEEDS)))
    drawn = task.sample(Draws(SEEDS, "training", first=FIRST, count=COUNT))
    for data, first in (
        (laid(drawn, dtype), 0),
        (program.stream.of(SEEDS, "training"), FIRST),
    ):
        yield compiled.examine(packed, rows, data, first=first, count=COUNT, losses=True)[0]


@pytest.mark.parametrize("task", CHOICES, ids=repr)
def test_a_program_draws_what_the_task_draws(task) -> None:
    for dtype, lanes in ((torch.float32, 16), (torch.float64, 1)):
        told, own = examined(task, dtype, lanes)
        close = 50 * torch.finfo(dtype).eps
        assert np.array_equal(told.right, own.right)
        np.testing.assert_allclose(own.loss, told.loss, rtol=close, atol=close)
        np.testing.assert_allclose(own.error, told.error, rtol=close, atol=close)


@pytest.mark.parametrize(
    "task", [it for it in TASKS.values() if type(it).__name__ in BY_PYTHON], ids=repr
)
def test_what_cannot_be_followed_is_drawn_for_the_program(task) -> None:
    try:
        assert answering(Problem(Elman(hidden=2), task), torch.float32).program.stream is None
    except Unavailable as fact:
        assert "judges a sequence as a whole" in str(fact)


class Otherwise(tasks.Adding):
    """Draws in a way of its own."""

    def sample(self, draws):
        drawn = super().sample(draws)
        return type(drawn)(
            drawn.inputs * 0.5, drawn.targets, drawn.answers, drawn.scored, drawn.alive
        )


def test_a_sample_of_ones_own_counts_and_not_its_parents_draw() -> None:
    problem = Problem(Elman(hidden=2), Otherwise(length=6))
    assert native(problem, LEARNER, torch.float32).program.stream is None


@dataclass(frozen=True)
class Beyond(tasks.RandomPermutation):
    """Now and then a length and a symbol that there are not."""

    def draw(self, source):
        drawn, rare = super().draw(source), source.uniform() > 0.9999
        lengths = torch.where(rare, 1000 * drawn.inputs.places[1] - 5000, drawn.lengths)
        shown = torch.where(rare, 500 * drawn.inputs.places - 5000, drawn.inputs.places)
        return Drawn(symbols(shown, self.symbols), drawn.targets, lengths)


@dataclass(frozen=True)
class Large(tasks.Adding):
    """Whole numbers that float32 does not hold."""

    def draw(self, source):
        far, drawn = source.integers(high=2**40).double() / 2**40, super().draw(source)
        return replace(drawn, inputs=drawn.inputs + far.unsqueeze(-1))


def test_what_is_drawn_beyond_its_bounds_stays_within_memory() -> None:
    problem = Problem(Elman(hidden=2), Beyond(symbols=20, length=12))
    made = native(problem, LEARNER, torch.float32)
    assert made.program.stream is not None
    compiled, rows = made.compiled(20), range(20)
    params = compiled.packed(leaves_of(Trials(problem).parameters(rows, torch.float32)), rows)
    compiled.train(
        params,
        compiled.packed([], rows),
        compiled.lanes_of(np.arange(20)),
        made.program.stream.of(rows, "training"),
        first=0,
        count=20_000,
        batch=1,
    )
    assert np.isfinite(params).all()


def test_what_the_type_cannot_tell_apart_is_drawn_for_the_program() -> None:
    made = native(Problem(Elman(hidden=2), Large(length=6)), LEARNER, torch.float32)
    assert made.program.stream is None
