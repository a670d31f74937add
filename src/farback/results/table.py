"""A table of trials: one entry a group, with its interval and with what came of each trial.

Rows of trials that differ in the source of a class or in the protocol are kept apart, whether that
was asked for or not: numbers of edited code are never pooled with those of the old.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from html import escape
from numbers import Integral
from typing import TYPE_CHECKING, Any

from ..errors import WrongUsage, unknown
from ._pandas import frame
from .entry import MEANINGS, NO_TRIALS, Entry, entry
from .run import FIELDS, Run

if TYPE_CHECKING:
    from pandas import DataFrame

Fields = str | Sequence[str]
Label = tuple[Any, ...]

_APART = ("sources", "protocol")
_POOLED = ("cell", "task", "learner", "budget", "check", "group", "dtype", "engine", "device")


@dataclass(frozen=True, repr=False)
class Table:
    """Entries by row and column; `table["LSTM1997(blocks=2)", "Adding(length=100)"]` is one.

    Args:
        rows: the fields that tell rows apart.
        columns: the fields that tell columns apart.
        value: what the entries tell of.
        entries: by the labels of row and column, one value a field.
        notes: what the reader of the numbers should know.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    value: str
    entries: dict[tuple[Label, Label], Entry]
    notes: tuple[str, ...] = ()

    @property
    def row_labels(self) -> list[Label]:
        """In the order of the runs."""
        return list(dict.fromkeys(row for row, _ in self.entries))

    @property
    def column_labels(self) -> list[Label]:
        """In the order of the runs."""
        return list(dict.fromkeys(column for _, column in self.entries))

    def __getitem__(self, place: tuple[Any, Any]) -> Entry:
        """One entry; a label of one field needs no tuple, and a part may be given as object."""
        row, column = (_label(it) for it in place)
        for what, label, known in (
            ("row", row, self.row_labels),
            ("column", column, self.column_labels),
        ):
            if label not in known:
                raise unknown(what, _words(label), map(_words, known), where=" in the table")
        return self.entries.get((row, column), NO_TRIALS)

    @property
    def meaning(self) -> str:
        """What the numbers are."""
        return MEANINGS.get(self.value, f"mean {self.value}, with bootstrap 95 % interval")

    def lines(self) -> list[list[str]]:
        """The table as words: a heading, then a line a row; its fields come first."""
        columns = self.column_labels
        heading = [*self.rows, *(_words(it) or self.value for it in columns)]
        return [heading] + [
            [*map(str, row), *(self[row, column].text for column in columns)]
            for row in self.row_labels
        ]

    def records(self) -> list[dict[str, Any]]:
        """One record an entry: the fields of its row and column, then those of `Entry`."""
        return [
            dict(zip((*self.rows, *self.columns), (*row, *column), strict=True)) | asdict(entry)
            for (row, column), entry in self.entries.items()
        ]

    def to_pandas(self) -> DataFrame:
        """One row an entry; needs the extra `tables`."""
        return frame(self.records())

    def __str__(self) -> str:
        if not self.entries:
            return "\n".join(["no trials", *self.notes])
        lines = self.lines()
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        rows = [
            "  ".join(it.ljust(width) for it, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        ]
        return "\n".join([*rows, self.meaning, *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heading, *lines = self.lines()
        head = "".join(f"<th>{escape(it)}</th>" for it in heading)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(it)}</td>" for it in line) + "</tr>" for line in lines
        )
        below = "".join(f"<p>{escape(it)}</p>" for it in (self.meaning, *self.notes))
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def table(
    runs: Iterable[Run], *, rows: Fields = "cell", columns: Fields = "task", value: str = "solved"
) -> Table:
    """Runs grouped by the fields of `rows` and of `columns`.

    Args:
        runs: a `Runs`, or any runs.
        rows: names of fields of a run's record, or of one.
        columns: the same; () for a single column.
        value: "solved", "sequences", "restricted", or the name of a measure or number.

    Raises:
        WrongUsage: there is no such field, or no such value.
    """
    kept = list(runs)
    records = [run.record() for run in kept]
    down, across = _fields(rows), _fields(columns)
    _check_value(value, records)
    groups = _groups(records, down, across)
    apart = [it for it in _differing(_APART, records, groups) if it not in (*down, *across)]
    if apart:
        down = (*down, *apart)
        groups = _groups(records, down, across)
    entries = {
        place: entry([kept[it] for it in group], [records[it] for it in group], value)
        for place, group in groups.items()
    }
    pooled = list(_differing(_POOLED, records, groups))
    notes = [f"pooled over different {', '.join(pooled)}"] if pooled else []
    return Table(down, across, value, entries, tuple(notes + told(getattr(runs, "unread", ()))))


def told(unread: Sequence[str]) -> list[str]:
    """The lines that say which files could not be read; after three they are only counted."""
    if not unread:
        return []
    count = "1 file" if len(unread) == 1 else f"{len(unread)} files"
    more = [f"and {len(unread) - 3} more"] if len(unread) > 3 else []
    return [f"{count} could not be read: {unread[0]}", *unread[1:3], *more]


def recorded(value: object) -> object:
    """The value as it stands in a record: of a part its repr."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    return int(value) if isinstance(value, Integral) else repr(value)


def _groups(
    records: list[dict[str, Any]], rows: tuple[str, ...], columns: tuple[str, ...]
) -> dict[tuple[Label, Label], list[int]]:
    groups: dict[tuple[Label, Label], list[int]] = {}
    for number, record in enumerate(records):
        row, column = (tuple(record.get(it) for it in names) for names in (rows, columns))
        groups.setdefault((row, column), []).append(number)
    return groups


def _differing(
    fields: Iterable[str],
    records: list[dict[str, Any]],
    groups: dict[tuple[Label, Label], list[int]],
) -> Iterator[str]:
    """The fields in which runs of one group differ."""
    for field in fields:
        if any(len({records[it][field] for it in group}) > 1 for group in groups.values()):
            yield field


def _check_value(value: str, records: list[dict[str, Any]]) -> None:
    known = {name for name, kind in FIELDS.items() if kind is not str}
    known |= {name for record in records for name in record} - FIELDS.keys() | set(MEANINGS)
    if not isinstance(value, str) or (records and value not in known):
        raise unknown("value", str(value), known)


def _fields(names: Fields) -> tuple[str, ...]:
    if not isinstance(names, Iterable):
        raise WrongUsage(f"A field came as {names!r}, expected its name; try 'cell'.")
    chosen = (names,) if isinstance(names, str) else tuple(names)
    for name in chosen:
        if name not in FIELDS:
            raise unknown("field", str(name), FIELDS, where=" to group by")
    if len(set(chosen)) < len(chosen):
        raise WrongUsage(f"A field came twice in {', '.join(chosen)}; name each once.")
    return chosen


def _label(given: Any) -> Label:
    return tuple(map(recorded, given)) if isinstance(given, tuple) else (recorded(given),)


def _words(label: Label) -> str:
    return ", ".join(map(str, label))
