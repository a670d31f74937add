"""A gradient of one's own that is carried back: either engine runs it as it is told."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from test_native_gradients import check
from torch.func import grad_and_value, vjp

from farback.engine.native import Recursion, Unavailable
from farback.learners import Descent
from farback.learners.gradients import BPTT, PseudoNewton, RecursiveGradient
from farback.learners.updates import SGD
from farback.problem import Problem
from farback.testing import check_gradient
from farback.testing._learned_start import LearnedStart
from farback.testing._members import CELLS, TASKS
from farback.testing._noise import Noise
from farback.trials._compiled import native
from farback.types import plus


@dataclass(frozen=True)
class Told(RecursiveGradient):
    """BPTT, told by what one step of it does."""

    exact = True
    backward_passes = 1.0

    def schedule(self, problem: Problem) -> Recursion:
        cell, task = problem.cell, problem.task

        def reading(params, state, x, target, weight) -> Any:
            def error(params, state):
                output = cell.read(params, state, x)
                return torch.where(weight > 0, task.loss(output, target) * weight, 0), output

            found: Any = grad_and_value(error, (0, 1), has_aux=True)(params, state)
            (gradient, entering), (loss, output) = found
            return output, loss, entering, gradient

        def back(params, before, x, adjoint, parts):
            own, earlier = vjp(lambda p, s: cell.step(p, s, x), params, before)[1](adjoint)
            return earlier, plus(own, parts)

        def origin(params, adjoint):
            return vjp(cell.start, params)[1](adjoint)[0]

        return Recursion(reading, back, origin, lambda total: total)


@dataclass(frozen=True)
class Otherwise(PseudoNewton):
    """It says one thing and does another."""

    def __call__(self, net, params, sequences):
        return BPTT()(net, params, sequences)


@dataclass(frozen=True)
class Growing(Told):
    """It carries back more than it was given."""

    def schedule(self, problem: Problem) -> Recursion:
        told = super().schedule(problem)

        def back(*given):
            earlier, added = told.back(*given)
            return torch.cat([earlier, earlier]), added

        return Recursion(told.reading, back, told.origin, told.finish)


def test_bptt_that_is_told_keeps_the_contract_of_an_exact_gradient() -> None:
    check_gradient(Told(), [Problem(LearnedStart(), Noise())])


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(("cell", "task"), [("learned_start", "adding"), ("elman", "reber")])
def test_it_is_the_same_natively(cell: str, task: str) -> None:
    check(cell, task, Told(), torch.float64)


@pytest.mark.parametrize(
    ("gradient", "why"), [(Otherwise(), "way of its own"), (Growing(), "keep its shape")]
)
def test_what_cannot_be_run_as_told_is_left_to_the_reference(gradient, why: str) -> None:
    problem = Problem(CELLS["elman"], TASKS["reber"])
    with pytest.raises(Unavailable, match=why):
        native(problem, Descent(gradient, SGD(1.0)), torch.float64)
