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

TRIES = 9


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
