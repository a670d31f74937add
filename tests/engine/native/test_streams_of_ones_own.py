"""Whatever a task of one's own does to draw, both engines learn from the same sequences."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

import farback as fb
from farback import tasks
from farback.cells import Elman
from farback.cells._cell import Cell, uniform
from farback.drawn import Drawn, Rows, along, symbols
from farback.engine.native._lanes import Compiled, leaves_of
from farback.learners import Descent
from farback.learners.gradients import BPTT
from farback.learners.updates import SGD
from farback.problem import Problem, Trials
from farback.trials._compiled import native

STEPS = 8

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]


@dataclass(frozen=True)
class Own(tasks.Task):
    """A number is asked for; which one, each says in `draw`."""

    inputs = outputs = 1
    test = 30
    lag = property(lambda self: tasks.Lag(1, STEPS))
    criterion = tasks.Criterion(on=("test",), test=20)
    baseline = None

    def informative(self, inputs):
        return torch.ones(inputs.shape[:-1], dtype=torch.bool)

    def distractors(self, inputs):
        return ~self.informative(inputs)

    def correct(self, outputs, answers):
        return ((outputs - answers).abs() < 0.3).all(-1)


def each(numbers):
    """Every step of one line."""
    return numbers.unsqueeze(-1)


class NoNumber(Own):
    """A symbol at a place that is no number before it is made a whole one."""

    inputs = 20

    def draw(self, source):
        one, other = source.integers(12, high=3), source.integers(12, high=3)
        places = (20 * one / (one + other)).long().clamp(0, 19)
        return Drawn(symbols(places, 20), each(source.uniform()))


class ScoredBehindTheEnd(Own):
    def draw(self, source):
        lengths, noise = 4 + source.integers(high=5), source.normal(STEPS)
        return Drawn(
            each(noise), each(noise.cumsum(0)), lengths, scored=0.5 * torch.ones_like(noise)
        )


class Numpy(Own):
    """Followed, it would see zeros."""

    def draw(self, source):
        sorted = torch.from_numpy(np.sort(source.uniform(STEPS).numpy(), axis=0))
        return Drawn(each(sorted), each(sorted[-1]))


class NumbersOfNumpy(Own):
    def draw(self, source):
        noise = source.normal(STEPS, std=np.sqrt(0.2))
        return Drawn(each(noise), each(noise[0]))


class CountedMasks(Own):
    def draw(self, source):
        unit = source.uniform(STEPS)
        counts = (unit > 0.7).cumsum(0).double() / 4
        return Drawn(each(unit), each(counts), scored=torch.ones_like(unit))


class AddedMasks(Own):
    def draw(self, source):
        unit = source.uniform(STEPS)
        either = (along(STEPS, unit[0]) == 0) + (unit > 0.5)
        return Drawn(each(unit), each(either.double()), scored=torch.ones_like(unit))


class NothingBehindTheEnd(Own):
    """Inputs that are no numbers where nobody looks."""

    def draw(self, source):
        lengths, noise = 4 + source.integers(high=5), source.normal(STEPS)
        shown = torch.where(along(STEPS, lengths) < lengths, noise, float("nan"))
        return Drawn(each(shown), each(noise[0]), lengths)


class SampleBesideDraw(Own):
    def draw(self, source):
        noise = source.normal(STEPS)
        return Drawn(each(noise), each(noise[0]))

    def sample(self, draws):
        made = self.draw(draws.tensors).whole()
        return type(made)(made.inputs / 9, made.targets, made.answers, made.scored, made.alive)


class WholeNumbersInPlace(Own):
    def draw(self, source):
        unit = source.uniform(STEPS)
        whole = torch.zeros_like(unit).long()
        whole[:] = unit * 10
        return Drawn(each(unit), each(whole[-1].double() / 10))


class NegativePlaces(Own):
    def draw(self, source):
        noise, table = source.normal(STEPS), torch.tensor([[0.1], [0.2], [0.5]]).double()
        rows = Rows(table, source.integers(STEPS, high=3) - 1)
        return Drawn(each(noise), rows, scored=torch.ones_like(noise))


class NoSteps(Own):
    """Now and then a sequence without any."""

    def draw(self, source):
        lengths, noise = source.integers(high=6), source.normal(STEPS)
        return Drawn(each(noise), each(noise[0]), lengths)


class Twice(Own):
    """The same numbers for two inputs."""

    inputs = 2

    def draw(self, source):
        noise = source.normal(STEPS)
        late = torch.where(along(STEPS, noise[0]) < 5, 0.0, noise)
        return Drawn(torch.stack([late, noise], -1), each(source.uniform()))


class AlsoAskedFor(Own):
    """Numbers that are an input, and counted in the target."""

    def draw(self, source):
        noise = source.normal(STEPS)
        return Drawn(each(noise), each(noise.cumsum(0)), scored=torch.ones_like(noise))


CASES = [NoNumber, ScoredBehindTheEnd, Numpy, NumbersOfNumpy, CountedMasks, AddedMasks]
CASES += [NothingBehindTheEnd, SampleBesideDraw, WholeNumbersInPlace, NegativePlaces, NoSteps]
CASES += [Twice, AlsoAskedFor]


@pytest.mark.parametrize("kind", CASES)
def test_both_engines_learn_from_the_same_sequences(kind) -> None:
    options = {"seeds": 5, "sequences": 100, "check": 20, "dtype": "float64", "progress": False}
    learner = Descent(BPTT(), SGD(0.1))
    mine, theirs = (
        fb.train(Elman(hidden=3), kind(), learner, engine=it, **options)
        for it in ("native", "reference")
    )
    for one, other in zip(mine, theirs, strict=True):
        assert one.outcome == other.outcome
        np.testing.assert_allclose(one.curve["loss"], other.curve["loss"], rtol=1e-8)


@pytest.mark.parametrize("kind", [Twice, AlsoAskedFor, NothingBehindTheEnd, NoNumber])
def test_a_program_draws_what_it_follows(kind) -> None:
    made = native(Problem(Elman(hidden=3), kind()), Descent(BPTT(), SGD(0.1)), torch.float64)
    assert made.program.stream is not None
    assert made.compiled(3).program is made.program


@dataclass(frozen=True)
class Directed(Cell):
    """It looks at the direction of its input, and has no derivative where that is zero."""

    def layout(self, params):
        return {"h": 2}

    def parameters(self, generator, inputs, outputs):
        return {
            "w": uniform(generator, 2, inputs, width=1.0),
            "v": uniform(generator, outputs, 2, width=1.0),
        }

    def start(self, params):
        return params["w"].new_zeros(2)

    def step(self, params, state, x):
        seen = params["w"] @ x
        return torch.tanh(state + seen / seen.square().sum().sqrt())

    def read(self, params, state, x):
        return params["v"] @ state


class EndsEarly(Own):
    inputs = 2

    def draw(self, source):
        lengths, noise = 3 + source.integers(high=6), source.uniform(2, STEPS, low=0.5)
        return Drawn(noise.movedim(0, -1), each(source.uniform()), lengths)


def test_a_lane_that_has_ended_sees_its_last_input_again() -> None:
    problem, learner = Problem(Directed(), EndsEarly()), Descent(BPTT(), SGD(0.1))
    program, rows = native(problem, learner, torch.float64).program, range(8)
    assert program.stream is not None
    made = []
    for lanes in (1, 8):
        compiled = Compiled(program, torch.float64, lanes)
        params = compiled.packed(leaves_of(Trials(problem).parameters(rows, torch.float64)), rows)
        memory, where = compiled.packed([], rows), compiled.lanes_of(np.arange(8))
        data = program.stream.of(rows, "training")
        compiled.train(params, memory, where, data, first=0, count=5, batch=1)
        made.append(np.moveaxis(params, 2, 1).reshape(8, -1))
    assert np.isfinite(made[0]).all()
    assert np.array_equal(*made)
