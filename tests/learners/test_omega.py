"""Omega: its derivative with states and adjoints held, and closed forms of it."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.func import jacrev

from farback.cells import Elman, Pascanu2013
from farback.cells._cell import Cell
from farback.draws import Draws
from farback.errors import WrongUsage
from farback.learners.gradients import BPTT, Omega
from farback.problem import Problem, unroll
from farback.testing._learned_start import LearnedStart
from farback.testing._noise import Noise
from farback.types import Params, Sequences

NOISE = Noise(inputs=2, outputs=2, steps=8)
FORMS = [Omega(), Omega(squared=False), Omega(4.0, squared=False, averaged=False)]


def sequence() -> Sequences:
    drawn = NOISE.sample(Draws((3,), "here", count=8))
    given = drawn.one(0, int(drawn.lengths[0].argmax()))
    given.scored[-2:] = 0  # so that no error is left to keep at the end
    return given


def errors(problem: Problem, params: Params, given: Sequences) -> tuple[Tensor, Tensor]:
    """The states, and dE/dstate_t of all of them by autograd, [T + 1, N] each."""
    states = [problem.cell.start(params).clone().requires_grad_()]
    error = torch.zeros((), dtype=torch.float64)
    for t, x in enumerate(given.inputs):
        states.append(problem.cell.step(params, states[-1], x))
        output = problem.cell.read(params, states[-1], x)
        error = error + given.scored[t] * problem.task.loss(output, given.targets[t])
    found = torch.autograd.grad(error, states, materialize_grads=True)
    return torch.stack(states).detach(), torch.stack(found)


def omega(
    form: Omega, problem: Problem, params: Params, given: Sequences, states: Tensor, held: Tensor
) -> float:
    """Omega by its definition, with whole Jacobians."""
    terms = []
    for t, x in enumerate(given.inputs):
        if float(held[t + 1] @ held[t + 1]) < 1e-20:
            continue
        jacobian = jacrev(lambda state, x=x: problem.cell.step(params, state, x))(states[t])
        ratio = (held[t + 1] @ jacobian).norm() / held[t + 1].norm()
        terms.append(float((ratio ** (2 if form.squared else 1) - 1) ** 2))
    assert 0 < len(terms) < given.steps
    return sum(terms) / (len(terms) if form.averaged else 1)


@pytest.mark.parametrize("form", FORMS, ids=repr)
@pytest.mark.parametrize(
    "cell", [Pascanu2013(hidden=3, std=0.6), Elman(hidden=3, width=0.9), LearnedStart()], ids=repr
)
def test_it_is_bptt_and_the_weighted_slope_of_omega_with_states_and_errors_held(
    form: Omega, cell: Cell
) -> None:
    problem, given = Problem(cell, NOISE), sequence()
    params = problem.parameters(3)
    states, held = errors(problem, params, given)
    torch.testing.assert_close(unroll(problem, params, given), states)
    plain = BPTT()(problem, params, given)
    found = form(problem, params, given)
    torch.testing.assert_close(found.loss, plain.loss)
    generator = torch.Generator().manual_seed(0)
    slopes = {}
    for name, value in params.items():
        direction = torch.randn(value.shape, generator=generator, dtype=value.dtype)
        above, below = (
            omega(form, problem, params | {name: value + h * direction}, given, states, held)
            for h in (1e-6, -1e-6)
        )
        slopes[name] = (above - below) / 2e-6
        added = ((found.gradient[name] - plain.gradient[name]) * direction).sum()
        assert float(added) == pytest.approx(form.weight * slopes[name], rel=1e-6, abs=1e-8)
    assert any(slopes.values())
    if isinstance(cell, Pascanu2013):  # its Jacobian holds the recurrent weights alone
        assert [name for name, it in slopes.items() if it] == ["recurrent"]


@dataclass(frozen=True)
class Line(Cell):
    """s_t = W s_{t-1} + x_t, read as it is."""

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        return {"W": torch.eye(inputs, dtype=torch.float64)}

    def start(self, params: Params) -> Tensor:
        return torch.zeros_like(params["W"][0])

    def layout(self, params: Params) -> dict[str, int]:
        return {"state": 2}

    def step(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return params["W"] @ state + x

    def read(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return state


def omega_alone(form: Omega, weights: Tensor) -> Tensor:
    """What Omega adds on the line."""
    problem, given, params = Problem(Line(), NOISE), sequence(), {"W": weights}
    both = (it(problem, params, given).gradient["W"] for it in (form, BPTT()))
    return next(both) - next(both)


def test_a_rotation_keeps_the_norm_and_is_left_alone() -> None:
    angle = torch.tensor(0.7, dtype=torch.float64)
    row = torch.stack([angle.cos(), -angle.sin()])
    rotation = torch.stack([row, torch.stack([angle.sin(), angle.cos()])])
    for form in FORMS:
        assert omega_alone(form, rotation).abs().max() < 1e-12
        assert omega_alone(form, 1.1 * rotation).abs().max() > 0.1


@pytest.mark.parametrize("w", [0.4, 1.7])
def test_of_a_multiple_of_the_identity_the_trace_has_a_closed_form(w: float) -> None:
    # r = w^2 at every step whatever the error, so that dOmega/dw = 4 w (w^2 - 1); the norms' own,
    # not squared, 2 (w - 1).
    found = omega_alone(Omega(weight=1.0), w * torch.eye(2, dtype=torch.float64))
    assert float(found.trace()) == pytest.approx(4 * w * (w * w - 1))
    found = omega_alone(Omega(weight=1.0, squared=False), w * torch.eye(2, dtype=torch.float64))
    assert float(found.trace()) == pytest.approx(2 * (w - 1))


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_where_nothing_comes_back_it_is_finite(form: Omega) -> None:
    assert not omega_alone(form, torch.zeros(2, 2, dtype=torch.float64)).any()


def test_only_what_is_named_is_regularised() -> None:
    problem, given = Problem(Elman(hidden=3, hidden_bias=True, width=0.9), NOISE), sequence()
    params = problem.parameters(3)
    every, none, some = (
        it(problem, params, given).gradient
        for it in (Omega(), BPTT(), Omega(parameters=("hidden",)))
    )
    assert not torch.allclose(every["hidden_bias"], none["hidden_bias"])
    torch.testing.assert_close(some["hidden_bias"], none["hidden_bias"])
    assert torch.equal(some["hidden"], every["hidden"])


def test_a_name_that_the_cell_does_not_have_is_refused() -> None:
    problem = Problem(Elman(hidden=3), NOISE)
    with pytest.raises(WrongUsage, match="expected names of"):
        Omega(parameters=("W_rec",))(problem, problem.parameters(3), sequence())


def test_a_weight_below_0_is_refused() -> None:
    with pytest.raises(WrongUsage, match="at least 0"):
        Omega(weight=-1.0)
