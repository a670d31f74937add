"""Pseudo-Newton, plain and time-weighted: by explicit sums over steps, and how far it reaches."""

from dataclasses import dataclass

import pytest
import torch
from by_instances import gradient_by_instance, squared_outputs
from torch import Tensor

from farback.cells import Elman
from farback.cells._cell import Cell
from farback.cells.squashings import Tanh
from farback.draws import Draws
from farback.errors import WrongUsage
from farback.learners.gradients import PseudoNewton, TimeWeightedNewton
from farback.problem import Problem, Trials
from farback.testing._learned_start import LearnedStart
from farback.testing._noise import Noise
from farback.types import Params, Sequences

NOISE = Noise(inputs=2, outputs=2, steps=8)
ONE_UNIT = [
    Problem(Elman(hidden=1, squashing=Tanh(), readout_bias=True, width=0.9), NOISE),
    Problem(LearnedStart(units=1), NOISE),
]
"""Where the curvature that is carried back is that of Gauss and Newton (test_curvature)."""


def sequence() -> Sequences:
    drawn = NOISE.sample(Draws((3,), "here", count=8))
    return drawn.one(0, int(drawn.lengths[0].argmax()))


@pytest.mark.parametrize("mu", [0.3, 1e-9])
@pytest.mark.parametrize("problem", ONE_UNIT, ids=["Elman", "LearnedStart"])
def test_each_equals_its_sum_over_steps(problem: Problem, mu: float) -> None:
    params, given = problem.parameters(3), sequence()
    g = gradient_by_instance(problem, params, given)
    h = squared_outputs(problem, params, given)
    plain = PseudoNewton(mu)(problem, params, given).gradient
    weighted = TimeWeightedNewton(mu)(problem, params, given).gradient
    for name in params:
        expected = g[name].sum(0) / (h[name].sum(0) + mu)
        torch.testing.assert_close(plain[name], expected, rtol=1e-9, atol=1e-12)
        expected = (g[name] / (h[name] + mu)).sum(0)
        torch.testing.assert_close(weighted[name], expected, rtol=1e-9, atol=1e-12)


@dataclass(frozen=True)
class Loop(Cell):
    """s_t = rho s_{t-1} + v x_t, read as it is."""

    rho: float = 0.62

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        return {"v": torch.ones(1, dtype=torch.float64)}

    def start(self, params: Params) -> Tensor:
        return torch.zeros_like(params["v"])

    def layout(self, params: Params) -> dict[str, int]:
        return {"state": 1}

    def step(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return self.rho * state + params["v"] * x

    def read(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return state


def reached(gradient, rho: float, lags: int) -> Tensor:
    """The step of v for an error of 1 at the end and an input of 1 so many steps before it.

    Each lag is a trial.
    """
    net, later = Trials(Problem(Loop(rho), Noise(1, 1))), torch.arange(lags, dtype=torch.float64)
    inputs = torch.eye(lags, dtype=torch.float64).flip(0).reshape(lags, lags, 1, 1)
    targets, scored = torch.zeros_like(inputs), torch.zeros_like(inputs)[..., 0]
    targets[-1, :, 0, 0] = rho**later - 1
    scored[-1] = 1
    given = Sequences(inputs, targets, targets, scored, torch.ones_like(scored, dtype=torch.bool))
    params = net.parameters(range(lags), torch.float64)
    return gradient(net, params, given).gradient["v"][:, 0]


@pytest.mark.parametrize(("mu", "horizon"), [(1e-3, 7), (1e-12, 29)])
@pytest.mark.parametrize("kind", [TimeWeightedNewton, PseudoNewton])
def test_steps_grow_with_the_lag_up_to_the_horizon_and_vanish_behind_it(
    kind, mu: float, horizon: int
) -> None:
    # One input, one instance: here both are the same.
    rho, lag = 0.62, torch.arange(2.0 * horizon + 1, dtype=torch.float64)
    found = reached(kind(mu), rho, len(lag))
    torch.testing.assert_close(found, rho**lag / (rho ** (2 * lag) + mu), rtol=1e-9, atol=0)
    assert int(found.argmax()) == horizon
    ratios = found[1:] / found[:-1]
    assert ratios[:2].min() > 1.5  # rho^-1 = 1.61
    assert ratios[-2:].max() < 0.65  # rho


def test_time_weighting_divides_before_it_adds() -> None:
    # The same input at every step: the far steps count for more where each has its own curvature.
    rho, mu, steps = 0.62, 1e-12, 10
    problem = Problem(Loop(rho), Noise(1, 1))
    ones = torch.ones(steps, 1, dtype=torch.float64)
    end = torch.eye(steps, dtype=torch.float64)[-1]
    params, lags = problem.parameters(0), torch.arange(steps, dtype=torch.float64)
    output = (rho**lags).sum()
    given = Sequences(ones, ones * (output - 1), ones, end, ones[:, 0] > 0)
    plain = PseudoNewton(mu)(problem, params, given).gradient["v"]
    weighted = TimeWeightedNewton(mu)(problem, params, given).gradient["v"]
    assert float(plain) == pytest.approx(float((rho**lags).sum() / (rho ** (2 * lags)).sum()))
    assert float(weighted) == pytest.approx(float((rho**-lags).sum()))


@pytest.mark.parametrize("mu", [0.0, -1.0, float("nan")])
@pytest.mark.parametrize("kind", [PseudoNewton, TimeWeightedNewton])
def test_a_mu_that_is_not_above_0_is_refused(kind, mu: float) -> None:
    with pytest.raises(WrongUsage, match="above 0"):
        kind(mu)
