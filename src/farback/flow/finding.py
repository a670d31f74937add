"""What an analysis concludes from its measurement: a claim, its evidence, what to try."""

from __future__ import annotations

import msgspec


class Remedy(msgspec.Struct, frozen=True):
    """One thing to try, and the measured reason for it."""

    what: str
    why: str


class Finding(msgspec.Struct, frozen=True):
    """One judgement.

    `word` is a verdict word (verdict.py) where the finding can carry the verdict, else None.
    `severity` is ok, watch or bad.
    """

    analysis: str
    claim: str
    evidence: str
    severity: str = "ok"
    word: str | None = None
    remedies: tuple[Remedy, ...] = ()
