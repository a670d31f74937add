"""RFLO and e-prop keep of the past what each unit keeps to itself."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from farback.cells import GRU, LSTM, LSTM1997, Elman, FullyRecurrent
from farback.cells._cell import Cell
from farback.draws import Draws
from farback.engine.reference import running
from farback.errors import WrongUsage
from farback.learners.gradients import RFLO, RTRL, EProp, OneStep, SnAp
from farback.learners.gradients._feedback import feedback_of
from farback.problem import Problem, Trials
from farback.testing import check_gradient
from farback.testing._learned_start import LearnedStart
from farback.testing._noise import Noise
from farback.types import Params, Sequences


@dataclass(frozen=True)
class Leaky(Cell):
    """h(t) = (1 - 1/tau) h(t-1) + tanh(W h(t-1) + V x(t))/tau, read by U."""

    units: int = 4
    tau: float = 5.0

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        shapes = {
            "W": (self.units, self.units),
            "V": (self.units, inputs),
            "U": (outputs, self.units),
        }
        return {
            name: torch.randn(*shape, generator=generator, dtype=torch.float64)
            for name, shape in shapes.items()
        }

    def start(self, params: Params) -> Tensor:
        return params["W"].new_zeros(self.units)

    def layout(self, params: Params) -> dict[str, int]:
        return {"h": self.units}

    def step(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        new = torch.tanh(params["W"] @ state + params["V"] @ x)
        return (1 - 1 / self.tau) * state + new / self.tau

    def read(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return params["U"] @ state


def given(cell: Cell) -> tuple[Problem, Params, Sequences]:
    problem = Problem(cell, Noise(steps=20))
    drawn = problem.task.sample(Draws((3,), "here", count=8))
    lengths = drawn.lengths[0].tolist()
    return problem, problem.parameters(5), drawn.one(0, lengths.index(max(lengths)))


def require_equal(found: Params, expected: Params) -> None:
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("feedback", [None, 7])
def test_rflo_equals_the_equations_of_its_paper_by_single_entries(feedback: int | None) -> None:
    problem, params, sequence = given(Leaky())
    w, v, u = (params[name].numpy() for name in ("W", "V", "U"))
    units, tau = len(w), Leaky().tau
    drawn = feedback_of(problem, feedback)
    back = u.T if drawn is None else drawn.numpy().T
    h, p, q = np.zeros(units), np.zeros_like(w), np.zeros_like(v)
    of_w, of_v, of_u = np.zeros_like(w), np.zeros_like(v), np.zeros_like(u)
    for x, target, scored in zip(
        sequence.inputs.numpy(), sequence.targets.numpy(), sequence.scored.numpy(), strict=True
    ):
        net = w @ h + v @ x
        slope = 1 - np.tanh(net) ** 2
        for a in range(units):
            for b in range(units):
                p[a, b] = (1 - 1 / tau) * p[a, b] + slope[a] * h[b] / tau
            for b in range(len(x)):
                q[a, b] = (1 - 1 / tau) * q[a, b] + slope[a] * x[b] / tau
        h = h + (-h + np.tanh(net)) / tau
        if scored:
            answer = torch.tensor(u @ h, requires_grad=True)
            problem.task.loss(answer, torch.tensor(target)).backward()
            assert answer.grad is not None
            error = answer.grad.numpy()
            of_u += np.outer(error, h)
            of_w += (back @ error)[:, None] * p
            of_v += (back @ error)[:, None] * q
    found = RFLO(leak=1 - 1 / tau, feedback=feedback)(problem, params, sequence).gradient
    expected = {"W": of_w, "V": of_v, "U": of_u}
    require_equal(found, {name: torch.from_numpy(it) for name, it in expected.items()})


def test_rflo_without_leak_and_feedback_is_elmans_procedure() -> None:
    where = given(Elman(hidden=4))
    found = RFLO(leak=0.0, feedback=None)(*where).gradient
    require_equal(found, OneStep()(*where).gradient)


@pytest.mark.parametrize("cell", [LearnedStart(), Elman(hidden=4), GRU(hidden=3)], ids=repr)
def test_e_prop_on_simple_units_is_the_diagonal_of_rtrl(cell: Cell) -> None:
    where = given(cell)
    require_equal(EProp()(*where).gradient, SnAp()(*where).gradient)


def test_e_prop_through_the_cells_of_1997_is_the_gradient_that_its_authors_cut() -> None:
    whole, cut = (LSTM1997(blocks=2, size=2, truncated=it, cell_bias=True) for it in (False, True))
    found = EProp(hidden=("s",))(*given(whole)).gradient
    require_equal(found, RTRL()(*given(cut)).gradient)


def test_e_prop_through_the_memory_of_an_lstm_is_autograd_that_holds_what_is_shown() -> None:
    problem, params, sequence = given(LSTM(hidden=3))
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    state, error = problem.cell.start(leaves), torch.zeros((), dtype=torch.float64)
    for t in range(sequence.steps):
        x = sequence.inputs[t]
        held = torch.cat([state[:3].detach(), state[3:]])
        state = problem.cell.step(leaves, held, x)
        output = problem.cell.read(leaves, state, x)
        error = error + sequence.scored[t] * problem.task.loss(output, sequence.targets[t])
    expected = torch.autograd.grad(error, list(leaves.values()))
    found = EProp(hidden=("c",))(problem, params, sequence).gradient
    require_equal(found, dict(zip(leaves, expected, strict=True)))


@pytest.mark.parametrize("make", [lambda it: EProp(feedback=it), lambda it: RFLO(feedback=it)])
def test_random_feedback_leaves_the_readout_its_true_gradient(make) -> None:
    where = given(LSTM(hidden=3))
    found = [make(it)(*where).gradient for it in (None, 3, 3, 4)]
    assert all(torch.equal(it["readout"], found[0]["readout"]) for it in found)
    assert torch.equal(found[1]["gates"], found[2]["gates"])
    for one, other in ((0, 1), (1, 3)):
        assert not torch.allclose(found[one]["gates"], found[other]["gates"])


def test_feedback_comes_to_what_is_read_and_to_nothing_else() -> None:
    problem = Problem(LSTM(hidden=200), Noise(outputs=50))
    drawn = feedback_of(problem, 3)
    assert drawn is not None
    assert not drawn[:, 200:].any()
    assert drawn[:, :200].std() == pytest.approx(200**-0.5, rel=0.03)


@pytest.mark.parametrize("cell", [LSTM(hidden=3), FullyRecurrent(hidden=2)], ids=repr)
def test_trials_share_their_feedback_and_learn_by_it_without_autograd(cell: Cell) -> None:
    problem, _, _ = given(cell)
    net, gradient = Trials(problem), EProp(feedback=3)
    params = net.parameters((0, 1), torch.float64)
    drawn = problem.task.sample(Draws((0, 1), "here", count=1))
    with running():
        together = gradient(net, params, drawn).gradient
    for trial in (0, 1):
        alone = gradient(problem, problem.parameters(trial), drawn.one(trial, 0)).gradient
        require_equal({name: it[trial].clone() for name, it in together.items()}, alone)


@pytest.mark.slow
@pytest.mark.parametrize(
    "gradient", [EProp(hidden=("s",), feedback=1), RFLO(leak=0.5, feedback=None)], ids=repr
)
def test_other_choices_keep_the_contract(gradient) -> None:
    check_gradient(gradient, [Problem(LSTM1997(truncated=False), Noise(steps=20))])


def test_a_block_that_the_state_has_not_is_refused() -> None:
    with pytest.raises(WrongUsage, match="no block 'd' of the state; try c, h"):
        EProp(hidden=("d",))(*given(LSTM(hidden=3)))


@pytest.mark.parametrize("leak", [-0.1, 1.1, float("nan")])
def test_a_leak_that_grows_is_refused(leak: float) -> None:
    with pytest.raises(WrongUsage, match="leak"):
        RFLO(leak=leak)
