"""Flossing pushes Lyapunov exponents to zero when it says, and descends otherwise."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.func import jacrev

from farback.cells._cell import Cell
from farback.draws import Draws
from farback.engine.reference import running
from farback.errors import WrongUsage
from farback.learners import Descent, Flossing
from farback.learners.flossing import _slopes, exponents, first_axes
from farback.learners.gradients import BPTT, UORO
from farback.learners.updates import SGD, Adam
from farback.problem import Problem, Trials
from farback.testing import check_learner
from farback.testing._learned_start import LearnedStart
from farback.testing._noise import Noise
from farback.types import Params, Sequences

SMALL = Problem(LearnedStart(), Noise(steps=12))
DESCENT = Descent(BPTT(), SGD(0.05), batch=2)
SEEDS = (3, 8)


@dataclass(frozen=True)
class Line(Cell):
    """state_t = w state_{t-1} + x_t, entry by entry, with weights of its own."""

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        return {"w": torch.tensor([0.5, -2.0], dtype=torch.float64)}

    def start(self, params: Params) -> Tensor:
        return torch.zeros_like(params["w"])

    def layout(self, params: Params) -> dict[str, int]:
        return {"state": 2}

    def step(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return params["w"] * state + x

    def read(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return state


def drawn(problem: Problem = SMALL, count: int = 2) -> Sequences:
    return problem.task.sample(Draws(SEEDS, "here", count=count))


def test_exponents_of_a_linear_map_are_the_logarithms_of_its_eigenvalues() -> None:
    problem = Problem(Line(), Noise(inputs=2, outputs=2, steps=400))
    sequence = drawn(problem).one(0, 0).padded(400)
    found = exponents(problem, problem.parameters(0), sequence, first_axes(2, 2))
    expected = torch.tensor([2.0, 0.5], dtype=torch.float64).log()
    # Both add up to the logarithm of the determinant; the first axis turns to the larger at once.
    torch.testing.assert_close(found.sum(), expected.sum(), rtol=0, atol=1e-12)
    torch.testing.assert_close(found, expected, rtol=0, atol=4 / int(sequence.alive.sum()))


def test_exponents_are_those_of_a_plain_loop() -> None:
    sequence, params = drawn().one(0, 0), SMALL.parameters(3)
    state = SMALL.cell.start(params)
    axes = first_axes(3, 2).numpy()
    np.testing.assert_allclose(axes.T @ axes, np.eye(2), rtol=0, atol=1e-15)
    total = np.zeros(2)
    for x in sequence.inputs:
        jacobian = jacrev(lambda it, x=x: SMALL.cell.step(params, it, x))(state).numpy()
        axes, lengths = np.linalg.qr(jacobian @ axes)
        total += np.log(np.abs(np.diagonal(lengths)))
        state = SMALL.cell.step(params, state, x)
    padded = sequence.padded(16)
    for given in (sequence, padded):
        found = exponents(SMALL, params, given, first_axes(3, 2)).numpy()
        np.testing.assert_allclose(found, total / sequence.steps, rtol=1e-10, atol=0)


def tension(trial: int, params: Params, sequences: Sequences) -> float:
    axes = first_axes(3, 2)
    found = [exponents(SMALL, params, sequences.one(trial, row), axes) for row in range(2)]
    return float(torch.stack(found).square().sum(1).mean())


def test_the_slope_is_that_of_finite_differences() -> None:
    sequences, net = drawn(), Trials(SMALL)
    with running():
        slopes = _slopes(net, net.parameters(SEEDS, torch.float64), sequences, 2)
    generator, h = torch.Generator().manual_seed(0), 1e-6
    for trial, seed in enumerate(SEEDS):
        params = SMALL.parameters(seed)
        for name, value in params.items():
            along = torch.randn(value.shape, generator=generator, dtype=torch.float64)
            above, below = (
                tension(trial, params | {name: value + s * h * along}, sequences) for s in (1, -1)
            )
            slope = float((slopes[name][trial] * along).sum())
            assert slope == pytest.approx((above - below) / (2 * h), rel=1e-6, abs=1e-8)


def test_before_it_learns_it_flosses_and_the_exponents_come_closer_to_zero() -> None:
    learner = Flossing(DESCENT, exponents=2, update=Adam(0.02), before=40)
    net, sequences = Trials(SMALL), drawn()
    with running():
        params = net.parameters(SEEDS, torch.float64)
        memory, first = learner.init(net, params, SEEDS), params
        for _ in range(40):
            learned = learner.step(net, params, memory, sequences)
            params, memory = learned.params, learned.memory
    for trial in range(2):
        was, now = (
            tension(trial, {name: it[trial].clone() for name, it in tree.items()}, sequences)
            for tree in (first, params)
        )
        assert now < 0.2 * was
    assert torch.equal(params["U"], first["U"])


@pytest.mark.parametrize(
    ("before", "every", "flossed"),
    [(0, 2, [0, 0, 1, 0, 1, 0]), (2, 3, [1, 1, 0, 0, 0, 1]), (1, 0, [1, 0, 0, 0, 0, 0])],
)
def test_it_flosses_when_it_says(before: int, every: int, flossed: list[int]) -> None:
    learner = Flossing(DESCENT, update=Adam(), before=before, every=every)
    net = Trials(SMALL)
    with running():
        params = net.parameters(SEEDS, torch.float64)
        memory, counts = learner.init(net, params, SEEDS), [0]
        for step in range(6):
            learned = learner.step(net, params, memory, drawn())
            if not flossed[step]:
                plain = DESCENT.step(net, params, memory["descent"], drawn())
                for name, value in plain.params.items():
                    assert torch.equal(learned.params[name], value)
            params, memory = learned.params, learned.memory
            counts.append(int(memory["update"]["count"]["t"][0]))
    assert np.diff(counts).tolist() == flossed


@pytest.mark.slow
def test_more_than_one_exponent_keeps_the_contract() -> None:
    check_learner(Flossing(DESCENT, exponents=2, before=1, every=1), SMALL)


def test_more_exponents_than_numbers_are_refused() -> None:
    with pytest.raises(WrongUsage, match="a state of 3 numbers"):
        Flossing(DESCENT, exponents=4).fits(SMALL)


def test_a_direction_that_is_forgotten_within_a_step_has_no_exponent() -> None:
    from farback.cells import LSTM1997

    problem = Problem(LSTM1997(blocks=1), Noise(steps=12))
    Flossing(DESCENT, exponents=1).fits(problem)
    with pytest.raises(WrongUsage, match="forgets some of those directions"):
        Flossing(DESCENT, exponents=3).fits(problem)


@pytest.mark.parametrize("wrong", [{"exponents": 0}, {"before": -1}, {"every": -1}])
def test_a_number_of_steps_out_of_range_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(WrongUsage, match=next(iter(wrong))):
        replace(Flossing(DESCENT), **wrong)  # type: ignore


def test_a_descent_that_throws_dice_has_them() -> None:
    learner = Flossing(Descent(UORO(), SGD(0.05)), before=2)
    assert learner.dice(SMALL) == learner.descent.dice(SMALL) == 3
    check_learner(learner, SMALL)


@pytest.mark.parametrize("steps", [1, 2, 5, 9])
@pytest.mark.parametrize("every", [0, 1, 3])
def test_a_pass_is_counted_where_a_step_flosses_and_nowhere_else(
    steps: int, every: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = Flossing(DESCENT, exponents=1, before=2, every=every)
    net, flossed, descended = Trials(SMALL), [0], max(0, steps - 2)

    def counting(*given: object) -> Params:
        flossed[0] += 1
        return _slopes(*given)  # type: ignore

    monkeypatch.setattr("farback.learners.flossing._slopes", counting)
    with running():
        params = net.parameters(SEEDS, torch.float64)
        memory = learner.init(net, params, SEEDS)
        for _ in range(steps):
            params, memory, *_ = learner.step(net, params, memory, drawn())
    forward, backward = learner.passes(memory, 2 * steps)
    expected = 2.0 * (steps + flossed[0]), 2.0 * (descended + flossed[0])
    assert torch.as_tensor(forward).tolist() == [expected[0]] * 2
    assert torch.as_tensor(backward).tolist() == [expected[1]] * 2
