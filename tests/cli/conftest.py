"""A command line in this process, and a probe that only notes what it was asked."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

from farback.cli import main
from farback.flow import Measurement, Profile, Verdict


class Ending(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def farback(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ending]:
    """Run one command and give back its exit code and what it printed."""
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run(*words: str | Path) -> Ending:
        capfd.readouterr()
        code = main([str(word) for word in words])
        return Ending(code, *capfd.readouterr())

    return run


def profile(severity: str = "ok") -> Profile:
    decay = Measurement(
        "adjoint_decay", "A line.", {"lags": np.arange(3.0), "log_norm": np.zeros(3)}
    )
    verdict = Verdict("sustains", severity, "sustains over 2 steps.")
    return Profile("Fake", "read as batch=1, time=3", verdict, {"adjoint_decay": decay})


@dataclass
class Fake:
    """What the probe was called with, and what it returns or raises."""

    given: dict[str, Any] = field(default_factory=dict)
    result: Profile = field(default_factory=profile)
    error: BaseException | None = None

    def probe(self, model: Any, batch: Any, **asked: Any) -> Profile:
        self.given = {"model": model, "batch": batch, **asked}
        if self.error:
            raise self.error
        model(batch[0] if isinstance(batch, tuple) else batch)
        return self.result

    def probe_file(self, path: Any, **asked: Any) -> Profile:
        self.given = {"path": path, **asked}
        return self.result


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Stand in for the probes room and for the terminal report."""
    fake = Fake()
    room = ModuleType("farback.probes")
    room.probe, room.probe_file = fake.probe, fake.probe_file  # type: ignore[attr-defined]
    room.StepMap = type("StepMap", (), {})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "farback.probes", room)
    reports = ModuleType("farback.reports")
    reports.show = lambda profiles, console=None: print(profiles[0].verdict)  # type: ignore[attr-defined]
    reports.report = lambda profiles, path: path  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "farback.reports", reports)
    monkeypatch.delattr("farback.reports", raising=False)
    return fake


MODEL = '''
"""A user's file."""
import torch
from torch import nn

made = nn.RNN(2, 3, batch_first=True)
data = torch.zeros(4, 5, 2)


class Net(nn.RNN):
    def __init__(self):
        super().__init__(2, 3, batch_first=True)


def build():
    print("building")
    torch.manual_seed(0)
    return Net()


def sequences():
    return torch.linspace(-1, 1, 4 * 40 * 2).reshape(4, 40, 2)


def wants(size):
    return Net()


def batch():
    return data, torch.zeros(4)


def fails():
    return torch.zeros(2) @ torch.zeros(3)


def loss(output, target):
    return output.sum()
'''


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """The path of a user's file with a model, batches and mistakes."""
    file = tmp_path / "my_model.py"
    file.write_text(MODEL)
    return file


@pytest.fixture
def reber() -> tuple[str, str, str]:
    """A small cell, task and learner."""
    return "Elman(hidden=2)", "EmbeddedReber(8, 8)", "Descent(BPTT, SGD(0.5))"


@pytest.fixture
def short() -> tuple[str, ...]:
    """Two trials of four sequences."""
    return "--seeds", "2", "--sequences", "4", "--group", "2", "--check", "2"


MY_CELL = '''
"""A user's file."""
from dataclasses import dataclass
from farback.cells.elman import Elman

@dataclass(frozen=True)
class MyCell(Elman):
    hidden: int = 2

@dataclass(frozen=True)
class Broken(MyCell):
    def step(self, params, state, x):
        state += 1
        return super().step(params, state, x)

@dataclass(frozen=True)
class Failing(MyCell):
    def step(self, params, state, x):
        raise KeyError("lost")
'''


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The path of a user's file with three cells."""
    file = tmp_path / "my_cell.py"
    file.write_text(MY_CELL)
    return file


@pytest.fixture
def trained(farback, reber, short, tmp_path):
    """A store of two short trials."""
    ended = farback("train", *reber, *short, "--store", tmp_path / "runs")
    assert ended.code == 0, ended.err
    return tmp_path / "runs"
