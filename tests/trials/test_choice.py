"""Which engine runs a trial, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

import farback as fb
from farback import cells, learners, tasks
from farback.engine.native import Unavailable, _cache
from farback.errors import InputRefused, WrongUsage
from farback.learners import gradients, updates
from farback.problem import Problem
from farback.trials import Study, _choice
from farback.trials._choice import choose
from farback.trials._compiled import Native

TASK = tasks.EmbeddedReber(training_strings=16, test_strings=16)
LEARNER = learners.Descent(gradients.BPTT(), updates.SGD(lr=0.5))
CELL = cells.Elman(hidden=2)
NO_COMPILER = "CC names no-such-compiler, which was not found; install one, e.g. apt install gcc"


@dataclass(frozen=True)
class Unknown(cells.Elman):
    """Asks for a function that has no rule."""

    def step(self, params, state: Tensor, x: Tensor) -> Tensor:
        made = super().step(params, state, x)
        return made + torch.lgamma(1.5 + made.abs())


def study(cell: cells.Cell = CELL, sequences: int = 100_000, **options: str) -> Study:
    return Study(cell, TASK, LEARNER, sequences, **options)


@pytest.fixture
def with_compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Have `CC` name a compiler."""

    def name(path: str) -> None:
        monkeypatch.setenv("CC", path)
        _cache.forget()

    yield name
    monkeypatch.undo()
    _cache.forget()


@pytest.mark.usefixtures("has_compiler")
def test_auto_takes_the_native_engine_for_a_long_budget() -> None:
    choice = study().choice
    assert choice.name == "native" and choice.native is not None
    words = choice.sentence.removesuffix(")").partition(" (")
    assert words[0] == "native engine"
    compiler, lanes, threads = words[2].split(", ")
    assert compiler and lanes.endswith(" lanes") and threads.split()[1] in ("thread", "threads")


@pytest.mark.usefixtures("has_compiler")
def test_a_native_trial_has_no_group() -> None:
    assert (study().trial(3).engine, study().trial(3).group) == ("native", 1)
    assert study(engine="reference").trial(3).group == 32


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"sequences": 999}, "since 999 sequences are done before a compiler is"),
        (
            {"cell": cells.Elman(hidden=150)},
            "since a net of 24,600 parameters is faster in torch's matrices",
        ),
        ({"engine": "reference"}, "as asked for"),
    ],
)
def test_auto_says_why_it_takes_the_reference_engine(asked, reason: str) -> None:
    choice = study(**asked).choice
    assert (choice.name, choice.native) == ("reference", None)
    assert choice.sentence == f"reference engine, {reason}"


def test_another_device_is_named_with_the_engine() -> None:
    choice = choose("auto", Problem(CELL, TASK), LEARNER, torch.float32, "cuda", 100_000)
    assert choice.name == "reference on cuda"
    assert choice.sentence == "reference engine on cuda, since compiled C runs on the CPU alone"


def test_without_a_compiler_the_reference_engine_runs(with_compiler) -> None:
    with_compiler("no-such-compiler")
    assert study().choice.sentence.startswith(f"reference engine, since {NO_COMPILER}")
    assert study().trial(0).engine == "reference"


def test_a_compiler_without_a_c_library_is_none(with_compiler, tmp_path: Path) -> None:
    path = tmp_path / "half"
    lines = [
        "#!/bin/sh",
        '[ "$1" = --version ] && echo "half (Made) 1.2.0" && exit',
        "echo '<stdin>:1:10: fatal error: math.h: No such file or directory'; exit 1",
    ]
    path.write_text("\n".join(lines))
    path.chmod(0o700)
    with_compiler(str(path))
    sentence = study().choice.sentence
    assert f"since the C compiler {path} failed: <stdin>:1:10: fatal error: math.h" in sentence


def test_asked_for_where_it_cannot_run_it_is_refused_in_a_sentence(with_compiler) -> None:
    with_compiler("no-such-compiler")
    with pytest.raises(InputRefused) as refusal:
        fb.train(CELL, TASK, LEARNER, sequences=10, engine="native", progress=False)
    said = str(refusal.value)
    assert said.startswith(f"The native engine cannot run this: {NO_COMPILER}")
    assert said.endswith("; try engine='reference'.") and "\n" not in said


@pytest.mark.usefixtures("has_compiler")
def test_an_operator_without_a_rule_is_named() -> None:
    cell = Unknown(hidden=2)
    assert study(cell).choice.sentence.startswith("reference engine, since torch's lgamma has no")
    with pytest.raises(InputRefused, match=r"cannot run this: torch's lgamma has no rule"):
        study(cell, engine="native").trial(0)


@pytest.mark.usefixtures("has_compiler")
def test_an_operator_without_a_rule_is_named_with_its_line() -> None:
    sentence = study(Unknown(hidden=2)).choice.sentence
    assert "'return made + torch.lgamma(1.5 + made.abs())', line 35 of test_choice.py" in sentence


def test_what_fails_in_the_native_engine_is_left_to_the_other(monkeypatch) -> None:
    def fails(*_: object) -> None:
        raise AssertionError("odd")

    monkeypatch.setattr(_choice._machine, "working", lambda: None)
    monkeypatch.setattr(_choice, "native", fails)
    assert study().choice.sentence == (
        "reference engine, since the native one fails on it (AssertionError: odd)"
    )
    with pytest.raises(AssertionError, match="odd"):
        study(engine="native").trial(0)


@pytest.mark.usefixtures("has_compiler")
def test_a_program_that_cannot_be_built_after_all_is_refused(monkeypatch) -> None:
    def fails(self: Native, trials: int) -> None:
        raise Unavailable("cc took over 120 s, and was killed")

    monkeypatch.setattr(Native, "compiled", fails)
    with pytest.raises(InputRefused, match=r"this: cc took over 120 s, and was killed; try eng"):
        fb.train(CELL, TASK, LEARNER, sequences=10, engine="native", progress=False)


@pytest.mark.parametrize("engine", ["fast", None, ["native"]])
def test_an_engine_that_is_none_is_refused(engine) -> None:
    with pytest.raises(WrongUsage, match=r"^engine came as .*, expected auto, native or reference"):
        fb.train(CELL, TASK, LEARNER, sequences=10, engine=engine)
