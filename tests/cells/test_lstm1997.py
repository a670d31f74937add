"""The LSTM of 1997: the weight counts of the paper, its gradient by the published recursions."""

from typing import Any

import pytest
import torch

from farback.cells import LSTM1997
from farback.cells.squashings import Identity, Logistic, Tanh
from farback.draws import Draws
from farback.errors import WrongUsage
from farback.learners.gradients import BPTT
from farback.problem import Problem
from farback.tasks import EmbeddedReber
from farback.testing import recursions1997
from farback.types import Params, Sequences

ALL_HIDDEN = {"cell_bias": True}
ALL_BUT_INPUT = {"cell_bias": True, "readout_bias": True}
NONE = {"input_bias": None, "output_bias": None}
LONG_LAG: dict[str, Any] = {
    "blocks": 1,
    "wiring": "B",
    "output_gate": False,
    "input_bias": None,
    "g": Logistic(),
    "h": Identity(),
}
TABLE_10 = {
    "1, 4 blocks of 1": (7, 7, {"blocks": 4, "size": 1}, 264),
    "1, 3 blocks of 2": (7, 7, {"blocks": 3, "size": 2}, 276),
    "2a": (101, 101, LONG_LAG, 10504),
    "2c, p = 50": (54, 2, NONE, 364),
    "2c, p = 100": (104, 2, NONE, 664),
    "2c, p = 200": (204, 2, NONE, 1264),
    "2c, p = 500": (504, 2, NONE, 3064),
    "2c, p = 1000": (1004, 2, NONE, 6064),
    "3": (1, 1, {"blocks": 3, **ALL_HIDDEN}, 102),
    "4, 5": (2, 1, {"size": 2, **ALL_BUT_INPUT}, 93),
    "6a": (8, 4, {"size": 2, **ALL_BUT_INPUT}, 156),
    "6b": (8, 8, {"blocks": 3, "size": 2, **ALL_BUT_INPUT}, 308),
}
NETS = {
    "experiment 1": {"blocks": 3, "size": 2, "output_bias": (-1.0, -2.0, -3.0)},
    "experiment 2a": LONG_LAG,
    "experiment 2c": NONE,
    "experiment 3": {"blocks": 3, **ALL_HIDDEN, "input_bias": (-1.0, -3.0, -5.0)},
    "experiment 4": {"size": 2, **ALL_BUT_INPUT},
    "cells without links": {"size": 2, "links": False, **ALL_BUT_INPUT},
    "reset to 0.5": {"size": 2, "reset": 0.5},
    "without output gates": {"output_gate": False},
    "wiring B with gates": {"wiring": "B", **ALL_BUT_INPUT},
}


def on_a_string(choices: dict[str, Any], *, truncated: bool) -> tuple[Problem, Params, Sequences]:
    """A net with large weights, so that nothing is small by chance, and one string."""
    problem = Problem(LSTM1997(width=1.0, truncated=truncated, **choices), EmbeddedReber())
    string = problem.task.sample(Draws([5], "test")).one(0, 0)
    return problem, problem.parameters(5), string


def gradients(choices: dict[str, Any]) -> tuple[Params, Params]:
    """By BPTT through the truncated and through the whole cell."""
    cut, whole = (
        BPTT()(*on_a_string(choices, truncated=truncated)).gradient for truncated in (True, False)
    )
    return cut, whole


@pytest.mark.parametrize(
    ("inputs", "outputs", "choices", "weights"), TABLE_10.values(), ids=TABLE_10
)
def test_the_weights_are_as_many_as_in_table_10(
    inputs: int, outputs: int, choices: dict[str, Any], weights: int
) -> None:
    params = LSTM1997(**choices).parameters(torch.Generator(), inputs, outputs)
    assert sum(it.numel() for it in params.values()) == weights


@pytest.mark.parametrize("choices", NETS.values(), ids=NETS)
def test_the_truncated_gradient_equals_the_published_recursions(choices: dict[str, Any]) -> None:
    problem, params, string = on_a_string(choices, truncated=True)
    ours = BPTT()(problem, params, string).gradient
    published = recursions1997(LSTM1997(width=1.0, **choices), params, string)
    assert set(published) == set(ours)
    for name, value in published.items():
        assert value.abs().max() > 1e-3
        torch.testing.assert_close(ours[name], value, rtol=1e-10, atol=1e-10)


def test_the_truncated_gradient_is_the_whole_one_in_experiment_2a() -> None:
    for cut, whole in zip(*(it.values() for it in gradients(LONG_LAG)), strict=True):
        torch.testing.assert_close(cut, whole, rtol=1e-10, atol=1e-10)


def test_the_truncated_gradient_is_another_where_gates_see_the_state() -> None:
    cut, whole = gradients(NETS["experiment 1"])
    assert (cut["hidden"] - whole["hidden"]).norm() > 0.1 * whole["hidden"].norm()
    torch.testing.assert_close(cut["readout"], whole["readout"], rtol=1e-12, atol=1e-12)


def test_a_truncated_cell_says_that_its_derivative_is_not_whole() -> None:
    assert not LSTM1997().exact
    assert LSTM1997(truncated=False).exact
    assert LSTM1997(wiring="B").exact


def test_a_bias_is_the_given_value_plus_a_random_one() -> None:
    cell = LSTM1997(blocks=2, width=0.2, input_bias=(-3.0, -6.0), output_bias=())
    bias = cell.parameters(torch.Generator().manual_seed(0), 2, 1)["gate_bias"]
    off = bias - torch.tensor([-3.0, -6.0, 0.0, 0.0])
    assert 0 < off.abs().min() and off.abs().max() <= 0.2


@pytest.mark.parametrize(
    "wrong",
    [
        {"blocks": 0},
        {"wiring": "C"},
        {"input_bias": (-1.0,)},
        {"input_bias": [-1.0, -2.0]},
        {"input_bias": None},
    ],
    ids=repr,
)
def test_a_net_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(WrongUsage, match="expected"):
        LSTM1997(**wrong)


def test_the_recursions_refuse_a_squashing_that_the_paper_does_not_have() -> None:
    problem, params, string = on_a_string({}, truncated=True)
    with pytest.raises(WrongUsage, match="Tanh"):
        recursions1997(LSTM1997(g=Tanh()), params, string)
    assert problem.cell == LSTM1997(width=1.0)
