"""A comparison as a sheet: a row a row of the source, a column a measure, ours beside theirs.

Only the published numbers that can be compared are within or outside; for the others the sheet says
why not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..experiments._comparison import Comparison
from ..experiments._line import Line
from ..results import Estimate, Runs
from ..results.entry import shown
from ._along import along
from ._groups import facts, groups
from ._map import maps
from ._sheet import Line as Row
from ._sheet import Sheet, Square, Tone, Whisker, whiskers

_TONES: dict[str, Tone] = {"within": "ok", "outside": "bad", "not comparable": "watch"}
_CAP = "to the cap"


def of_comparison(comparison: Comparison, found: Sequence[Runs] = ()) -> Sheet:
    """A sheet of a comparison; `found` holds the runs of each row, where they are at hand."""
    tabled = [line for line in comparison.lines if line.tabled]
    rows = list(dict.fromkeys(line.row for line in tabled))
    measures = list(dict.fromkeys(line.compared.claim.measure for line in tabled))
    # A table that sums up several rows in one has no runs behind a line.
    each = found if len(tabled) == len(comparison.lines) else ()
    squares = {
        (line.row, line.compared.claim.measure): _square(
            line, whisker, rows.index(line.row) if each else None
        )
        for line, whisker in zip(tabled, _drawn(tabled, measures), strict=True)
    }
    runs = sum(found, Runs())
    verdict, tone = _verdict(comparison)
    varied = [f"Varied: {comparison.varied}."] if comparison.varied else []
    remarks = dict.fromkeys(f"{it.row}: {it.note}" for it in comparison.lines if it.note)
    return Sheet(
        title=comparison.source,
        sentence=comparison.sentence,
        heading=("row", *measures),
        lines=tuple(
            Row((row,), tuple(squares.get((row, it), Square("not claimed")) for it in measures))
            for row in rows
        ),
        meaning="; ".join(_meaning(list(squares.values()))),
        groups=tuple(groups(each, rows)) if each else (),
        pictures=along(comparison.lines),
        maps=maps(comparison.lines),
        facts=facts(runs, whole=False) if runs else {},
        notes=(*varied, *remarks),
        verdict=verdict,
        tone=tone,
    )


def _drawn(lines: Sequence[Line], measures: Sequence[str]) -> list[Whisker | None]:
    """A whisker for each line, on one scale a measure."""
    drawn: dict[int, Whisker | None] = {}
    for measure in measures:
        places = [it for it, line in enumerate(lines) if line.compared.claim.measure == measure]
        of = [lines[it].compared for it in places]
        estimates = [(it.ours.low, it.ours.value, it.ours.high, it.claim.published) for it in of]
        drawn |= dict(zip(places, whiskers(estimates), strict=True))
    return [drawn[it] for it in range(len(lines))]


def _square(line: Line, whisker: Whisker | None, group: int | None) -> Square:
    it = line.compared
    # A source's words are seen beside the number, and need not be told once more as the reason.
    reason = it.reason if it.claim.source and not it.claim.words else ""
    counted = not reason or it.claim.measure == "solved"
    notes = [f"{it.solved} of {it.trials} solved"] if counted and it.trials else []
    notes += [reason] if reason else []
    if it.restricted is not None and 0 < it.solved < it.trials:
        notes.append(f"{_shown(it.restricted.value)} {_CAP}")
    square = Square(
        text=_shown(it.ours.value) or "none",
        interval=_interval(it.ours),
        notes=("; ".join(notes),),
        whisker=whisker,
        group=group,
    )
    published = it.claim.words or _shown(it.claim.published)
    if not published:
        return square
    return replace(
        square,
        published=f"published {published} ({it.claim.source})",
        verdict=it.verdict,
        tone=_TONES[it.verdict],
    )


def _verdict(comparison: Comparison) -> tuple[str, Tone]:
    """Of all numbers that can be compared; none where there is no such number."""
    if not comparison.within:
        return "some outside", "bad"
    if any(line.compared.verdict == "within" for line in comparison.lines):
        return "none outside", "ok"
    return "", ""


def _meaning(squares: Sequence[Square]) -> Iterator[str]:
    """What the words say that stand in the squares."""
    yield "ours with 95 % interval"
    if any(it.verdict in ("within", "outside") for it in squares):
        yield ("within: the published value lies inside it, widened by the tolerance of the claim")
    if any(_CAP in note for it in squares for note in it.notes):
        yield f"{_CAP}: the mean with unsolved trials at their budget"


def _shown(number: float | None) -> str:
    return "" if number is None else shown(number)


def _interval(estimate: Estimate) -> str:
    low, high = _shown(estimate.low), _shown(estimate.high)
    return f"[{low}, {high}]" if low and high else ""
