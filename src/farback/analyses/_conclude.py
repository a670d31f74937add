"""From the findings of the analyses to one verdict.

The word comes from the finding that says most: an error that does not exist, then one that the code
cuts, then the end of a receptive field, then the decay. Its remedies come first; where the error
vanishes, those of the other findings follow; three at most.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..flow import SEVERITIES, Finding, Remedy, Verdict

_ORDER = ("no signal", "truncated", "ends", "explodes", "vanishes", "sustains")


def conclude(findings: Sequence[Finding], unchecked: Sequence[str]) -> Verdict:
    """The verdict over all findings."""
    speaking = [finding for finding in findings if finding.word is not None]
    if not speaking:
        return Verdict(
            "no verdict",
            "ok",
            "no verdict: no analysis that could speak was run.",
            (),
            tuple(unchecked),
        )
    leading = min(speaking, key=_rank)
    severity = max((f.severity for f in speaking), key=SEVERITIES.index)
    if leading.word == "no signal":
        severity = leading.severity
    remedies: list[Remedy] = list(leading.remedies)
    if leading.severity != "ok" and leading.word == "vanishes":
        for finding in findings:
            if finding is not leading:
                remedies += [r for r in finding.remedies if r not in remedies]
    return Verdict(
        word=leading.word or "",
        severity=severity,
        sentence=f"{leading.word}: {leading.claim}.",
        remedies=tuple(remedies[:3]),
        unchecked=tuple(unchecked),
    )


def _rank(finding: Finding) -> int:
    word = finding.word or ""
    return next(n for n, start in enumerate(_ORDER) if word.startswith(start))
