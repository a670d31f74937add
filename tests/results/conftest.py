"""Runs made by hand: no net is trained here."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from farback.results import Run, Trial

TRIAL: dict[str, Any] = {
    "cell": "LSTM1997(blocks=2)",
    "task": "Adding(length=100)",
    "learner": "Descent()",
    "seed": 0,
    "sequences": 1000,
    "check": 100,
    "group": 10,
    "dtype": "float32",
}
RUN: dict[str, Any] = {
    "outcome": "solved",
    "sequences": 400,
    "forward": 400.0,
    "backward": 400.0,
    "measures": {"test_wrong": 3.0, "test_error": 0.25},
    "curve": {"sequences": [100.0, 200.0], "loss": [0.5, math.nan]},
    "seconds": 1.5,
    "versions": {"torch": "2.13.0"},
    "device": "cpu",
    "commit": None,
    "command": "farback train ...",
    "started": "2026-01-01T00:00:00+00:00",
}

SPECIFIED = set(Trial.__struct_fields__) - {"sequences"}
Make = Callable[..., Any]


@pytest.fixture(scope="session")
def trial() -> Make:
    """A trial; keywords change its fields."""
    return lambda **changes: Trial(**TRIAL | changes)


@pytest.fixture(scope="session")
def run(trial: Make) -> Make:
    """A run; keywords change its fields and, `budget` for `sequences`, those of its trial."""

    def make(**changes: Any) -> Run:
        asked = {name: changes.pop(name) for name in SPECIFIED & changes.keys()}
        if "budget" in changes:
            asked["sequences"] = changes.pop("budget")
        return Run(trial=trial(**asked), **RUN | changes)

    return make
