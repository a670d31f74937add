"""How fast the command line answers where it has no work to do, and that torch stays out of it.

python benchmarks/start_up.py        writes results/start_up.json
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import torch
from _measuring import seconds, write
from torch import nn

import farback as fb
from farback.results import Run, Store, Trial

TRIES = 9


def store(folder: Path) -> Path:
    """Seven kinds of trials, thirty of each, with curves of a hundred points."""
    for number in range(210):
        trial = Trial(
            cell=f"LSTM1997(blocks={1 + number // 30}, size=2)",
            task="EmbeddedReber(training_strings=256, test_strings=256, apart=True)",
            learner="Descent(gradient=BPTT(), update=SGD(lr=0.5), batch=1, per_step=False)",
            seed=number % 30,
            sequences=20_000,
            check=100,
            group=30,
            dtype="float32",
        )
        marks = [200.0 * place for place in range(1, 101)]
        curve = {"sequences": marks, "loss": [1 / it for it in marks], "wrong": [0.5] * 100}
        Store(folder).publish(
            Run(
                trial=trial,
                outcome="solved" if number % 3 else "unsolved",
                sequences=20_000,
                forward=1.0,
                backward=1.0,
                measures={"test_wrong": 1.0, "test_count": 256.0},
                curve=curve,
                seconds=1.0,
                versions={},
                device="none",
                commit=None,
                command="",
                started="",
            )
        )
    return folder


def run(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "farback", *arguments], check=True, capture_output=True)


def imports_torch(*arguments: str) -> bool:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "farback", *arguments],
        check=True,
        capture_output=True,
        text=True,
    )
    return any(line.split("|")[-1].strip() == "torch" for line in done.stderr.splitlines())


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        saved = str(Path(folder) / "profile.json")
        fb.probe(nn.GRU(3, 8, batch_first=True), torch.randn(4, 30, 3)).save(saved)
        verbs = {
            "--help": ("--help",),
            "list": ("list",),
            "explain": ("explain", "adjoint_decay"),
            "report": ("report", saved),
            "report --html": ("report", saved, "--html", str(Path(folder) / "report.html")),
            "explain an experiment": ("explain", "hochreiter1997_reber"),
            "show, 210 runs": ("show", str(store(Path(folder) / "runs"))),
            "cite, 210 runs": ("cite", str(Path(folder) / "runs")),
        }
        found = {}
        for name, arguments in verbs.items():
            run(*arguments)
            found[name] = {
                "seconds": round(
                    median(seconds(lambda a=arguments: run(*a)) for _ in range(TRIES)), 3
                ),
                "imports_torch": imports_torch(*arguments),
            }
        bare = [sys.executable, "-c", "pass"]
        python = median(seconds(lambda: subprocess.run(bare, check=True)) for _ in range(TRIES))
    write("start_up", {"bare_python_seconds": round(python, 3), "verbs": found})


if __name__ == "__main__":
    main()
