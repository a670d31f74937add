"""The index: the runs of a store in SQL, disposable and rebuilt when it does not fit the files.

    trial (id, cell, task, learner, seed, budget, ..., one column a measure)     one row a run
    point (trial, sequences, name, value)                                        one row a number
                                                                                 of a curve
The files are the truth. The index remembers their names, sizes and times, and is built anew, aside
and then renamed, when one of them differs, when it is absent, and when it is damaged; so no reader
waits, and a writer that is killed leaves the old one. Where the folder cannot be written to it is
built in memory. NaN is NULL in SQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .run import FIELDS, Run

if TYPE_CHECKING:
    from .store import Store

NAME = "index.sqlite"
LAYOUT = 1
"""Raised whenever the tables change."""

_TYPES = {str: "TEXT", int: "INTEGER", float: "REAL"}


def connect(store: Store) -> sqlite3.Connection:
    """A connection that can only read, to an index that fits the files as they are now."""
    stamp = _stamp(store.files())
    file = store.path / NAME
    return _fitting(file, stamp) or _built(store, file, stamp)


def _stamp(files: Iterable[Path]) -> str:
    """What changes when a file comes, goes or is written to."""
    said = [f"layout {LAYOUT}"]
    for file in files:
        with suppress(OSError):
            now = file.stat()
            said.append(f"{file.name} {now.st_size} {now.st_mtime_ns}")
    return sha256("\n".join(said).encode()).hexdigest()


def _fitting(file: Path, stamp: str) -> sqlite3.Connection | None:
    """The index in a file, if it is whole and was built from these runs."""
    if not file.is_file():
        return None
    # A built index is never written to again, so it needs no locks, which some folders lack.
    found = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        stamps = found.execute("SELECT stamp FROM built").fetchall()
        if stamps == [(stamp,)] and found.execute("PRAGMA quick_check").fetchall() == [("ok",)]:
            return found
    except sqlite3.DatabaseError:
        pass
    found.close()
    return None


def _built(store: Store, file: Path, stamp: str) -> sqlite3.Connection:
    index = sqlite3.connect(":memory:")
    _fill(index, store.runs(), stamp)
    with suppress(OSError, sqlite3.Error), store.draft() as draft:
        index.execute("VACUUM INTO ?", (str(draft),))
        draft.replace(file)
    index.execute("PRAGMA query_only = ON")
    return index


def _fill(index: sqlite3.Connection, runs: Iterable[Run], stamp: str) -> None:
    records = [run.record() for run in runs]
    measures = sorted({name for it in records for name in it} - FIELDS.keys())
    types = {name: _TYPES[kind] for name, kind in FIELDS.items()} | dict.fromkeys(measures, "REAL")
    columns = ", ".join(f"{_quoted(name)} {kind}" for name, kind in types.items())
    places = ", ".join("?" * len(types))
    with index:
        index.execute(f"CREATE TABLE trial ({columns}, PRIMARY KEY (id))")
        index.execute("CREATE TABLE point (trial TEXT, sequences REAL, name TEXT, value REAL)")
        index.execute("CREATE TABLE built (stamp TEXT)")
        rows = (tuple(map(it.get, types)) for it in records)
        index.executemany(f"INSERT INTO trial VALUES ({places})", rows)
        index.executemany("INSERT INTO point VALUES (?, ?, ?, ?)", _points(runs))
        index.execute("CREATE INDEX point_trial ON point (trial, name)")
        index.execute("INSERT INTO built VALUES (?)", (stamp,))


def _points(runs: Iterable[Run]) -> Iterator[tuple[Any, ...]]:
    for run in runs:
        when, id = run.curve.get("sequences", []), run.trial.id
        for name, values in run.curve.items():
            if name != "sequences":
                yield from ((id, at, name, it) for at, it in zip(when, values, strict=True))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
