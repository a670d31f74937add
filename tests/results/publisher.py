"""A process that publishes a plan of small runs, and can be told where to kill itself.

    publisher.py STORE LOG TRIALS [FATAL [TURN]]

It writes a line to LOG before it works on a trial, and "ready" to standard output before the first.
FATAL names the moment at which it kills itself, in the TURN-th run that it publishes.
"""

import os
import signal
import sys
from pathlib import Path

from farback.results import Run, Store, Trial, _disk, store


def plan(trials: int) -> list[Trial]:
    return [
        Trial(
            cell="LSTM1997(blocks=2)",
            task="Adding(length=100)",
            learner="Descent()",
            seed=seed,
            sequences=1000,
            check=100,
            group=10,
            dtype="float32",
        )
        for seed in range(trials)
    ]


def perform(trial: Trial) -> Run:
    """A run whose numbers follow from the trial, large enough to be cut in its middle."""
    steps = list(range(100, 1100, 10))
    return Run(
        trial=trial,
        outcome=("solved", "unsolved", "diverged")[trial.seed % 3],
        sequences=100 + trial.seed,
        forward=1.0,
        backward=1.0,
        measures={"test_wrong": trial.seed / 7},
        curve={"sequences": steps, "loss": [1 / (step + trial.seed) for step in steps]},
        seconds=0.1,
        versions={},
        device="cpu",
        commit=None,
        command=f"publisher {os.getpid()}",
        started="2026-01-01T00:00:00+00:00",
    )


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(fatal: str, turn: int) -> None:
    """Replace one step of publishing by one that dies in its `turn`-th call."""
    write, link = _disk.write, os.link
    calls = iter(range(1, 10**9))

    def write_half(draft: Path, text: bytes) -> None:
        if next(calls) == turn:
            draft.write_bytes(text[: len(text) // 2])
            die()
        write(draft, text)

    def die_before_link(draft: Path, place: Path) -> None:
        if next(calls) == turn:
            die()
        link(draft, place)

    def die_after_link(draft: Path, place: Path) -> None:
        link(draft, place)
        if next(calls) == turn:
            die()

    if fatal == "half written":
        store.write = write_half
    elif fatal == "before publishing":
        os.link = die_before_link
    elif fatal == "after publishing":
        os.link = die_after_link


def main(folder: str, log: str, trials: str, fatal: str = "", turn: str = "1") -> None:
    arm(fatal, int(turn))
    kept = Store(folder)
    print("ready", flush=True)
    won = 0
    for trial in kept.missing(plan(int(trials))):
        with Path(log).open("a") as starts:
            starts.write(f"{trial.id}\n")
        won += kept.publish(perform(trial))
    print(won, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
