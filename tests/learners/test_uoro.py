"""UORO: RTRL in the mean, over all signs at once and over drawn ones."""

from dataclasses import replace
from itertools import product

import pytest
import torch

from farback import tasks
from farback.cells import LSTM1997, Elman
from farback.cells._cell import Cell
from farback.draws import Draws
from farback.learners.gradients import RTRL, UORO
from farback.learners.gradients.uoro import Outer
from farback.problem import Problem, Trials
from farback.testing._learned_start import LearnedStart
from farback.testing._noise import Noise
from farback.types import Params, Sequences, plus, zeros_like


def problem_of(cell: Cell, steps: int) -> Problem:
    plain = Problem(cell, Noise(inputs=2, outputs=2, steps=steps))
    return Problem(plain.cell, plain.task, UORO().dice(plain))


def longest(problem: Problem) -> Sequences:
    drawn = problem.task.sample(Draws((3,), "here", count=20))
    given = drawn.one(0, int(drawn.lengths[0].argmax()))
    return replace(given, scored=torch.ones_like(given.scored))


def with_signs(given: Sequences, signs: tuple[float, ...], first: int = 0) -> Sequences:
    """The sequence, its last dice from step `first` on those that make these signs."""
    steps = given.steps - first
    dice = torch.tensor(signs, dtype=torch.float64).reshape(steps, -1) / 4 + 0.5
    inputs = given.inputs.clone()
    inputs[first:, -dice.shape[1] :] = dice
    return replace(given, inputs=inputs)


def close(found: Params, expected: Params, tolerance: float) -> None:
    for name, value in expected.items():
        scale = max(1.0, float(value.abs().max()))
        torch.testing.assert_close(found[name], value, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("cell", [LearnedStart(units=2), Elman(hidden=2, width=2.0)], ids=repr)
def test_over_all_signs_of_a_sequence_the_mean_is_the_gradient_of_rtrl(cell: Cell) -> None:
    problem = problem_of(cell, 3)
    params, given = problem.parameters(0), longest(problem)
    assert given.steps == 3
    found = [
        UORO()(problem, params, with_signs(given, signs)).gradient
        for signs in product((-1.0, 1.0), repeat=6)
    ]
    spread = [
        max(float((it[name] - found[0][name]).abs().max()) for it in found) for name in params
    ]
    assert max(spread) > 1e-3  # a single one is another
    mean = {name: torch.stack([it[name] for it in found]).mean(0) for name in params}
    close(mean, RTRL()(problem, params, given).gradient, 1e-12)


@pytest.mark.parametrize("truncated", [False, True])
def test_over_all_signs_of_a_step_the_mean_is_the_recursion_of_rtrl(truncated: bool) -> None:
    problem = problem_of(LSTM1997(blocks=2, size=1, truncated=truncated), 6)
    params, given = problem.parameters(0), longest(problem)
    carry = UORO().begin(problem, params, given)
    for t in range(2):
        carry = UORO().advance(problem, params, carry, given, t).carry
    size = len(carry.state)
    before = outer(carry)
    sensitive = RTRL().begin(problem, params, given)._replace(state=carry.state, influence=before)
    expected = RTRL().advance(problem, params, sensitive, given, 2).carry.influence
    total = zeros_like(expected)
    for signs in product((-1.0, 1.0), repeat=size):
        thrown = with_signs(given.between(0, 3), signs, first=2)
        total = plus(total, outer(UORO().advance(problem, params, carry, thrown, 2).carry))
    close({name: value / 2**size for name, value in total.items()}, expected, 1e-12)


def outer(carry: Outer) -> Params:
    """The outer product, as RTRL keeps it."""
    return {name: torch.tensordot(carry.column, it, 0) for name, it in carry.row.items()}


@pytest.mark.slow
def test_over_drawn_dice_the_mean_is_within_its_error_of_rtrl() -> None:
    problem = problem_of(Elman(hidden=2, width=1.0), 12)
    params, given, count = problem.parameters(2), longest(problem), 4000
    task = problem.task
    many = given._with(lambda it: it[:, None, None].expand(len(it), count, 1, *it.shape[1:]))
    thrown = task.thrown(many, Draws(range(count), "many"))  # type: ignore
    net, shared = Trials(problem), {}
    for name, value in params.items():
        shared[name] = value.expand(count, *value.shape).contiguous()
    found = UORO()(net, shared, thrown).gradient
    exact = RTRL()(problem, params, given).gradient
    for name, value in found.items():
        error = value.std(0) / count**0.5
        assert ((value.mean(0) - exact[name]).abs() <= 4.5 * error + 1e-9).all()
        assert (error < 0.2 * exact[name].abs().max()).all()


def test_the_factors_stay_of_one_size() -> None:
    problem = problem_of(Elman(hidden=3), 40)
    params, given = problem.parameters(0), longest(problem)
    carry = UORO().begin(problem, params, given)
    for t in range(given.steps):
        carry = UORO().advance(problem, params, carry, given, t).carry
        row = torch.cat([it.flatten() for it in carry.row.values()]).norm()
        assert 0.05 < float(row / carry.column.norm()) < 20


def test_it_asks_for_a_sign_for_each_number_of_the_state() -> None:
    problem = Problem(LSTM1997(blocks=2, size=1), tasks.Adding())
    assert UORO().dice(problem) == len(problem.cell.start(problem.parameters(0)))
