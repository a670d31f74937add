"""A part that is not what it says is refused before any work, and nothing of it is stored."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

import farback as fb
from farback import cells, learners, tasks
from farback.errors import InputRefused, WrongUsage
from farback.learners import Descent, gradients, updates
from farback.testing._learned_start import LearnedStart
from farback.testing._noise import Noise


def changed(room: type[Any], name: str, attribute: Any) -> Any:
    """A member with one attribute of its own."""
    return dataclass(frozen=True)(type("Mine", (room,), {name: attribute}))()


def broken(self: object, *_: object) -> None:
    raise ValueError("on purpose")


def unscored(self: Noise, draws: Any) -> Any:
    drawn = Noise().sample(draws)
    return replace(drawn, scored=torch.zeros_like(drawn.scored))


def whole(self: Noise, draws: Any) -> Any:
    drawn = Noise().sample(draws)
    return replace(drawn, targets=drawn.targets.long())


def arrays(self: Noise, draws: Any) -> Any:
    drawn = Noise().sample(draws)
    return replace(drawn, inputs=drawn.inputs.numpy())


def step_of(change: Callable[[Any], Any]) -> Callable[..., updates.Step]:
    """An update's call, its step changed."""
    return lambda self, gradient, memory, params: updates.Step(change(gradient), memory)


CELLS = {
    "start": (lambda self, params: params["start"][:2], r"gives \(2,\) from start.*\(3,\)"),
    "start ": (lambda self, params: (params["start"],), "gives tuple from start, expected a ten"),
    "step": (lambda self, params, state, x: state[:1], r"gives \(1,\) from step.*\(3,\)"),
    "read": (lambda self, params, state, x: state.sum(), r"gives \(\) from read.*\(2,\)"),
    "layout": (lambda self, params: {"units": 2}, r"gives \(3,\) from start.*\(2,\)"),
    "parameters": (lambda self, *_: {}, "has no parameters"),
    "parameters ": (lambda self, *_: {"W": torch.ones(3)}, "has W as torch.float32, expected"),
    " parameters": (lambda self, *_: {"W": 0.5}, "has W as float, expected"),
    " parameters ": (lambda self, *_: [torch.ones(3)], "has parameters .*expected a dictionary"),
}
WIDE = replace(changed(Noise, "sample", lambda self, draws: Noise().sample(draws)), inputs=4)
TASKS = {
    "inputs": (WIDE, r"draws inputs of shape \(6, 1, 1, 3\), expected \[T, R, B, 4\]"),
    "sample": (changed(Noise, "sample", unscored), "draws a sequence without a scored step"),
    "nothing": (changed(Noise, "sample", lambda self, draws: None), "draws None, expected Seq"),
    "whole numbers": (changed(Noise, "sample", whole), "draws targets as torch.int64, expected"),
    "arrays": (changed(Noise, "sample", arrays), "draws inputs as ndarray, expected torch.float"),
    "criterion": (changed(Noise, "criterion", None), "has None for a criterion"),
}
DESCENTS: dict[str, Any] = {
    "a gradient of nothing": (
        (changed(gradients.BPTT, "__call__", lambda self, *_: None), updates.SGD()),
        r"Mine\(\) gives None, expected an ErrorGradient",
    ),
    "an update of one": (
        (gradients.BPTT(), changed(updates.SGD, "__call__", step_of(lambda gradient: {}))),
        r"Mine\(lr=0.1\) gives the shapes {}, expected those of the parameters",
    ),
    "an update of numbers": (
        (gradients.BPTT(), changed(updates.SGD, "__call__", step_of(lambda it: {"W": 0.1}))),
        r"gives the shapes {'W': \(\)}, expected those",
    ),
    "an update of nothing": (
        (gradients.BPTT(), changed(updates.SGD, "__call__", lambda self, *_: None)),
        r"Mine\(lr=0.1\) gives None, expected a Step",
    ),
    "an update that fails": (
        (gradients.BPTT(), changed(updates.SGD, "__call__", broken)),
        "failed at .* on purpose",
    ),
}


def train(store: Path, *, cell: Any = None, task: Any = None, learner: Any = None) -> None:
    plain = Descent(gradients.BPTT(), updates.SGD())
    options = {"seeds": 1, "sequences": 4, "group": 1, "progress": False, "store": store}
    fb.train(cell or LearnedStart(), task or Noise(), learner or plain, **options)


def refused(said: str, store: Path, **parts: Any) -> None:
    with pytest.raises(InputRefused, match=said):
        train(store, **parts)
    assert not store.exists()


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_of_other_shapes_is_told(name: str, tmp_path: Path) -> None:
    function, said = CELLS[name]
    refused(said, tmp_path / "runs", cell=changed(LearnedStart, name.strip(), function))


@pytest.mark.parametrize("name", ["start", "step", "read", "layout", "parameters"])
def test_a_cell_that_fails_is_told_with_its_line(name: str, tmp_path: Path) -> None:
    said = rf"failed at .*test_fit.py:{broken.__code__.co_firstlineno + 1} .* on purpose"
    refused(said, tmp_path / "runs", cell=changed(LearnedStart, name, broken))


@pytest.mark.parametrize("name", TASKS)
def test_a_task_that_is_not_as_it_says_is_told(name: str, tmp_path: Path) -> None:
    task, said = TASKS[name]
    refused(said, tmp_path / "runs", task=task)


@pytest.mark.parametrize("name", DESCENTS)
def test_a_gradient_or_update_of_other_shapes_is_told(name: str, tmp_path: Path) -> None:
    (gradient, update), said = DESCENTS[name]
    refused(said, tmp_path / "runs", learner=Descent(gradient, update))


def test_a_gradient_within_a_sequence_is_tried_too(tmp_path: Path) -> None:
    gradient = changed(gradients.OneStep, "advance", lambda self, *_: None)
    learner = Descent(gradient, updates.SGD(), per_step=True)
    refused(r"Mine\(\) gives None, expected an Advanced", tmp_path / "runs", learner=learner)


@pytest.mark.parametrize(
    "learner", [Descent(gradients.BPTT(), updates.SGD()), learners.Guessing()], ids=repr
)
def test_tables_of_probabilities_are_for_learners_that_keep_them(learner: Any) -> None:
    table = cells.StateNetwork(bounds=(0.0,))
    with pytest.raises(WrongUsage, match="expected one that keeps tables of probabilities"):
        fb.train(table, tasks.Parity(), learner, seeds=1, sequences=100)
    fb.train(replace(table, bounds=None), tasks.Parity(), learner, seeds=1, sequences=100)
