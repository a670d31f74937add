"""Random guesses a second: the compiled program beside the reference engine, in one run.

    python benchmarks/guessing.py                     to results/guessing.json

The task is parity of strings of 500 to 600 steps without noise, the net A1 with one hidden unit in
the order in which parity is out of reach: no trial ends before its budget. A guess is dropped at
its first wrong string. Both engines guess the same nets.
"""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from _measuring import write

import farback as fb
from farback import cells, learners, tasks

NET = cells.FullyRecurrent(hidden=1, hidden_bias=True)
TASK = tasks.Parity(
    shortest=500, longest=600, noise=0.0, low=0.0, high=1.0, tolerance=0.1, strings=50
)
TRIALS = 64
BUDGETS = {"native": (2000, 52_000), "reference": (40, 140)}
"""Two budgets each: their difference leaves out what is done once, and the final tests."""

ROUNDS = 3


def main() -> None:
    for engine, budgets in BUDGETS.items():  # compiled, and traced
        _guessed(engine, budgets[0])
    found: dict[str, list[dict[str, float]]] = {engine: [] for engine in BUDGETS}
    for _ in range(ROUNDS):
        for engine, (few, many) in BUDGETS.items():
            (guesses, seconds), (others, before) = (_guessed(engine, it) for it in (many, few))
            rate = (guesses - others) / (seconds - before)
            found[engine].append({"guesses_per_second": round(rate)})
    rates = {
        engine: median(it["guesses_per_second"] for it in each) for engine, each in found.items()
    }
    ratio = round(rates["native"] / rates["reference"], 1)
    results: dict[str, Any] = {"trials": TRIALS, "rounds": found, "medians": rates, "ratio": ratio}
    write("guessing", results)


def _guessed(engine: str, sequences: int) -> tuple[float, float]:
    """Guesses of all trials, and the seconds they took."""
    begun = time.perf_counter()
    options = {"seeds": TRIALS, "group": TRIALS, "check": sequences, "progress": False}
    runs = fb.train(NET, TASK, learners.Guessing(), sequences=sequences, engine=engine, **options)
    seconds = time.perf_counter() - begun
    return sum(run.measures["guesses"] for run in runs), seconds


if __name__ == "__main__":
    main()
