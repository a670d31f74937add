"""Profiles in a terminal: the verdict, the leading curve in one line, the numbers, what to try.

Every judgement is a word; colour only repeats it. Without a terminal, or with NO_COLOR, the same
lines come out as plain text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console, Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ..flow import Finding, Number, Profile, Remedy
from ._gather import names
from ._picture import Picture, as_text, leading
from ._pieces import STYLES, grid, headed, listed, text
from ._sparkline import BLOCKS, PLAIN, sparkline

WIDEST = 100
MOST_SIDE_BY_SIDE = 3


def display(profiles: Sequence[Profile], console: Console | None = None) -> None:
    """Print the profiles one after another and, where there are several, a table of them all."""
    console = console or Console()
    width = min(console.width, WIDEST)
    span = max((_span(leading(profile)) for profile in profiles), default=0.0)
    for place, profile in enumerate(profiles):
        if place:
            console.print(Rule(characters="-", style="dim"), width=width)
        lines = _profile(profile, width, span=span, plain=console.options.ascii_only)
        console.print(Group(*lines), width=width, highlight=False)
    if len(profiles) > 1:
        console.print(Rule(characters="-", style="dim"), width=width)
        console.print(_comparison(profiles), width=width, highlight=False)


def _profile(profile: Profile, width: int, *, span: float, plain: bool) -> Iterator[RenderableType]:
    verdict = profile.verdict
    yield text(f"[{verdict.severity}] ", STYLES.get(verdict.severity, "bold")) + text(
        verdict.sentence, "bold"
    )
    yield text(profile.subject)
    yield text(profile.reading, "dim")
    drawn = leading(profile)
    if drawn is not None and drawn.curves:
        yield ""
        yield from _curve(drawn, width, span=span, plain=plain)
    numbers = (
        profile.measurements[profile.lead].numbers if profile.lead in profile.measurements else ()
    )
    if numbers:
        yield ""
        yield _numbers(numbers)
    if verdict.remedies:
        yield from headed("What to try", _remedies(verdict.remedies))
    others = [finding for finding in profile.findings if finding.analysis != profile.lead]
    if others:
        yield from headed("Also found", _findings(others))
    if profile.notes:
        yield from headed("Notes", listed(profile.notes))
    yield from headed(
        "Not checked", listed(verdict.unchecked or ("nothing was reported as left out",))
    )


def _span(drawn: Picture | None) -> float:
    """What a sparkline's full height means: with several profiles, the steeper looks steeper."""
    if drawn is None or not drawn.curves:
        return 0.0
    finite = drawn.curves[0].y[np.isfinite(drawn.curves[0].y)]
    least = 1.0 if drawn.unit == "ln" else 0.0
    return max(float(np.ptp(finite)), least) if finite.size else least


def _curve(drawn: Picture, width: int, *, span: float, plain: bool) -> Iterator[RenderableType]:
    """The first curve in one line, with its largest and smallest value and its ends."""
    curve = drawn.curves[0]
    of_many = f", {curve.label}" if len(drawn.curves) > 1 else ""
    axis = drawn.x_label.partition(" (")[0]
    yield text(f"{drawn.y_label}{of_many}, by {axis}", "dim")
    finite = curve.y[np.isfinite(curve.y)]
    if not finite.size:
        yield text("  no finite value at any lag")
        return
    ramp = PLAIN if plain else BLOCKS
    first, last = (as_text(curve.x[end].item()) for end in (0, -1))
    ends = f"{first} .. {last}"
    marks = sparkline(curve.y, width - len(ends) - 4, least_span=span, ramp=ramp)
    yield text(f"  {marks}  ") + text(ends, "dim")
    told = f"  max {finite.max():.3g}, min {finite.min():.3g}"
    yield text(told + ("; 0 marks a true zero" if np.isneginf(curve.y).any() else ""), "dim")


def _numbers(numbers: Sequence[Number]) -> Table:
    table = grid()
    for number in numbers:
        table.add_row(
            text(number.label, "dim"), text(number.text, "bold"), text(number.note, "dim")
        )
    return table


def _remedies(remedies: Sequence[Remedy]) -> Table:
    table = grid()
    for place, remedy in enumerate(remedies, 1):
        what = remedy.what if remedy.what.endswith((".", "!", ":", ";")) else f"{remedy.what}:"
        table.add_row(f"{place}.", text(what, "bold") + text(f" {remedy.why}", "not bold"))
    return table


def _findings(findings: Sequence[Finding]) -> Table:
    table = grid()
    for finding in findings:
        table.add_row(_severity(finding.severity), text(finding.analysis), text(finding.claim))
    return table


def _comparison(profiles: Sequence[Profile]) -> Table:
    """Verdicts and first numbers: up to three profiles side by side, more of them row by row."""
    found = [
        {n.label: text(n.text) for n in p.measurements[p.lead].numbers[:3]}
        if p.lead in p.measurements
        else {}
        for p in profiles
    ]
    labels = dict.fromkeys(label for numbers in found for label in numbers)
    columns = [
        [Text("profile", "dim"), *(text(name, "bold") for name in names(profiles))],
        [Text("severity", "dim"), *(_severity(p.verdict.severity) for p in profiles)],
        [Text("verdict", "dim"), *(text(p.verdict.word) for p in profiles)],
        *(
            [text(label, "dim"), *(numbers.get(label, Text("not measured")) for numbers in found)]
            for label in labels
        ),
    ]
    table = grid()
    for row in columns if len(profiles) <= MOST_SIDE_BY_SIDE else zip(*columns, strict=True):
        table.add_row(*row)
    return table


def _severity(word: str) -> Text:
    return text(word, STYLES.get(word, "bold"))
