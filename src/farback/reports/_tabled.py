"""Runs and tables as a sheet: rows of what differs, a column a task, and what all have in common.

Without being told, rows are told apart by those fields in which trials of one square would
otherwise differ, so that nothing is pooled unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..results import Entry, Run, Runs, Table
from ._groups import facts, groups, label
from ._sheet import MISSING, Line, Sheet, Square, Whisker, whiskers

VALUES = ("solved", "sequences", "restricted")

_APART = ("cell", "task", "learner", "budget", "check", "dtype", "group", "engine", "device")
_WORDS = {"sequences": "sequences to solve", "restricted": "to the cap"}

Place = tuple[tuple[Any, ...], tuple[Any, ...]]


def of_runs(
    runs: Runs,
    *,
    rows: Sequence[str] = (),
    columns: Sequence[str] = ("task",),
    values: Sequence[str] = VALUES,
    title: str = "Runs",
) -> Sheet:
    """A sheet of runs.

    Args:
        runs: the runs.
        rows: the fields that tell rows apart; without any, those in which trials differ.
        columns: the fields that tell columns apart.
        values: what the squares tell; the first in large.
        title: what the runs are of.
    """
    several = tables(runs, rows=rows, columns=columns, values=values)
    told = [several[0], *filter(_told, several[1:])]
    behind = _behind(several[0], runs)
    return Sheet(
        title=title,
        sentence=f"{runs.sentence}.",
        heading=_heading(several[0]),
        lines=_lines(several, {place: number for number, place in enumerate(behind)}),
        meaning="; ".join(it.meaning for it in told),
        groups=tuple(groups(behind.values())),
        facts=facts(runs, whole=False),
        notes=several[0].notes,
    )


def tables(
    runs: Runs, *, rows: Sequence[str], columns: Sequence[str], values: Sequence[str]
) -> list[Table]:
    """A table for each value, the arguments as those of `of_runs`."""
    down = rows or _differing(runs, columns)
    return [runs.table(rows=down, columns=columns, value=value) for value in values]


def of_table(table: Table) -> Sheet:
    """A sheet of a table alone, whose trials are not at hand."""
    trials = sum(entry.n for entry in table.entries.values())
    return Sheet(
        title="Table",
        sentence=f"{table.value} of {trials} trials.",
        heading=_heading(table),
        lines=_lines([table], {}),
        meaning=table.meaning,
        notes=table.notes,
    )


def _differing(runs: Runs, columns: Sequence[str]) -> list[str]:
    """The fields that keep every square to one kind of trial, besides those of the columns."""
    records = [run.record() for run in runs]
    chosen: list[str] = []
    for field in _APART:
        kinds: dict[tuple[Any, ...], set[Any]] = {}
        for record in records:
            kinds.setdefault(tuple(map(record.get, (*columns, *chosen))), set()).add(record[field])
        if field not in columns and any(len(it) > 1 for it in kinds.values()):
            chosen.append(field)
    return chosen or [next(it for it in _APART if it not in columns)]


def _behind(table: Table, runs: Runs) -> dict[Place, list[Run]]:
    """The runs of each square."""
    behind: dict[Place, list[Run]] = {}
    for run in runs:
        record = run.record()
        row, column = (tuple(map(record.get, it)) for it in (table.rows, table.columns))
        behind.setdefault((row, column), []).append(run)
    return behind


def _heading(table: Table) -> tuple[str, ...]:
    across = (_joined(table.columns, it) or table.value for it in table.column_labels)
    return (*table.rows, *across)


def _lines(tables: Sequence[Table], places: dict[Place, int]) -> tuple[Line, ...]:
    first = tables[0]
    estimates = [(it.low, it.value, it.high, None) for it in first.entries.values()]
    drawn = dict(zip(first.entries, whiskers(estimates), strict=True))

    def square(place: Place) -> Square:
        if place not in first.entries:
            return MISSING
        return _square(tables, place, drawn[place], places.get(place))

    return tuple(
        Line(
            tuple(map(label, first.rows, row)),
            tuple(square((row, column)) for column in first.column_labels),
        )
        for row in first.row_labels
    )


def _square(
    tables: Sequence[Table], place: Place, drawn: Whisker | None, group: int | None
) -> Square:
    entry = tables[0].entries[place]
    more = (_remark(table, table.entries[place]) for table in tables[1:])
    return Square(
        text=entry.number,
        interval=entry.interval,
        notes=(entry.counts, *filter(None, more)),
        whisker=drawn,
        group=group,
    )


def _remark(table: Table, entry: Entry) -> str:
    """A further number in words; one to the cap says no more where all are solved, or none."""
    if entry.value is None or (table.value == "restricted" and entry.solved in (0, entry.n)):
        return ""
    said = (entry.number, entry.interval, _WORDS.get(table.value, table.value))
    return " ".join(filter(None, said))


def _told(table: Table) -> bool:
    """Whether a further number is seen in any square."""
    return any(_remark(table, entry) for entry in table.entries.values())


def _joined(fields: Sequence[str], labels: Sequence[Any]) -> str:
    return ", ".join(map(label, fields, labels))
