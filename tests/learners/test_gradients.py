"""Every gradient keeps the contract, and truncation cuts where it says it does."""

from dataclasses import dataclass, replace

import pytest
import torch
from torch import Tensor

from farback._catalogue import member, names
from farback.cells._cell import Cell
from farback.draws import Draws
from farback.errors import WrongUsage
from farback.learners.gradients._gradient import ErrorGradient, Gradient, Net
from farback.learners.gradients._online import Advanced, OnlineGradient
from farback.learners.gradients.bptt import BPTT
from farback.learners.gradients.one_step import OneStep
from farback.learners.gradients.rtrl import RTRL, Sensitive
from farback.learners.gradients.truncated_bptt import TruncatedBPTT
from farback.problem import Problem, Trials
from farback.testing import check_gradient
from farback.testing._learned_start import LearnedStart
from farback.testing._noise import Noise
from farback.types import Params, Sequences, zeros_like

PROBLEM = Problem(LearnedStart(), Noise(steps=20))


def sequence() -> Sequences:
    drawn = PROBLEM.task.sample(Draws((3,), "here", count=8))
    lengths = drawn.lengths[0].tolist()
    return drawn.one(0, lengths.index(max(lengths)))


def require_equal(found: Params, expected: Params, tolerance: float = 1e-12) -> None:
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=tolerance)


@pytest.mark.slow
@pytest.mark.parametrize("name", names("gradients"))
def test_a_gradient_keeps_the_contract(name: str) -> None:
    check_gradient(member("gradients", name)())


@pytest.mark.slow
@pytest.mark.parametrize(("window", "every"), [(1, 1), (4, 4), (5, 3), (40, 40)])
def test_truncated_bptt_keeps_the_contract_at_every_width(window: int, every: int) -> None:
    check_gradient(TruncatedBPTT(window, every), [PROBLEM])


def test_bptt_and_rtrl_are_exact_and_the_others_are_not() -> None:
    exact = {name: member("gradients", name)().exact for name in names("gradients")}
    assert [name for name, it in exact.items() if it] == ["bptt", "rtrl"]


@pytest.mark.parametrize(
    ("gradient", "passes"),
    [(BPTT(), 1), (RTRL(), 0), (OneStep(), 1), (TruncatedBPTT(12, 4), 3)],
    ids=repr,
)
def test_passes_back_are_counted_in_lengths_of_the_sequence(
    gradient: Gradient, passes: float
) -> None:
    assert gradient.backward_passes == passes


@pytest.mark.parametrize("every", [1, 3, 30])
def test_truncated_bptt_over_more_than_the_sequence_is_bptt(every: int) -> None:
    params, given = PROBLEM.parameters(0), sequence()
    found = TruncatedBPTT(30, every)(PROBLEM, params, given)
    require_equal(found.gradient, BPTT()(PROBLEM, params, given).gradient)


def test_one_step_is_truncated_bptt_over_one_step() -> None:
    params, given = PROBLEM.parameters(0), sequence()
    require_equal(
        OneStep()(PROBLEM, params, given).gradient,
        TruncatedBPTT(1, 1)(PROBLEM, params, given).gradient,
    )


@pytest.mark.parametrize(("window", "every"), [(1, 1), (2, 1), (3, 2), (4, 4), (7, 5)])
def test_truncated_bptt_equals_autograd_through_detached_blocks(window: int, every: int) -> None:
    params, given = PROBLEM.parameters(0), sequence()
    found = TruncatedBPTT(window, every)(PROBLEM, params, given).gradient
    require_equal(found, by_autograd(params, given, window, every))


def by_autograd(params: Params, given: Sequences, window: int, every: int) -> Params:
    """Each block's errors, its states rerun from a detached one `window` steps before its end."""
    cell, task = PROBLEM.cell, PROBLEM.task
    leaves = {name: value.clone().requires_grad_() for name, value in params.items()}
    met = [cell.start(leaves)]
    for x in given.inputs:
        met.append(cell.step(leaves, met[-1], x))
    error = torch.zeros((), dtype=torch.float64)
    for first in range(0, given.steps, every):
        end = min(first + every, given.steps)
        low = max(0, end - window)
        state = met[low].detach() if low else met[0]
        for t in range(low, end):
            state = cell.step(leaves, state, given.inputs[t])
            output = cell.read(leaves, state, given.inputs[t])
            if t >= first:
                error = error + given.scored[t] * task.loss(output, given.targets[t])
    found = torch.autograd.grad(error, list(leaves.values()), materialize_grads=True)
    return dict(zip(leaves, found, strict=True))


@pytest.mark.parametrize(("window", "every"), [(0, 0), (3, 4), (3, 0)])
def test_a_window_shorter_than_its_block_is_refused(window: int, every: int) -> None:
    with pytest.raises(WrongUsage, match="1 <= every <= window"):
        TruncatedBPTT(window, every)


@dataclass(frozen=True)
class Line(Cell):
    """state_t = w state_{t-1} + x_t from 1, read as it is."""

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        return {"w": torch.full((1,), 0.5, dtype=torch.float64)}

    def start(self, params: Params) -> Tensor:
        return torch.ones_like(params["w"])

    def layout(self, params: Params) -> dict[str, int]:
        return {"state": 1}

    def step(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return params["w"] * state + x

    def read(self, params: Params, state: Tensor, x: Tensor) -> Tensor:
        return state


LINE = Problem(Line(), Noise(inputs=1, outputs=1))
STEPS = torch.tensor([[1.0], [2.0], [-1.0]], dtype=torch.float64)
WEIGHTS = (0.5, 0.25, 2.0)
"""The weight at each step: it changes between them."""


def online(gradient: OnlineGradient) -> list[float]:
    """The gradient of each step on a line towards 0, while the weight changes."""
    ones = torch.ones(3, dtype=torch.float64)
    given = Sequences(STEPS, 0 * STEPS, 0 * STEPS, ones, ones > 0)
    held = {"w": torch.tensor([WEIGHTS[0]], dtype=torch.float64)}
    carry, found = gradient.begin(LINE, held, given), []
    for t, weight in enumerate(WEIGHTS):
        params = {"w": torch.tensor([weight], dtype=torch.float64)}
        advanced = gradient.advance(LINE, params, carry, given, t)
        carry = advanced.carry
        found.append(float(advanced.gradient["w"]))
    return found


# The states: 0.5 * 1 + 1 = 1.5, 0.25 * 1.5 + 2 = 2.375, 2 * 2.375 - 1 = 3.75.
def test_rtrl_carries_the_influence_of_old_parameters_on() -> None:
    p0 = 1.0
    p1 = 0.25 * p0 + 1.5
    p2 = 2.0 * p1 + 2.375
    assert online(RTRL()) == [1.5 * p0, 2.375 * p1, 3.75 * p2]


def test_one_step_forgets_how_the_state_came_about() -> None:
    assert online(OneStep()) == [1.5 * 1.0, 2.375 * 1.5, 3.75 * 2.375]


def test_a_block_is_run_back_at_its_end_with_the_weight_of_its_end() -> None:
    # Steps 1 and 2 at the end of step 2 (errors 1.5 read from the state met, 2.375), then step 3.
    second = 2.375 * 1.5 + (0.25 * 2.375 + 1.5) * 1.0
    third = 3.75 * 2.375 + 2.0 * 3.75 * 1.5
    assert online(TruncatedBPTT(window=2, every=2)) == [0.0, second, third]


def test_a_shorter_sequence_is_flushed_at_its_own_end() -> None:
    drawn = PROBLEM.task.sample(Draws((3, 8), "here", count=2))
    given = replace(drawn, scored=drawn.alive.double())
    net, gradient = Trials(PROBLEM), TruncatedBPTT(4, 4)
    params = net.parameters((3, 8), torch.float64)
    carry, met = gradient.begin(net, params, given), []
    for t in range(given.steps):
        advanced = gradient.advance(net, params, carry, given, t)
        carry = advanced.carry
        met.append(advanced.gradient["U"].flatten(1).any(1).tolist())
    ends = given.lengths.tolist()
    assert ends == [[10, 4], [17, 6]]
    assert [t + 1 for t, (first, _) in enumerate(met) if first] == [4, 8, 10]
    assert [t + 1 for t, (_, second) in enumerate(met) if second] == [4, 6, 8, 12, 16, 17]


@dataclass(frozen=True)
class Changed(Gradient):
    """BPTT with something wrong about it."""

    def wrong(self, net: Net, params: Params, right: ErrorGradient) -> ErrorGradient:
        raise NotImplementedError

    @property
    def exact(self) -> bool:
        return True

    @property
    def backward_passes(self) -> float:
        return 1.0

    def __call__(self, net: Net, params: Params, sequences: Sequences) -> ErrorGradient:
        return self.wrong(net, params, BPTT()(net, params, sequences))


@dataclass(frozen=True)
class Doubled(Changed):
    def wrong(self, net: Net, params: Params, right: ErrorGradient) -> ErrorGradient:
        return replace(right, gradient={name: 2 * it for name, it in right.gradient.items()})


@dataclass(frozen=True)
class WithoutStart(Changed):
    def wrong(self, net: Net, params: Params, right: ErrorGradient) -> ErrorGradient:
        blank = {"start": torch.zeros_like(params["start"])}
        return replace(right, gradient=right.gradient | blank)


@dataclass(frozen=True)
class WrongLoss(Changed):
    def wrong(self, net: Net, params: Params, right: ErrorGradient) -> ErrorGradient:
        return replace(right, loss=right.loss / 2)


@dataclass(frozen=True)
class Writing(Changed):
    def wrong(self, net: Net, params: Params, right: ErrorGradient) -> ErrorGradient:
        params["W"].mul_(0.9)
        return right


@dataclass(frozen=True)
class Wide(Changed):
    def wrong(self, net: Net, params: Params, right: ErrorGradient) -> ErrorGradient:
        return replace(right, gradient={name: it.double() for name, it in right.gradient.items()})


@dataclass(frozen=True)
class Mixing(Changed):
    """Every trial gets the mean of all."""

    def wrong(self, net: Net, params: Params, right: ErrorGradient) -> ErrorGradient:
        if isinstance(net, Problem):
            return right
        mean = {name: it.mean(0).expand_as(it) for name, it in right.gradient.items()}
        return replace(right, gradient=mean)


@dataclass(frozen=True)
class Late(OnlineGradient):
    """RTRL that begins without the start's influence when asked step by step."""

    @property
    def exact(self) -> bool:
        return True

    @property
    def backward_passes(self) -> float:
        return 0.0

    def __call__(self, net: Net, params: Params, sequences: Sequences) -> ErrorGradient:
        return RTRL()(net, params, sequences)

    def begin(self, net: Net, params: Params, sequences: Sequences) -> Sensitive:
        state, influence = RTRL().begin(net, params, sequences)
        return Sensitive(state, zeros_like(influence))

    def advance(
        self, net: Net, params: Params, carry: Sensitive, sequences: Sequences, t: int
    ) -> Advanced:
        return RTRL().advance(net, params, carry, sequences, t)


@pytest.mark.parametrize(
    ("gradient", "claim"),
    [
        (Doubled(), "an exact gradient equals BPTT"),
        (WithoutStart(), "an exact gradient equals BPTT"),
        (WrongLoss(), "error and outputs are those of a plain loop"),
        (Writing(), "it is pure"),
        (Wide(), "numbers have the shapes and the type"),
        (Late(), "the steps of an online gradient add up"),
        (Mixing(), "a sequence has its gradient alone as among others"),
    ],
    ids=lambda it: type(it).__name__ if isinstance(it, Gradient) else "",
)
def test_the_contract_sees_what_is_wrong(gradient: Gradient, claim: str) -> None:
    with pytest.raises(AssertionError, match=claim):
        check_gradient(gradient, [PROBLEM])
