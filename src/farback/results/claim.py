"""A published number beside ours: the claim, what we measured, and whether they agree.

*Within* means that the published value lies inside our 95 % interval, widened on both sides by the
claim's stated tolerance. A mean over solved trials says little where many were not: it is compared
only where at least 95 % are solved, and is shown with the restricted mean beside it; an accuracy is
that of solved trials in the sources too. The worst and the best of some trials have no interval,
and the mean of fewer than four has none worth its name. A rate says little at a cap below what the
source's trials took, and what a source says in words alone is not comparable either.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from .intervals import Estimate, mean, rate, restricted_mean
from .run import Run

Verdict = Literal["within", "outside", "not comparable"]

ENOUGH = 0.95
"""The share of solved trials from which their mean time may stand for all."""

FEW = 4
"""Trials from which the interval of a mean is worth its name: of two or three that are alike it
would have no width."""


OF_ALL: dict[str, Callable[[Run], float]] = {
    "presentations": lambda run: float(run.sequences),
    "error": lambda run: 100 * run.measures["test_wrong"] / run.measures["test_count"],
}
"""Means over all trials, solved or not: sequences until a trial ended, and wrong answers of its
test set in per cent."""

OF_SOLVED: dict[str, Callable[[list[float]], Estimate]] = {
    "accuracy": mean,
    "worst accuracy": lambda shares: Estimate(min(shares, default=None)),
    "best accuracy": lambda shares: Estimate(max(shares, default=None)),
}
"""Of the right answers to the test set, as a share, of each solved trial."""


@dataclass(frozen=True)
class Claim:
    """One number of a published table.

    Args:
        measure: what it counts: "solved" (share of trials), "sequences" (mean until solved), one
            of `OF_ALL` or `OF_SOLVED`, or a measure of the runs, as "test_wrong".
        published: the number; None where the source has words only.
        source: where it stands, as "table 1, row 5".
        tolerance: how far the published number may lie outside our interval, in its own unit: what
            is known of its own error.
        words: as the source puts it, where it is no number.
        by: about how many sequences the source's trials took, nearly all of them; by half of it,
            half were solved. A rate among trials that were given fewer is not compared, unless it
            lies below half of the published one even so. A mean of `OF_ALL` is compared only where
            trials that did not solve it were given as many.
    """

    measure: str
    published: float | None
    source: str
    tolerance: float = 0.0
    words: str = ""
    by: int = 0


@dataclass(frozen=True)
class Compared:
    """A claim and what our trials say to it."""

    claim: Claim
    ours: Estimate
    restricted: Estimate | None
    """For times: the mean with every unsolved trial at its budget."""

    trials: int
    solved: int
    verdict: Verdict
    reason: str
    """Why it is not comparable; else empty."""


def compare(claim: Claim, runs: Iterable[Run]) -> Compared:
    """Our number for a claim.

    A measure is averaged over solved trials, since a diverged or unsolved one has no success to
    test; those of `OF_ALL` are averaged over all.
    """
    trials = list(runs)
    solved = [run for run in trials if run.outcome == "solved"]
    restricted = None
    if claim.measure == "solved":
        ours = rate(len(solved), len(trials))
    elif claim.measure == "sequences":
        ours = mean(run.sequences for run in solved)
        restricted = restricted_mean(
            (run.sequences if run.outcome == "solved" else None, run.trial.sequences)
            for run in trials
        )
    elif claim.measure in OF_ALL:
        ours = mean(OF_ALL[claim.measure](run) for run in trials if "test_count" in run.measures)
    elif claim.measure in OF_SOLVED:
        tested = [run for run in solved if "test_count" in run.measures]
        shares = [1 - it.measures["test_wrong"] / it.measures["test_count"] for it in tested]
        ours = OF_SOLVED[claim.measure](shares)
    else:
        ours = mean(run.measures[claim.measure] for run in solved if claim.measure in run.measures)
    reason = _obstacle(claim, ours, trials, solved)
    verdict: Verdict = "not comparable" if reason else _verdict(claim, ours)
    return Compared(claim, ours, restricted, len(trials), len(solved), verdict, reason)


def _obstacle(claim: Claim, ours: Estimate, trials: list[Run], solved: list[Run]) -> str:
    if not trials:
        return "no trials"
    if claim.published is None:
        return f"the source says {claim.words!r}" if claim.words else "no number is published"
    if claim.measure in OF_ALL:
        caps = [run.trial.sequences for run in trials if run.outcome != "solved"]
        if caps and min(caps) < claim.by:
            return f"{min(caps):,} sequences, where the source went to {claim.by:,}"
        return _too_few(ours, len(trials))
    if claim.measure == "solved":
        return _cut_short(claim, ours, trials)
    if not solved:
        cap = max(run.trial.sequences for run in trials)
        return f"not reached within {cap:,} sequences"
    if claim.measure in OF_SOLVED and claim.measure != "accuracy":
        return f"one trial of {len(solved)}, which has no interval"
    if len(solved) < ENOUGH * len(trials) and claim.measure != "accuracy":
        return f"{len(solved)} of {len(trials)} solved, and a mean stands for all from 95 % on"
    return _too_few(ours, len(solved))


def _too_few(ours: Estimate, trials: int) -> str:
    """Why a mean cannot be held against a number, where no interval can be made of it."""
    if ours.value is None:
        return "not measured"
    return f"a mean of {trials}, and from {FEW} on it has an interval" if trials < FEW else ""


def _cut_short(claim: Claim, ours: Estimate, trials: list[Run]) -> str:
    """Why more sequences might change the verdict on a rate, which they could only raise."""
    assert claim.published is not None and ours.low is not None and ours.high is not None
    caps = [run.trial.sequences for run in trials if run.outcome == "unsolved"]
    if not caps or min(caps) >= claim.by or ours.low - claim.tolerance > claim.published:
        return ""
    if min(caps) >= claim.by / 2 and ours.high + claim.tolerance < claim.published / 2:
        return ""
    return f"{min(caps):,} sequences, where the source went to about {claim.by:,}"


def _verdict(claim: Claim, ours: Estimate) -> Verdict:
    assert claim.published is not None and ours.low is not None and ours.high is not None
    inside = ours.low - claim.tolerance <= claim.published <= ours.high + claim.tolerance
    return "within" if inside else "outside"


VARIATION = 0.55
"""Standard deviation over mean of the time to a success, where a source prints no spread.

The range 3 800 to 24 100 around 8 440 in table 1 of Hochreiter and Schmidhuber 1997 suggests it (30
trials span about four standard deviations).
"""


def of_mean(published: float, trials: int) -> float:
    """A tolerance: two standard errors of a published mean over so many trials."""
    return 2 * VARIATION * published / math.sqrt(trials)


def of_rate(published: float, trials: int) -> float:
    """A tolerance: the half-width of Wilson's interval around a published rate."""
    interval = rate(round(published * trials), trials)
    assert interval.low is not None and interval.high is not None
    return max(published - interval.low, interval.high - published)


def solved_after(
    place: str, after: int, trials: int, *, solved: float = 1.0, last: int | None = None
) -> tuple[Claim, Claim]:
    """What a row of a table says: the share of its trials that was solved, and when on average.

    A table whose times are means of all its trials says that all were solved. Where the source does
    not tell its last success, nearly all are taken to have come within two standard deviations
    above their mean.
    """
    by = round(after * (1 + 2 * VARIATION)) if last is None else last
    return (
        Claim("solved", solved, place, of_rate(solved, trials), by=by),
        Claim("sequences", after, place, of_mean(after, round(solved * trials))),
    )
