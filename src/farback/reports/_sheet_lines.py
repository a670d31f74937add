"""A sheet in a terminal: the sentence, the matrix, how the trials learned, and what they share."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.console import Group as Lines
from rich.table import Table
from rich.text import Text

from ._pieces import STYLES, grid, headed, listed, text
from ._sheet import Group, Sheet, Square

MOST_GROUPS = 12
"""With more, the learning curves are left to the page."""

MOST_TRIALS = 12
MOST_MEASURES = 4
WIDEST_CURVE = 48


def display(sheet: Sheet, console: Console | None = None, *, learning: bool = True) -> None:
    """Print a sheet.

    Args:
        sheet: the sheet.
        console: where to; standard output without it.
        learning: whether to show how the trials learned, and the trials themselves, where few.
    """
    console = console or Console()
    plain = console.options.ascii_only
    lines = [*_results(sheet, numbered=learning and len(sheet.groups) > 1)]
    if learning and len(sheet.groups) <= MOST_GROUPS:
        lines += _learning(sheet, console.width, plain=plain)
    lines += _remarks(sheet)
    console.print(Lines(*lines), highlight=False)


def _results(sheet: Sheet, *, numbered: bool) -> Iterator[RenderableType]:
    yield text(sheet.sentence, STYLES.get(sheet.tone, "bold"))
    yield text(sheet.title, "dim")
    if sheet.lines:
        yield ""
        yield _matrix(sheet, numbered=numbered)
        yield text(sheet.meaning, "dim")


def _learning(sheet: Sheet, width: int, *, plain: bool) -> Iterator[RenderableType]:
    if sheet.groups:
        yield from headed("While learning", _curves(sheet.groups, width, plain=plain))
    if 0 < sum(len(group.runs) for group in sheet.groups) <= MOST_TRIALS:
        yield from headed("Trials", _trials(sheet.groups))


def _remarks(sheet: Sheet) -> Iterator[RenderableType]:
    if sheet.facts:
        facts = grid()
        for name, fact in sheet.facts.items():
            facts.add_row(text(name, "dim"), text(fact))
        yield from headed("What all trials share", facts)
    if sheet.notes:
        yield from headed("Notes", listed(sheet.notes))


def _matrix(sheet: Sheet, *, numbered: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 1, 0), header_style="dim")
    for name in sheet.heading:
        table.add_column(text(name))
    for line in sheet.lines:
        table.add_row(*map(text, line.labels), *(_square(it, numbered) for it in line.squares))
    return table


def _square(square: Square, numbered: bool) -> Text:
    words = text(square.text, "bold" if square.notes else "dim")
    words += text(f" {square.interval}" if square.interval else "", "not bold")
    if numbered and square.group is not None:
        words += text(f" #{square.group + 1}", "not bold dim")
    if square.published:
        words += text(f"\n{square.published}: ", "not bold")
        words += text(square.verdict, STYLES.get(square.tone, "bold"))
    for note in square.notes:
        words += text(f"\n{note}", "not bold dim")
    return words


def _curves(groups: tuple[Group, ...], width: int, *, plain: bool) -> Table:
    """The median of each group's curves, in one line each."""
    import numpy as np

    from ._learning import learning
    from ._sparkline import BLOCKS, PLAIN, sparkline

    table = grid()
    room = max(8, min(WIDEST_CURVE, width - max(len(it.name) for it in groups) - 36))
    for group in groups:
        for picture in learning(group.runs):
            curve = picture.curves[0]
            finite = curve.y[np.isfinite(curve.y)]
            ends = f"{finite[0]:.3g} to {finite[-1]:.3g}" if finite.size else "no number"
            least = 0.0 if picture.unit == "" else 1.0
            marks = sparkline(curve.y, room, least_span=least, ramp=PLAIN if plain else BLOCKS)
            told = f"{picture.y_label}, {ends}"
            table.add_row(text(group.name), text(marks), text(told, "dim"))
    return table


def _trials(groups: tuple[Group, ...]) -> Table:
    """A line a trial, with the measures in which trials differ."""
    runs = [run for group in groups for run in group.runs]
    names = dict.fromkeys(name for run in runs for name in run.measures)
    differing = [
        it for it in names if len({run.measures.get(it) for run in runs}) > 1 or len(runs) == 1
    ]
    shown = differing[:MOST_MEASURES]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("", "seed", "outcome", *shown):
        table.add_column(text(name.replace("_", " ")))
    for group in groups:
        for run in group.runs:
            measures = (f"{run.measures[it]:.4g}" if it in run.measures else "-" for it in shown)
            words = (group.name, str(run.trial.seed), run.sentence, *measures)
            table.add_row(*map(text, words))
    return table
