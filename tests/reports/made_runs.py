"""Runs made by hand: no net is trained here."""

from __future__ import annotations

from typing import Any

from farback.results import Run, Trial

LSTM = (
    "LSTM1997(blocks=3, size=2, width=0.1, input_bias=(), output_bias=(), cell_bias=False, "
    "readout_bias=False, output_gate=True, wiring='F', truncated=True, reset=0.0, links=True, "
    "g=Logistic(low=-2, high=2), h=Logistic(low=-1, high=1), f=Logistic(low=0, high=1))"
)


def make_run(seed: int = 0, outcome: str = "solved", **changes: Any) -> Run:
    """A run of 1000 sequences at most; keywords change the fields of the trial and of the run."""
    sequences = changes.pop("sequences", 400 if outcome == "solved" else 1000)
    specified = {
        "cell": LSTM,
        "task": "EmbeddedReber(training_strings=256, test_strings=256, apart=True)",
        "learner": "Descent(gradient=BPTT(), update=SGD(lr=0.5), batch=1, per_step=False)",
        "sequences": changes.pop("budget", 1000),
        "check": 100,
        "group": 10,
        "dtype": "float32",
    }
    trial = specified | {key: changes.pop(key) for key in specified.keys() & changes.keys()}
    marks = [100.0 * place for place in range(1, sequences // 100 + 1)]
    fields = {
        "forward": 1.0,
        "backward": 1.0,
        "measures": {"test_wrong": 0.0 if outcome == "solved" else 7.0, "test_count": 10.0},
        "curve": {
            "sequences": marks,
            "loss": [2.0 / mark for mark in marks],
            "wrong": [1.0 - mark / 1000 for mark in marks],
        },
        "seconds": 1.5,
        "versions": {"farback": "0.1.0", "torch": "2.13.0"},
        "device": "cpu",
        "commit": None,
        "command": "fb.train(...)",
        "started": "2026-01-01T00:00:00+00:00",
    }
    return Run(
        trial=Trial(seed=seed, **trial),
        outcome=outcome,
        sequences=sequences,
        **fields | changes,
    )
