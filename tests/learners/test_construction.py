"""Sequential construction: what comes late, when it comes, and that each trial has its own time."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from farback.cells import LSTM1997
from farback.cells._cell import Cell, uniform
from farback.cells.squashings import Identity, Logistic
from farback.draws import Draws
from farback.engine.reference import running
from farback.errors import WrongUsage
from farback.learners import Construction, Descent
from farback.learners._learner import Learner, Memory
from farback.learners.gradients import BPTT, RTRL
from farback.learners.updates import SGD, Adam, Chain, Clip
from farback.problem import Problem, Trials
from farback.tasks import NoiseFreeLag
from farback.types import Params

TASK = NoiseFreeLag(delay=4)
CELL = LSTM1997(
    blocks=1,
    width=0.2,
    input_bias=None,
    output_gate=False,
    wiring="B",
    g=Logistic(),
    h=Identity(),
)
SEEDS = (0, 1, 2)
ON_LINE = Descent(BPTT(), SGD(lr=1.0))
DESCENTS = {
    "on-line": ON_LINE,
    "per step": Descent(RTRL(), SGD(lr=1.0), per_step=True),
    "clipped": Descent(BPTT(), Chain((Clip(0.1), Adam(lr=0.1)))),
    "in batches": Descent(BPTT(), SGD(lr=1.0), batch=3),
}
AT_ONCE = {"window": 10, "share": 0.999}
"""At the end of the second window, whatever the error does."""


@dataclass(frozen=True)
class Shallow(Cell):
    """The net before there is a cell: outputs above inputs, with a state that stays 0."""

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        return {"shortcut": uniform(generator, outputs, inputs, width=0.2)}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        return params["shortcut"].new_zeros(1)

    def layout(self, params: Params) -> dict[str, int]:
        return {"nothing": 1}

    def step(self, params: Params, state: Tensor, x: Tensor) -> Float[Tensor, " N"]:
        return 0 * state

    def read(self, params: Params, state: Tensor, x: Tensor) -> Float[Tensor, " O"]:
        return torch.sigmoid(params["shortcut"] @ x)


def drawn() -> Params:
    return Trials(Problem(CELL, TASK)).parameters(SEEDS, torch.float64)


def learn(
    learner: Learner, steps: int, params: Params, *, cell: Cell = CELL, first: int = 0
) -> tuple[Params, Memory, list[Tensor]]:
    """Parameters and memory after some steps from the `first` on, and the errors on the way."""
    net, count = Trials(Problem(cell, TASK)), learner.presented
    memory, errors = learner.init(net, params, SEEDS), []
    with running():
        for step in range(first, first + steps):
            strings = TASK.sample(Draws(SEEDS, "training", first=step * count, count=count))
            params, memory, _, loss = learner.step(net, params, memory, strings)
            errors.append(loss.mean(1))
    return params, memory, errors


def present(memory: Memory) -> list[bool]:
    return (memory["descent"]["late"]["present"] > 0).tolist()


@pytest.mark.parametrize("descent", DESCENTS.values(), ids=DESCENTS)
def test_before_the_cell_comes_the_net_learns_as_one_without_it(descent: Descent) -> None:
    params, memory, _ = learn(Construction(descent, window=1000), 30, drawn())
    assert present(memory) == [False] * 3
    assert not params["readout"].any()
    assert torch.equal(params["hidden"], drawn()["hidden"])
    shallow, _, _ = learn(descent, 30, {"shortcut": drawn()["shortcut"]}, cell=Shallow())
    torch.testing.assert_close(params["shortcut"], shallow["shortcut"], rtol=1e-10, atol=1e-10)


def test_what_comes_late_comes_as_it_was_drawn() -> None:
    learner = Construction(ON_LINE, **AT_ONCE)
    before, without, _ = learn(learner, 19, drawn())
    params, memory, _ = learn(learner, 20, drawn())
    assert present(without) == [False] * 3 and present(memory) == [True] * 3
    assert not before["readout"].any()
    assert torch.equal(params["readout"], drawn()["readout"])


def test_after_that_it_is_descent() -> None:
    learner = Construction(ON_LINE, **AT_ONCE)
    grown, _, _ = learn(learner, 20, drawn())
    further, _, _ = learn(learner, 30, drawn())
    plain, _, _ = learn(ON_LINE, 10, grown, first=20)
    assert all(torch.equal(further[name], plain[name]) for name in plain)
    assert not torch.equal(further["readout"], grown["readout"])


def test_the_cell_comes_when_the_error_of_the_trial_has_stopped_falling() -> None:
    learner = Construction(ON_LINE, window=10, share=0.05)
    times = {}
    for steps in range(10, 400, 10):
        _, memory, errors = learn(learner, steps, drawn())
        for trial, there in enumerate(present(memory)):
            if there and trial not in times:
                times[trial] = steps
                means = torch.stack(errors)[:, trial].unflatten(0, (-1, 10)).mean(1)
                fell = means[1:] <= 0.95 * means[:-1]
                assert fell[:-1].all() and not fell[-1]
        if len(times) == len(SEEDS):
            break
    assert len(set(times.values())) > 1


@pytest.mark.parametrize(
    "wrong",
    [{"added": "readout"}, {"added": ()}, {"window": 0}, {"share": 1.0}, {"share": -0.1}],
    ids=repr,
)
def test_a_rule_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(WrongUsage, match="expected"):
        Construction(ON_LINE, **wrong)


def test_a_net_without_the_parameters_is_refused_with_the_near_ones() -> None:
    with pytest.raises(WrongUsage, match="no parameter 'readouts' of LSTM1997; try readout"):
        Construction(ON_LINE, added=("readouts",)).fits(Problem(CELL, TASK))
