"""Discrete error propagation: its recursion in loops, and its differentiable parts."""

from dataclasses import replace

import pytest
import torch

from farback import tasks
from farback._catalogue import member, names
from farback.cells import Elman, ThresholdLatch, ThresholdNet
from farback.cells.squashings import Tanh
from farback.draws import Draws
from farback.errors import WrongUsage
from farback.learners import Descent, Flossing
from farback.learners.gradients import BPTT, DiscreteError
from farback.learners.updates import SGD
from farback.problem import Problem, answer
from farback.testing import check_learner
from farback.testing._noise import Noise
from farback.types import Params, Sequences

PASSING_ON = ("bptt", "discrete_error", "one_step", "truncated_bptt")
"""Gradients that hand an error back step by step, whatever becomes of it."""

NOISE = Noise(inputs=2, outputs=2, steps=12)


def sequence(problem: Problem) -> Sequences:
    drawn = problem.task.sample(Draws((3,), "here", count=8))
    return drawn.one(0, int(drawn.lengths[0].argmax()))


def by_wishes(cell: ThresholdNet, params: Params, given: Sequences) -> torch.Tensor:
    """-dE/dW by the recursion of the source, unit by unit."""
    w, units = params["weights"], len(params["weights"])
    y, seen, nets = [0.0] * units, [], []
    for row in given.inputs.tolist():
        seen.append(row[:2] + y)
        nets.append(
            [sum(float(w[i, j]) * it for j, it in enumerate(seen[-1])) for i in range(units)]
        )
        y = [1.0 if net >= 0 else -1.0 for net in nets[-1]]
    total, later = torch.zeros_like(w), [0.0] * units
    for t in reversed(range(given.steps)):
        said = [1.0 if net >= 0 else -1.0 for net in nets[t]]
        changes = []
        for i in range(units):
            wish = sum(float(w[k, 2 + i]) * later[k] for k in range(units))
            if i >= cell.hidden and given.scored[t] > 0:
                wish += float(given.targets[t][i - cell.hidden]) - said[i]
            held = min(max(wish, -2.0), 2.0)
            up = float(given.inputs[t][2 + i]) < (held + 2) / 4
            net, change = nets[t][i], 0.0
            if wish and up and net < 0:
                change = -net
            elif wish and not up and net >= 0:
                change = -net - cell.margin
            changes.append(change)
            for j, it in enumerate(seen[t]):
                total[i, j] += change * it
        later = changes
    return total


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_recursion_of_the_source(seed: int) -> None:
    cell = ThresholdNet(hidden=3, outputs=2)
    problem = Problem(cell, NOISE)
    params, given = problem.parameters(seed), sequence(problem)
    found = DiscreteError()(problem, params, given).gradient["weights"]
    expected = by_wishes(cell, params, given)
    assert expected.abs().max() > 1
    torch.testing.assert_close(-found, expected, rtol=0, atol=1e-12)


def test_differentiable_parts_have_their_derivative() -> None:
    cell = ThresholdNet(hidden=3, outputs=2, squashing=Tanh(), output_bias=True, hidden_first=True)
    problem = Problem(cell, NOISE)
    params, given = problem.parameters(1), sequence(problem)
    params["weights"][:3, -2:] = 0  # the hidden units do not see the outputs, so they hold still

    def error(change: Params) -> float:
        outputs = answer(problem, {name: it + change[name] for name, it in params.items()}, given)
        outputs = outputs[: given.steps]
        return float(problem.losses(outputs, given.targets, given.scored))

    found = DiscreteError()(problem, params, given).gradient
    for name, first in (("weights", 3), ("output_bias", 0)):
        for place in range(first, len(params[name])):
            direction = torch.zeros_like(params[name])
            direction[place] = torch.linspace(-1, 1, direction[place].numel() + 1)[1:].reshape(
                direction[place].shape
            )
            blank = {key: torch.zeros_like(it) for key, it in params.items()}
            above, below = (error(blank | {name: h * direction}) for h in (1e-5, -1e-5))
            slope = float((found[name] * direction).sum())
            assert slope == pytest.approx((above - below) / 2e-5, rel=1e-6, abs=1e-8)


def test_the_threshold_units_are_asked_by_the_differentiable_ones() -> None:
    problem = Problem(ThresholdNet(hidden=3, outputs=2, squashing=Tanh(), hidden_first=True), NOISE)
    found = DiscreteError()(problem, problem.parameters(1), sequence(problem)).gradient
    assert found["weights"][:3].abs().max() > 0.1


def test_it_is_bptt_through_the_rule_of_the_units() -> None:
    problem = Problem(ThresholdNet(hidden=3, outputs=2), NOISE)
    params, given = problem.parameters(0), sequence(problem)
    found, other = (it(problem, params, given).gradient for it in (DiscreteError(), BPTT()))
    assert torch.equal(found["weights"], other["weights"])


def test_other_dice_give_another_direction() -> None:
    problem = Problem(ThresholdNet(hidden=3, outputs=2), NOISE)
    params, given = problem.parameters(0), sequence(problem)
    turned = given.inputs.clone()
    turned[:, 2:] = 1 - turned[:, 2:]
    found, other = (
        DiscreteError()(problem, params, it).gradient["weights"]
        for it in (given, replace(given, inputs=turned))
    )
    assert not torch.equal(found, other)


def test_a_cell_without_threshold_units_is_refused() -> None:
    learner = Descent(DiscreteError(), SGD(lr=0.1))
    with pytest.raises(WrongUsage, match="expected a cell with threshold units"):
        learner.fits(Problem(Elman(), tasks.Parity()))


@pytest.mark.parametrize("name", names("gradients"))
def test_what_takes_jacobians_refuses_threshold_units(name: str) -> None:
    learner = Descent(member("gradients", name)(), SGD(lr=0.1))
    problem = Problem(ThresholdNet(hidden=2, outputs=2), NOISE)
    problem = Problem(problem.cell, problem.task, learner.dice(problem))
    if name in PASSING_ON:
        learner.fits(problem)
        return
    with pytest.raises(WrongUsage, match=r"^ThresholdNet\(.* steps have a Jacobian.*Discrete"):
        learner.fits(problem)


def test_flossing_takes_jacobians_where_its_descent_does_not() -> None:
    problem = Problem(ThresholdNet(hidden=2, outputs=2), NOISE)
    with pytest.raises(WrongUsage, match=r"^ThresholdNet\(.* came with Flossing\("):
        Flossing(Descent(DiscreteError(), SGD(lr=0.1))).fits(problem)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "task"),
    [
        (ThresholdLatch(), tasks.Bengio1994Latch(steps=20)),
        (ThresholdNet(hidden=4, additive=True), tasks.Bengio1994TwoSequence(steps=20)),
    ],
    ids=repr,
)
def test_descent_along_it_keeps_the_contract(cell, task) -> None:
    learner = Descent(DiscreteError(), SGD(lr=0.01), batch=2)
    check_learner(learner, Problem(cell, task), unfit=Problem(Elman(), task))
