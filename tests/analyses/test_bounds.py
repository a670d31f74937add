"""Bounds on the error: never passed, tight where they can be, and refused where there are none."""

import math
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

import farback as fb
from farback import analyses, cells, tasks
from farback.analyses._certificate import certificate
from farback.errors import WrongUsage
from farback.flow import Measurement
from farback.flow.motion import Motion
from farback.probes import LaboratoryCell, StepMap
from farback.probes.layers._motion import motion_of
from farback.probes.layers._stack import kind_of, weights_of

INPUTS = 2
KINDS: dict[str, Any] = {
    "tanh": lambda n: nn.RNNCell(INPUTS, n),
    "relu": lambda n: nn.RNNCell(INPUTS, n, nonlinearity="relu"),
    "LSTM": lambda n: nn.LSTMCell(INPUTS, n),
    "GRU": lambda n: nn.GRUCell(INPUTS, n),
}


def moving(kind: str, size: int, scale: float, seed: int, rows: int, steps: int) -> Motion:
    """A net with weights `scale` times those of its start, led along random inputs."""
    torch.manual_seed(seed)
    cell = KINDS[kind](size).double()
    own, weights = kind_of(cell), weights_of(cell, "", torch.float64)
    for weight in (weights.input, weights.hidden):
        weight.mul_(scale)
    inputs = 2 * torch.rand(steps, rows, INPUTS).double() - 1
    state = torch.zeros(rows, size * (2 if kind == "LSTM" else 1)).double()
    motion = motion_of(own, weights, state.unsqueeze(0), inputs)
    states = [state]
    for x in inputs:
        states.append(motion.step(states[-1], x))
    return motion_of(own, weights, torch.stack(states), inputs)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.sampled_from(sorted(KINDS)), st.integers(1, 4), st.floats(0.05, 3), st.integers(0, 2**31))
def test_no_bound_is_passed_by_any_of_10_000_nets_and_inputs(
    kind: str, size: int, scale: float, seed: int
) -> None:
    rows, steps = 100, 6
    motion = moving(kind, size, scale, seed, rows, steps)
    found = certificate(motion, 1e-3, None, (-1, 1))
    curves = {**found.bounds.curves(steps + 1), "bound": found.bounds.curve(steps + 1)}
    product = torch.eye(motion.states.shape[-1]).double().expand(rows, -1, -1)
    for lag, here in enumerate(motion.along(), 1):
        product = here.matrix() @ product
        worst = float(torch.linalg.matrix_norm(product, ord=2).log().max())
        assert all(worst <= curve[lag] + 1e-10 for curve in curves.values())


def bounded(model: Any, batch: Any, analysis: Any = None, **asked: Any) -> Measurement:
    asked.setdefault("loss", lambda output, _: output[..., -1, :].sum())
    profile = fb.probe(model, batch, analyses=analysis or analyses.Bounds(), depth="deep", **asked)
    return profile["bounds"]


def linear(weights: Tensor, **asked: Any) -> Measurement:
    step = StepMap(lambda s, x: s @ weights.t() + x, start=torch.ones(len(weights)).double())
    silence = torch.zeros(2, 30, len(weights)).double(), None
    return bounded(step, silence, loss=lambda s, _: s.sum(), **asked)


@pytest.mark.parametrize("seed", range(5))
def test_on_normal_matrices_the_bound_is_the_worst_that_is_met(seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    turn = torch.linalg.qr(torch.randn(6, 6, generator=draw, dtype=torch.float64)).Q
    normal = turn @ torch.diag(torch.rand(6, generator=draw).double()) @ turn.t()
    found = linear(normal)
    worst = [float(torch.linalg.matrix_norm(normal.matrix_power(q), ord=2)) for q in range(31)]
    assert np.allclose(found.bound, np.log(worst), rtol=0, atol=1e-9)


def test_an_orthogonal_map_has_no_certificate_and_a_bound_of_one() -> None:
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]]).double()
    found = linear(turn)
    assert found.certified_lag is None
    assert np.allclose(found.bound, 0, atol=1e-9)


TRAP = torch.tensor([[0.5, 10.0], [0.0, 0.5]]).double()


def test_eigenvalues_under_one_and_a_norm_over_one_are_told_apart_by_name() -> None:
    found = linear(TRAP)
    assert found.spectral_radius == pytest.approx(0.5)
    assert found.spectral_norm == pytest.approx(10.0249, abs=1e-4)
    assert found.log_factors["spectral"] == pytest.approx(math.log(found.spectral_norm))
    assert "its norm does not (10.02)" in analyses.Bounds().judge(found).evidence


def test_the_bound_of_the_trap_rises_before_it_falls_as_its_powers_do() -> None:
    found = linear(TRAP)
    exact = [float(torch.linalg.matrix_norm(TRAP.matrix_power(q), ord=2)) for q in range(31)]
    assert bool((found.bound >= np.log(exact) - 1e-12).all())
    assert found.bound[1] > 2
    assert bool((found.bound - np.log(exact) <= math.log(2)).all())
    assert found.certified_lag == max(q for q in range(31) if found.bound[q] > math.log(1e-3))


def test_the_numbers_of_1997_are_those_of_its_section() -> None:
    """n (f' |W|_A)^q and tau = n w_max f', here with f' = 1/4 as of a logistic unit."""
    torch.manual_seed(0)
    weights = torch.randn(3, 3).double()
    step = StepMap(lambda s, x: torch.sigmoid(s @ weights.t() + x), start=torch.zeros(3).double())
    found = bounded(step, (torch.zeros(1, 9, 3).double(), None), loss=lambda s, _: s.sum())
    assert found.gamma == pytest.approx(0.25)
    assert found.tau == pytest.approx(3 * float(weights.abs().max()) / 4)
    row = float(weights.abs().sum(1).max())
    assert found.bound_hochreiter[4] == pytest.approx(math.log(3 * (row / 4) ** 4))
    assert found.single_factor == pytest.approx(float(weights.abs().max()) / 4)


def small(layer: nn.Module, scale: float) -> nn.Module:
    with torch.no_grad():
        for name, weight in layer.named_parameters():
            if name.startswith("weight_hh"):
                weight.mul_(scale)
    return layer


def test_an_lstm_over_a_small_box_has_a_certificate() -> None:
    torch.manual_seed(0)
    net = small(nn.LSTM(3, 8, batch_first=True), 0.2)
    found = bounded(net, torch.rand(4, 40, 3) - 0.5)
    assert found.box == "closed"
    assert found.certified_lag is not None
    assert "no input in the box can carry more than 0.001" in analyses.Bounds().judge(found).claim
    assert bool((found.measured <= found.bound[: len(found.measured)] + 1e-10).all())


torch.manual_seed(0)
X = torch.randn(3, 25, 4, generator=torch.Generator().manual_seed(1))


def laboratory() -> tuple[nn.Module, Any]:
    cell, task = cells.LSTM1997(blocks=1, size=2), tasks.EmbeddedReber()
    net = LaboratoryCell(
        cell,
        task,
        cell.parameters(torch.Generator().manual_seed(0), task.inputs, task.outputs),
    )
    return net, net.batch(3)


SUBJECTS: dict[str, Any] = {
    "RNN": (nn.RNN(4, 5, batch_first=True), X),
    "LSTM": (nn.LSTM(4, 5, batch_first=True), X),
    "stacked GRU": (nn.GRU(4, 5, num_layers=2, bidirectional=True, batch_first=True), X),
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_what_a_chain_carries_lies_under_its_bound(subject: str) -> None:
    found = bounded(*SUBJECTS[subject])
    for block in found.blocks.values():
        assert block.reason == ""
        assert bool((block.chain <= block.bound[: len(block.chain)] + 1e-10).all())


def test_a_laboratory_cell_is_bounded_as_a_layer_is() -> None:
    net, batch = laboratory()
    found = fb.probe(net, batch, analyses=analyses.Bounds())["bounds"]
    assert bool((found.chain <= found.bound[: len(found.chain)] + 1e-10).all())


def test_a_step_that_intervals_do_not_know_says_why() -> None:
    step = StepMap(lambda s, x: torch.softmax(s, -1) + x, start=torch.zeros(3).double())
    found = bounded(step, (torch.zeros(1, 9, 3).double(), None), loss=lambda s, _: s.sum())
    assert "no certificate for step: its operator _softmax" in analyses.Bounds().judge(found).claim


def steeper(s: Tensor, x: Tensor) -> Tensor:
    """Under autograd alone, a gradient of its own."""
    if s.requires_grad:
        s.register_hook(lambda gradient: 2 * gradient)
    return s.tanh() + x


def test_a_jacobian_that_overflows_in_the_box_says_so() -> None:
    step = StepMap(lambda s, x: torch.exp(3 * s) / 1000 + x, start=torch.zeros(2).double())
    batch = torch.zeros(1, 4, 2).double(), None
    bounds = analyses.Bounds(states=(-500, 500))
    found = fb.probe(step, batch, loss=lambda s, _: s.sum(), analyses=bounds)["bounds"]
    assert "no finite bound" in found.reason


def test_a_jacobian_at_the_smallest_floats_has_a_bound() -> None:
    step = StepMap(lambda s, x: 1e-310 * torch.tanh(s) + x, start=torch.zeros(2).double())
    batch = torch.zeros(1, 4, 2).double(), None
    found = fb.probe(step, batch, loss=lambda s, _: s.sum(), analyses=analyses.Bounds())["bounds"]
    assert found.bound[1] == pytest.approx(math.log(1e-310))


def test_a_backward_pass_of_its_own_is_not_certified() -> None:
    step = StepMap(lambda s, x: steeper(1 * s, x), start=torch.zeros(3).double())
    found = bounded(step, (torch.ones(1, 9, 3).double(), None), loss=lambda s, _: s.sum())
    assert "is not the derivative of its forward operators" in found.reason


def test_a_box_given_is_a_condition_of_the_certificate() -> None:
    torch.manual_seed(0)
    net = small(nn.RNN(3, 8, batch_first=True), 0.5)
    found = bounded(net, torch.rand(4, 40, 3), analyses.Bounds(states=(-0.5, 0.5), inputs=(0, 1)))
    assert (found.box, found.state_box, found.input_box) == ("given", (-0.5, 0.5), (0.0, 1.0))
    assert "in the box given" in analyses.Bounds().judge(found).claim


def test_a_certificate_short_of_what_the_task_needs_is_bad() -> None:
    torch.manual_seed(0)
    net = small(nn.RNN(3, 8, batch_first=True), 0.5)
    found = bounded(net, torch.rand(4, 40, 3), needs=30)
    assert found.certified_lag < 30
    assert analyses.Bounds().judge(found).severity == "bad"


@pytest.mark.parametrize("ends", [(1, -1), (0, math.inf)])
def test_a_box_must_have_a_least_and_a_most(ends: Any) -> None:
    with pytest.raises(WrongUsage, match="the least and the most"):
        analyses.Bounds(inputs=ends)
