"""Curvature that is carried back is the second derivative, where it must be."""

from dataclasses import dataclass

import torch
from by_instances import apart, diagonal_hessian, error_of, squared_outputs
from torch import Tensor

from farback.cells import Elman, FullyRecurrent
from farback.cells.squashings import Identity, Tanh
from farback.draws import Draws
from farback.learners.gradients._curvature import second_order
from farback.learners.gradients._recursive import RecursiveGradient
from farback.problem import Problem
from farback.testing._learned_start import LearnedStart
from farback.testing._noise import Noise
from farback.types import Params, Sequences

INPUTS = 2
NOISE = Noise(inputs=INPUTS, outputs=2, steps=8)
LINEAR = Elman(
    hidden=3,
    squashing=Identity(),
    readout_squashing=Identity(),
    hidden_bias=True,
    readout_bias=True,
    shortcut=True,
    reset=0.0,
    width=0.8,
)
PROBLEM = Problem(LINEAR, NOISE)


@dataclass(frozen=True)
class Curvature(RecursiveGradient):
    """The curvature where the gradient belongs."""

    exact = False
    backward_passes = 2.0

    def schedule(self, problem: Problem):
        return second_order(problem, at_end=lambda total: total.curvature)


def sequence() -> Sequences:
    drawn = NOISE.sample(Draws((3,), "here", count=8))
    return drawn.one(0, int(drawn.lengths[0].argmax()))


def curvature(problem: Problem, params: Params, given: Sequences) -> Params:
    return Curvature()(problem, params, given).gradient


def without_connections(problem: Problem) -> Params:
    """Each unit sees itself and no other."""
    params = problem.parameters(3)
    recurrent = params["hidden"][:, INPUTS:]
    return params | {
        "hidden": torch.cat([params["hidden"][:, :INPUTS], recurrent.diag().diag()], 1)
    }


def require_equal(found: Params, expected: Params) -> None:
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-12, atol=1e-14)


def summed(found: Params) -> Params:
    return {name: it.sum(0) for name, it in found.items()}


def test_by_each_steps_own_weights_it_is_exact_in_a_linear_net_without_connections() -> None:
    params, given = without_connections(PROBLEM), sequence()
    exact = diagonal_hessian(error_of(PROBLEM, given), apart(params, given))
    assert all(it[1:].any() for it in exact.values())
    require_equal(curvature(PROBLEM, params, given), summed(exact))


def test_it_is_the_hessian_by_weights_that_no_two_steps_use_together() -> None:
    given = sequence()
    given.inputs[1:] = 0  # so that the weights of inputs are used once
    params = without_connections(PROBLEM)
    whole = error_of(PROBLEM, given)
    exact = diagonal_hessian(lambda shared: whole(apart(shared, given)), params)
    found = curvature(PROBLEM, params, given)
    for name in ("readout", "readout_bias"):
        torch.testing.assert_close(found[name], exact[name], rtol=1e-12, atol=1e-14)
    for part, same in ((slice(INPUTS), True), (slice(INPUTS, None), False)):
        pair = found["hidden"][:, part], exact["hidden"][:, part]
        assert torch.allclose(*pair, rtol=1e-12, atol=1e-14) is same


def test_it_is_gauss_and_newtons_in_a_squashed_net_of_one_unit() -> None:
    given = sequence()
    one = Elman(hidden=1, squashing=Tanh(), readout_bias=True, hidden_bias=True, width=0.9)
    for cell in (one, LearnedStart(units=1)):
        problem = Problem(cell, NOISE)
        params = problem.parameters(3)
        exact = summed(squared_outputs(problem, params, given))
        require_equal(curvature(problem, params, given), exact)


def test_it_follows_becker_and_lecun_from_unit_to_unit() -> None:
    problem = Problem(FullyRecurrent(hidden=2, squashing=Tanh(), width=0.9), NOISE)
    params, given = problem.parameters(3), sequence()
    weights, units = params["weights"], 4
    recurrent = weights[:, INPUTS:]
    y = [torch.zeros(units, dtype=torch.float64)]
    for x in given.inputs:
        y.append(torch.tanh(weights @ torch.cat([x, y[-1]])))
    outputs = torch.tensor([0.0, 0.0, 1.0, 1.0], dtype=torch.float64)
    later = torch.zeros(units, dtype=torch.float64)
    expected = torch.zeros_like(weights)
    for t in reversed(range(given.steps)):
        through = torch.zeros(units, dtype=torch.float64)
        for i in range(units):
            for k in range(units):
                through[i] += recurrent[k, i] ** 2 * later[k]
        later = (1 - y[t + 1] ** 2) ** 2 * (through + outputs * given.scored[t])
        for i in range(units):
            for j, seen in enumerate(torch.cat([given.inputs[t], y[t]])):
                expected[i, j] += seen**2 * later[i]
    require_equal(curvature(problem, params, given), {"weights": expected})


@dataclass(frozen=True)
class Softmax(Noise):
    """The first of the outputs is asked for, by a softmax: its curvature is not all on a diagonal.

    By the outputs it is p (1 - p).
    """

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return torch.logsumexp(output, 0) - output[0]


@dataclass(frozen=True)
class Hill(Noise):
    """An error that bends down."""

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return -(output**2).sum()


def test_the_losss_own_curvature_is_the_diagonal_of_its_hessian() -> None:
    problem = Problem(LINEAR, Softmax(inputs=INPUTS, outputs=2, steps=8))
    params, given = problem.parameters(3), sequence()
    outputs = Curvature()(problem, params, given).outputs
    p = torch.softmax(outputs, 1)
    expected = (p * (1 - p) * given.scored.unsqueeze(1)).sum(0)
    require_equal(curvature(problem, params, given), {"readout_bias": expected})


def test_an_error_that_bends_down_has_none() -> None:
    problem = Problem(LINEAR, Hill(inputs=INPUTS, outputs=2, steps=8))
    found = curvature(problem, problem.parameters(3), sequence())
    assert not any(it.any() for it in found.values())
