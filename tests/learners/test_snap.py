"""SnAp-n leaves out what reaches an entry of the state after n steps, and nothing else."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from farback.cells import GRU, LSTM, LSTM1997, Elman
from farback.cells._cell import Cell
from farback.cells.squashings import ReLU
from farback.draws import Draws
from farback.errors import WrongUsage
from farback.learners.gradients import RTRL, OneStep, SnAp
from farback.learners.gradients._structure import structure
from farback.problem import Problem
from farback.testing import check_gradient
from farback.testing._learned_start import LearnedStart
from farback.testing._noise import Noise
from farback.types import Params, Sequences


@dataclass(frozen=True)
class Ring(Cell):
    """Units that see the one before them only: h_i(t) = tanh(w_i h_{i-1}(t-1) + V x(t))."""

    units: int = 4

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        shapes = {"w": (self.units,), "V": (self.units, inputs), "U": (outputs, self.units)}
        return {
            name: torch.randn(*shape, generator=generator, dtype=torch.float64)
            for name, shape in shapes.items()
        }

    def start(self, params: Params) -> Tensor:
        return torch.zeros_like(params["w"])

    def layout(self, params: Params) -> dict[str, int]:
        return {"h": self.units}

    def step(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return torch.tanh(params["w"] * state.roll(1) + params["V"] @ x)

    def read(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return params["U"] @ state


CELLS = [
    LearnedStart(),
    Elman(hidden=5),
    Elman(hidden=5, squashing=ReLU(), hidden_bias=True),
    GRU(hidden=3),
    LSTM(hidden=3),
    LSTM1997(blocks=2, size=2),
    LSTM1997(blocks=2, size=2, truncated=False),
    Ring(),
]


def given(cell: Cell, steps: int = 20) -> tuple[Problem, Params, Sequences]:
    problem = Problem(cell, Noise(steps=steps))
    drawn = problem.task.sample(Draws((3,), "here", count=8))
    lengths = drawn.lengths[0].tolist()
    return problem, problem.parameters(5), drawn.one(0, lengths.index(max(lengths)))


def apart(one: Params, other: Params) -> float:
    return max(float((one[name] - value).abs().max()) for name, value in other.items())


@pytest.mark.parametrize("cell", CELLS, ids=repr)
def test_with_the_full_horizon_it_is_rtrl(cell: Cell) -> None:
    where = given(cell)
    exact = RTRL()(*where).gradient
    assert apart(SnAp(steps=100)(*where).gradient, exact) < 1e-10
    assert max(float(it.abs().max()) for it in exact.values()) > 1e-3


def test_on_a_ring_each_step_more_reaches_one_unit_more() -> None:
    where = given(Ring(units=4))
    found = [SnAp(steps)(*where).gradient for steps in (1, 2, 3, 4, 5)]
    exact = RTRL()(*where).gradient
    assert [apart(it, exact) < 1e-10 for it in found] == [False, False, False, True, True]
    for one, other in pairwise(found[:4]):
        assert apart(one, other) > 1e-3
    # A unit of a ring does not see itself, so that after one step nothing stays of the past.
    assert apart(found[0], OneStep()(*where).gradient) < 1e-12


@pytest.mark.parametrize("steps", [1, 2])
def test_it_equals_the_recursion_by_single_entries(steps: int) -> None:
    problem, params, sequence = given(Ring(units=4))
    w, v, u = (params[name].numpy() for name in ("w", "V", "U"))
    units, state = len(w), np.zeros(len(w))
    influence = {name: np.zeros((units, *params[name].shape)) for name in ("w", "V")}
    total = {name: np.zeros(params[name].shape) for name in ("w", "V")}
    for x, target, scored in zip(
        sequence.inputs.numpy(), sequence.targets.numpy(), sequence.scored.numpy(), strict=True
    ):
        before, after = state, np.zeros(units)
        moved = {name: np.zeros_like(it) for name, it in influence.items()}
        for i in range(units):
            after[i] = np.tanh(w[i] * before[i - 1] + v[i] @ x)
            slope = 1 - after[i] ** 2
            for k in range(units):
                if (i - k) % units < steps:  # unit k's own weights are at unit i by then
                    moved["w"][i, k] = slope * w[i] * influence["w"][i - 1, k]
                    moved["V"][i, k] = slope * w[i] * influence["V"][i - 1, k]
            moved["w"][i, i] += slope * before[i - 1]
            moved["V"][i, i] += slope * x
        state, influence = after, moved
        if scored:
            answer = torch.tensor(u @ state, requires_grad=True)
            problem.task.loss(answer, torch.tensor(target)).backward()
            assert answer.grad is not None
            error = u.T @ answer.grad.numpy()
            for name in total:
                total[name] += np.tensordot(error, influence[name], 1)
    found = SnAp(steps)(problem, params, sequence).gradient
    for name, value in total.items():
        np.testing.assert_allclose(found[name].numpy(), value, rtol=0, atol=1e-12)


def test_on_a_fully_recurrent_layer_one_step_keeps_the_diagonal() -> None:
    problem, params, sequence = given(LearnedStart())
    carry = SnAp().begin(problem, params, sequence)
    for t in range(3):
        _, jacobian, own = problem.sensitivity(
            params, carry.state, sequence.inputs[t], sequence.alive[t]
        )
        expected = jacobian.diagonal()[:, None, None] * carry.influence["W"] + own["W"]
        carry = SnAp().advance(problem, params, carry, sequence, t).carry
        torch.testing.assert_close(carry.influence["W"], expected, rtol=1e-12, atol=0)


def test_the_structure_is_that_of_the_equations() -> None:
    found = structure(Problem(LSTM(hidden=2), Noise()))
    h, c = [True, True, False, False], [False, False, True, True]
    alone = torch.eye(2, dtype=torch.bool)
    assert found.jacobian[:, h].all()
    assert torch.equal(found.jacobian[:, c], torch.cat([alone, alone]))
    # The output gates (rows 4 and 5 of the gates) say nothing about the memory.
    gates = found.influence["gates"].any(-1)
    assert gates[2].tolist() == [True, False, True, False, False, False, True, False]
    assert gates[0].tolist() == [True, False] * 4
    assert not found.influence["readout"].any()


@pytest.mark.slow
def test_a_longer_horizon_keeps_the_contract() -> None:
    check_gradient(SnAp(steps=2), [Problem(Ring(), Noise(steps=20))])


def test_a_horizon_of_no_steps_is_refused() -> None:
    with pytest.raises(WrongUsage, match="steps"):
        SnAp(steps=0)
