"""Trials run in groups: their numbers are their own, and nothing finished is ever lost."""

import os
import signal
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib import import_module
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import farback as fb
from farback import cells, learners, tasks
from farback.cells.squashings import Identity
from farback.draws import Draws
from farback.errors import Stopped, WrongUsage
from farback.learners import gradients, updates
from farback.results import Run, Runs, Store
from farback.tasks._criterion import Criterion
from farback.tasks._task import Baseline, Lag, Task, at_end, sequences, within
from farback.trials import Moment
from farback.types import Sequences


@dataclass(frozen=True)
class Echo(Task):
    """Say at the last of three steps whether the first one was +1 or -1."""

    inputs = outputs = 1
    lag = Lag(2, 2)
    criterion = Criterion(on=("last", "test"), last=50)
    baseline = Baseline((0.5,), right=0.0, error=0.25)
    test = 100

    def sample(self, draws: Draws) -> Sequences:
        first = draws.signs()
        inputs = np.zeros((3, *draws.shape, 1))
        inputs[0, ..., 0] = first
        everywhere = np.ones((3, *draws.shape), dtype=bool)
        ends = at_end(np.full(draws.shape, 3), 3)
        return sequences(inputs, (first[..., None] + 1) / 2, scored=ends, alive=everywhere)

    def informative(self, inputs: Tensor) -> Tensor:
        return inputs[..., 0] != 0

    def distractors(self, inputs: Tensor) -> Tensor:
        return torch.zeros(inputs.shape[:-1], dtype=torch.bool)

    def correct(self, outputs: Tensor, answers: Tensor) -> Tensor:
        return within(0.3, outputs, answers)


CELL = cells.LSTM1997(blocks=2, size=1, width=0.2, truncated=False)
TASK = tasks.EmbeddedReber(training_strings=16, test_strings=16)
LEARNER = learners.Descent(gradients.BPTT(), updates.SGD(lr=0.5))


def train(**options: object) -> Runs:
    chosen = {"sequences": 40, "check": 10, "group": 4, "progress": False, **options}
    parts = [chosen.pop(name, it) for name, it in (("cell", CELL), ("task", TASK))]
    return fb.train(*parts, LEARNER, **chosen)  # pyright: ignore


def numbers(run: Run) -> tuple[object, ...]:
    return run.trial, run.outcome, run.sequences, run.measures, run.curve


@pytest.mark.slow
def test_a_trial_comes_out_the_same_however_many_are_asked_for() -> None:
    many = train(seeds=6)
    few = train(seeds=[5, 2])
    assert [numbers(run) for run in few] == [numbers(many[5]), numbers(many[2])]


@pytest.mark.slow
def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    def stop(moment: Moment) -> None:
        if moment.seeds[0] == 4 and moment.sequences == 25:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Stopped, match="4 of 6 trials are published"):
        train(seeds=6, store=tmp_path / "runs", watch=stop)
    with pytest.raises(Stopped, match="name a store to keep them") as stopped:
        train(seeds=6, watch=stop)
    again = train(seeds=6, store=tmp_path / "runs")
    assert [numbers(run) for run in again] == [numbers(run) for run in train(seeds=6)]
    assert [numbers(run) for run in stopped.value.finished] == [numbers(run) for run in again[:4]]


def test_what_a_store_holds_is_not_run_again(tmp_path: Path) -> None:
    def never(moment: Moment) -> None:
        raise AssertionError("it was run again")

    first = train(seeds=3, store=tmp_path)
    assert list(train(seeds=[2, 0], store=tmp_path, watch=never)) == [first[2], first[0]]


def test_the_signal_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    train(seeds=1, sequences=2)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_a_run_without_finite_numbers_has_diverged_and_is_never_solved() -> None:
    wild = replace(CELL, h=Identity(), g=Identity())
    learner = learners.Descent(gradients.BPTT(), updates.SGD(lr=1e12))
    linear = replace(wild, f=Identity())
    (run,) = fb.train(linear, TASK, learner, seeds=1, sequences=50, check=10, progress=False)
    assert run.outcome == "diverged"
    assert run.sequences < 50


def test_an_easy_trial_is_solved_at_a_look_and_tested() -> None:
    runs = train(task=Echo(), seeds=4, sequences=300_000, check=50)
    assert {run.outcome for run in runs} == {"solved"}
    assert all(run.sequences % 50 == 0 and run.sequences < 3000 for run in runs)
    assert all(run.measures["test_wrong"] == 0 for run in runs)
    assert all(run.forward == run.backward == run.sequences for run in runs)
    assert all(run.curve["sequences"][-1] == run.sequences for run in runs)


def test_a_curve_falls_while_a_trial_learns() -> None:
    (run,) = train(task=Echo(), seeds=1, sequences=3000, check=50)
    assert run.curve["loss"][-1] < run.curve["loss"][0] / 2
    assert run.curve["sequences"][-1] == run.sequences


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("sequences", 0),
        ("sequences", float("nan")),
        ("check", 2.5),
        ("group", "4"),
        ("dtype", "float8"),
        ("dtype", torch.float64),
    ],
)
def test_an_option_out_of_range_is_told(option: str, value: object) -> None:
    with pytest.raises(WrongUsage, match=f"{option} came as"):
        train(**{option: value})


@pytest.mark.parametrize("seeds", [0, [], [-1], 2.0, [0.5], "3", None])
def test_seeds_that_are_none_are_told(seeds: object) -> None:
    with pytest.raises(WrongUsage, match="seeds came as"):
        train(seeds=seeds)


def test_numpys_whole_numbers_are_whole_numbers() -> None:
    mine = train(seeds=np.arange(2), sequences=np.int64(10))
    assert [numbers(run) for run in mine] == [numbers(run) for run in train(seeds=2, sequences=10)]


def test_a_budget_is_never_overdrawn() -> None:
    three = learners.Descent(gradients.BPTT(), updates.SGD(lr=0.5), batch=3)
    (run,) = fb.train(CELL, TASK, three, seeds=1, sequences=10, progress=False)
    assert run.sequences == 9
    with pytest.raises(WrongUsage, match="fewer than the 3"):
        fb.train(CELL, TASK, three, seeds=1, sequences=2, progress=False)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("watch", 3, "watch came as 3, expected a function"),
        ("store", 3, "store came as 3, expected a path"),
        ("store", "", "store came as '', expected a path"),
        ("store", "a\0b", "expected a path"),
        ("seeds", 10**9, "seeds came as more than 1,000,000"),
        ("seeds", count(), "seeds came as more than 1,000,000"),
    ],
)
def test_an_option_of_another_kind_is_told(option: str, value: object, said: str) -> None:
    with pytest.raises(WrongUsage, match=said):
        train(**{option: value})


def test_a_sweep_of_nothing_is_told_and_one_of_a_generator_runs() -> None:
    options = {"tasks": [TASK], "learners": [LEARNER], "seeds": 1, "sequences": 2, "group": 1}
    with pytest.raises(WrongUsage, match=r"cells came as \[\], expected at least one"):
        fb.sweep(cells=[], **options, progress=False)
    with pytest.raises(WrongUsage, match=r"cells came as LSTM1997.*, expected at least one"):
        fb.sweep(cells=CELL, **options, progress=False)  # type: ignore
    assert len(fb.sweep(cells=(it for it in [CELL]), **options, progress=False)) == 1


def test_the_last_answers_are_told_where_the_criterion_looks_at_them() -> None:
    assert "last_wrong" in train(task=Echo(), seeds=1)[0].measures
    assert "last_wrong" not in train(seeds=1)[0].measures


def test_a_class_in_place_of_an_object_is_told() -> None:
    with pytest.raises(WrongUsage, match=r"try EmbeddedReber\(\)"):
        train(task=tasks.EmbeddedReber)


def test_a_sweep_holds_every_combination_seed_by_seed(tmp_path: Path) -> None:
    small = [CELL, cells.LSTM1997(blocks=1, size=2)]
    common = {"tasks": [TASK], "learners": [LEARNER], "sequences": 4, "progress": False}
    runs = fb.sweep(cells=small, seeds=3, store=tmp_path, **common)  # pyright: ignore
    assert [(run.trial.cell, run.trial.seed) for run in runs] == [
        (repr(cell), seed) for cell in small for seed in range(3)
    ]
    assert len(Store(tmp_path).runs()) == 6


def test_the_parameters_of_a_moment_can_be_followed_by_autograd() -> None:
    seen = []

    def look(moment: Moment) -> None:
        seen.append(moment.of(moment.seeds[1]))

    train(seeds=2, sequences=2, watch=look)
    params = {name: value.requires_grad_() for name, value in seen[-1].items()}
    torch.stack([value.sum() for value in params.values()]).sum().backward()
    assert all(value.grad is not None for value in params.values())


MINE = """
from dataclasses import dataclass
from farback.cells.elman import Elman

@dataclass(frozen=True)
class Mine(Elman):
    def step(self, params, state, x):
        return super().step(params, state, x)
"""


def test_a_file_edited_in_mid_run_changes_no_trial_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine_edited_in_mid_run.py"
    file.write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    cell = import_module(file.stem).Mine(hidden=2)

    def edit(moment: Moment) -> None:
        file.write_text(MINE.replace("return", "return 2 *"))

    (run,) = train(cell=cell, seeds=1, sequences=2, store=tmp_path / "runs", watch=edit)
    assert run.trial.sources[f"{file.name}:Mine"] == sha256(MINE.encode()).hexdigest()
    assert list(Store(tmp_path / "runs").runs()) == [run]
