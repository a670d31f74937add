"""The law by which the whole weight gradient grows, where theory knows it."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import farback as fb
from farback import analyses, cells, tasks
from farback.analyses._growth_law import growth_law
from farback.flow import Measurement
from farback.probes import LaboratoryCell, StepMap

STEPS, UNITS, ROWS = 240, 6, 16
CASES = ("explodes", "vanishes", "neither", "open")
TIMES = range(9, STEPS, 10)


class Linear(nn.Module):
    """s' = W s + x, with W of rho times an orthogonal matrix."""

    def __init__(self, rho: float):
        super().__init__()
        draw = torch.Generator().manual_seed(0)
        turn = torch.linalg.qr(torch.randn(UNITS, UNITS, generator=draw, dtype=torch.float64)).Q
        self.weight = nn.Parameter(rho * turn)

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        return state @ self.weight.t() + x


def first(state: Tensor, target: Any) -> Tensor:
    return state[:, 0].sum()


def grown(rho: float, inputs: float, start: float, seed: int = 1) -> Measurement:
    draw = torch.Generator().manual_seed(seed)
    xs = inputs * torch.randn(ROWS, STEPS, UNITS, generator=draw, dtype=torch.float64)
    step = StepMap(Linear(rho), start=start * torch.ones(UNITS).double())
    profile = fb.probe(step, (xs, None), loss=first, loss_times=TIMES, analyses=analyses.Growth())
    return profile["growth"]


@pytest.mark.slow
def test_an_orthogonal_net_that_holds_its_start_grows_with_exponent_1() -> None:
    found = grown(1.0, inputs=0.0, start=1.0)
    assert (found.law, found.case) == ("polynomial", "neither")
    assert found.exponent == pytest.approx(1, abs=0.05)


@pytest.mark.slow
def test_an_orthogonal_net_of_random_inputs_grows_with_exponent_1_5() -> None:
    """In the mean over draws of the inputs, by its standard error: one alone lies far beside it."""
    draws = [grown(1.0, inputs=1.0, start=0.0, seed=seed) for seed in range(1, 13)]
    assert all(found.case in ("neither", "open") for found in draws)
    together = growth_law(draws[0].times, np.mean([found.log_relative for found in draws], 0))
    assert together["law"] == "polynomial"
    exponents = np.array([found.exponent for found in draws])
    error = exponents.std(ddof=1) / np.sqrt(len(exponents))
    assert abs(exponents.mean() - 1.5) < 3 * error and error < 0.15


@pytest.mark.slow
def test_above_one_it_explodes_at_the_rate_of_its_terms() -> None:
    found = grown(1.05, inputs=0.0, start=1.0)
    assert (found.law, found.case) == ("exponential", "explodes")
    assert found.rate == pytest.approx(0.0488, rel=0.2)  # ln 1.05, and ln t beside it
    assert analyses.Growth().judge(found).severity == "bad"


@pytest.mark.slow
def test_below_one_what_the_start_leaves_vanishes() -> None:
    found = grown(0.9, inputs=0.0, start=1.0)
    assert (found.law, found.case) == ("exponential", "vanishes")


@pytest.mark.slow
def test_below_one_with_inputs_it_is_level() -> None:
    found = grown(0.9, inputs=1.0, start=0.0)
    assert (found.law, found.case) == ("level", "neither")


@pytest.mark.slow
def test_the_gradient_is_followed_where_no_float_holds_it() -> None:
    found = grown(1e-3, inputs=0.0, start=1.0)
    assert found.case == "vanishes"


def test_what_a_line_and_a_curve_fit_alike_is_left_open() -> None:
    times = np.linspace(10, 100, 15)
    noise = 0.5 * np.random.default_rng(0).standard_normal(15)
    found = growth_law(times, np.log(times) + noise)
    assert (found["law"], found["case"]) == ("open", "open")


@pytest.mark.parametrize(("rate", "power"), [(0.03, 0.0), (-0.03, 0.0), (0.0, 1.0), (0.0, 1.5)])
def test_noise_seldom_makes_one_law_of_the_other(rate: float, power: float) -> None:
    draw, times = np.random.default_rng(1), np.linspace(10, 100, 15)
    wrong = "exponential" if power else "polynomial"
    logs = [
        rate * times + power * np.log(times) + 0.3 * draw.standard_normal(15) for _ in range(100)
    ]
    assert sum(growth_law(times, one)["law"] == wrong for one in logs) <= 5


def laboratory() -> tuple[nn.Module, Any]:
    cell, task = cells.LSTM1997(blocks=1, size=2), tasks.Adding(length=40)
    params = cell.parameters(torch.Generator().manual_seed(0), task.inputs, task.outputs)
    net = LaboratoryCell(cell, task, params)
    return net, net.batch(3)


X = torch.randn(3, 40, 4, generator=torch.Generator().manual_seed(1))
SUBJECTS: dict[str, Any] = {
    "LSTM": (nn.LSTM(4, 5, batch_first=True), X),
    "stacked GRU": (nn.GRU(4, 5, num_layers=2, bidirectional=True, batch_first=True), X),
    "laboratory": laboratory(),
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_path_has_its_law(subject: str) -> None:
    model, batch = SUBJECTS[subject]
    found = fb.probe(model, batch, analyses=analyses.Growth(), depth="deep")["growth"]
    assert found.path in found.blocks
    assert all(block.case in CASES for block in found.blocks.values())


def test_one_loss_time_tells_no_growth_and_says_what_to_give() -> None:
    profile = fb.probe(
        nn.LSTM(4, 5, batch_first=True), X, analyses=analyses.Growth(), loss_times=[-1]
    )
    assert profile["growth"].law is None
    assert "give loss_times=" in profile.findings[0].claim
