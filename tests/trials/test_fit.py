"""A part that is not what it says is refused before any work, and nothing of it is stored."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch

import farback as fb
from farback.errors import InputRefused
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


CELLS = {
    "start": (lambda self, params: params["start"][:2], r"gives \(2,\) from start.*\(3,\)"),
    "step": (lambda self, params, state, x: state[:1], r"gives \(1,\) from step.*\(3,\)"),
    "read": (lambda self, params, state, x: state.sum(), r"gives \(\) from read.*\(2,\)"),
    "layout": (lambda self, params: {"units": 2}, r"gives \(3,\) from start.*\(2,\)"),
    "parameters": (lambda self, *_: {}, "has no parameters"),
}
WIDE = replace(changed(Noise, "sample", lambda self, draws: Noise().sample(draws)), inputs=4)
TASKS = {
    "inputs": (WIDE, r"draws inputs of shape \(6, 1, 1, 3\), expected \[T, R, B, 4\]"),
    "sample": (changed(Noise, "sample", unscored), "draws a sequence without a scored step"),
    "nothing": (changed(Noise, "sample", lambda self, draws: None), "draws None, expected Seq"),
    "criterion": (changed(Noise, "criterion", None), "has None for a criterion"),
}
DESCENTS = {
    "a gradient of nothing": (
        (changed(gradients.BPTT, "__call__", lambda self, *_: None), updates.SGD()),
        r"Mine\(\) gives None, expected the shapes of the parameters",
    ),
    "an update of one": (
        (gradients.BPTT(), changed(updates.SGD, "__call__", lambda self, g, m, p: ({}, m))),
        r"Mine\(lr=0.1\) gives {}, expected the shapes",
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
    refused(said, tmp_path / "runs", cell=changed(LearnedStart, name, function))


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
