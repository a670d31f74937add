"""One number of a table: an estimate over a group of trials, and what came of each of them.

    solved        the share of all trials that were solved
    sequences     the mean number of sequences to solve, over the solved trials
    restricted    the mean of min(sequences to solve, budget) over all trials; one that was not
                  solved, whether it diverged or not, counts with its whole budget
    any other     the mean of that measure or field, over the trials where it is a finite number

A trial that diverged or was not solved within its budget is an outcome: it is counted and shown,
and never taken for a zero.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

from .intervals import Estimate, mean, rate, restricted_mean
from .run import Run

MEANINGS = {
    "solved": "share of trials solved, with Wilson's 95 % interval",
    "sequences": "mean sequences to solve over the solved trials, with bootstrap 95 % interval",
    "restricted": "mean sequences to solve, others at their budget, with bootstrap 95 % interval",
}


@dataclass(frozen=True)
class Entry:
    """One number of a table; None where there is nothing to take it over."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    """Trials in all."""

    solved: int
    diverged: int
    unsolved: int
    over: int
    """Trials that the value is taken over."""

    @property
    def text(self) -> str:
        """The entry as a person reads it."""
        if not self.n:
            return "no trials"
        interval = f" {self.interval}" if self.interval else ""
        return f"{self.number}{interval} ({self.counts})"

    @property
    def number(self) -> str:
        """The value."""
        return "none" if self.value is None else shown(self.value)

    @property
    def interval(self) -> str:
        """Its interval, or "" where there is none."""
        if self.low is None or self.high is None:
            return ""
        return f"[{shown(self.low)}, {shown(self.high)}]"

    @property
    def counts(self) -> str:
        """What came of the trials, and over how many the value is taken."""
        counts = f"{self.solved}/{self.n} solved"
        if self.diverged:
            counts += f", {self.diverged} diverged"
        if self.over not in (self.solved, self.n):
            counts += f", over {self.over}"
        return counts


NO_TRIALS = Entry(None, None, None, 0, 0, 0, 0, 0)


def entry(runs: list[Run], records: list[dict[str, Any]], value: str) -> Entry:
    """The entry of one group, from its runs and their records."""
    counts = Counter(run.outcome for run in runs)
    estimate, over = _estimate(runs, records, value)
    return Entry(
        *estimate,
        n=len(runs),
        solved=counts["solved"],
        diverged=counts["diverged"],
        unsolved=counts["unsolved"],
        over=over,
    )


def _estimate(runs: list[Run], records: list[dict[str, Any]], value: str) -> tuple[Estimate, int]:
    solved = [run for run in runs if run.outcome == "solved"]
    if value == "solved":
        return rate(len(solved), len(runs)), len(runs)
    if value == "sequences":
        return mean(run.sequences for run in solved), len(solved)
    if value == "restricted":
        times = (
            (run.sequences if run.outcome == "solved" else None, run.trial.sequences)
            for run in runs
        )
        return restricted_mean(times), len(runs)
    numbers = [it[value] for it in records if math.isfinite(it.get(value, math.nan))]
    return mean(numbers), len(numbers)


def shown(number: float) -> str:
    """Three figures, thousands apart."""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.3g}"
