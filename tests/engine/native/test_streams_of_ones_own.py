"""Whatever a task of one's own does to draw, both engines learn from the same sequences."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

import farback as fb
from farback import tasks
from farback.cells import Elman
from farback.drawn import Drawn, Rows, along, symbols
from farback.learners import Descent
from farback.learners.gradients import BPTT
from farback.learners.updates import SGD

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


CASES = [NoNumber, ScoredBehindTheEnd, Numpy, NumbersOfNumpy, CountedMasks, AddedMasks]
CASES += [NothingBehindTheEnd, SampleBesideDraw, WholeNumbersInPlace, NegativePlaces, NoSteps]


@pytest.mark.parametrize("kind", CASES)
def test_both_engines_learn_from_the_same_sequences(kind) -> None:
    options = {"seeds": 5, "sequences": 100, "check": 20, "dtype": "float64", "progress": False}
    learner = Descent(BPTT(), SGD(0.1))
    native, reference = (
        fb.train(Elman(hidden=3), kind(), learner, engine=it, **options)
        for it in ("native", "reference")
    )
    for mine, theirs in zip(native, reference, strict=True):
        assert mine.outcome == theirs.outcome
        np.testing.assert_allclose(mine.curve["loss"], theirs.curve["loss"], rtol=1e-8)
