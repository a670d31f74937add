"""The store: a folder that holds each trial's run once, whole, under the trial's own id.

    <store>/store.json              what it is, and its schema
    <store>/3f/3f2a...91.json       one run; the name is the trial's id
    <store>/drafts/                 files being written; a killed writer leaves one behind
    <store>/index.sqlite            disposable, rebuilt from the runs when it is needed

A run is written to a draft, forced to disk, and linked to its name. Linking fails where the name
exists, so of several writers one wins, and no reader ever meets half a file. Published files are
never changed and never deleted: a damaged one that is in the way of its own trial is renamed. Where
a file system knows no hard links the draft is renamed instead: still whole, but of two writers at
the same instant the later one's run stays.

What is still to do is what is planned minus what is published, so that a killed run, a stopped run
and a run that was never started are all the same to the next one.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import msgspec

from .._arguments import path_of
from ..errors import InputRefused
from ._disk import link, settle, write
from .index import connect
from .run import SCHEMA, OtherSchema, Run, Unreadable, decode, encode
from .runs import Runs
from .trial import Trial

FORMAT = "farback.store"
MARKER = "store.json"
STALE = 3600.0
"""Seconds after which a draft has no writer any more; writing one takes milliseconds."""


class Store:
    """The runs in one folder, which is made when the first run is published.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Store(folder).runs()
    no runs

    Raises:
        WrongUsage: it is no path.
        InputRefused: the folder is something else, or of another schema.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path_of(path, "store")
        self._drafts = self.path / "drafts"
        self._stands()

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    @property
    def exists(self) -> bool:
        """Whether the folder is a store already; a new or empty one is not yet."""
        return self._stands()

    def prepare(self) -> None:
        """Make the folder and show that it can be written to, before the work and not after.

        Drafts that killed writers left are swept.

        Raises:
            InputRefused: the folder cannot be written to.
        """
        with self._writing():
            self._make()
            with self.draft() as draft:
                write(draft, b"")
            self.sweep()

    def publish(self, run: Run) -> bool:
        """Keep a run for good; False where the trial was published already.

        Raises:
            InputRefused: the folder cannot be written to.
        """
        text = encode(run)
        decode(text)  # what could not be read back is not published
        place = self._place(run.trial.id)
        with self._writing():
            self._make()
            if not self._free(place):
                return False
            place.parent.mkdir(exist_ok=True)
            with self.draft() as draft:
                write(draft, text)
                won = link(draft, place)
            settle(place.parent)
            settle(self.path)
        return won

    def get(self, trial: Trial) -> Run | None:
        """The trial's run; None where it is not published, or its file is damaged.

        Raises:
            InputRefused: another version of farback published it.
        """
        place = self._place(trial.id)
        try:
            return self._read(place)
        except FileNotFoundError:
            return None
        except OtherSchema as fact:
            raise InputRefused(f"{place} {fact}.") from None
        except Unreadable:
            return None

    def missing(self, trials: Iterable[Trial]) -> list[Trial]:
        """Those of the trials that are still to do, in their order."""
        return [trial for trial in trials if self.get(trial) is None]

    def runs(self) -> Runs:
        """Every run that can be read, and a sentence for every file that cannot."""
        found, unread = [], []
        for file in self.files():
            try:
                found.append(self._read(file))
            except FileNotFoundError:
                continue  # renamed since the folder was listed
            except Unreadable as fact:
                unread.append(f"{file} {fact}.")
        return Runs(tuple(sorted(found, key=_order)), unread=tuple(unread))

    def index(self) -> sqlite3.Connection:
        """The runs in SQL, to read only: tables `trial` and `point` (docs/schema.md)."""
        return connect(self)

    def sweep(self, older: float = STALE) -> int:
        """Remove drafts that are older than some seconds, and say how many."""
        before, swept = time.time() - older, 0
        for draft in self._drafts.glob("*"):
            with suppress(OSError):
                if draft.stat().st_mtime <= before:
                    draft.unlink()
                    swept += 1
        return swept

    def files(self) -> list[Path]:
        """Every file that claims to be a run."""
        names = "[!.]*.json"
        found = [*self.path.glob(names), *self.path.glob(f"[0-9a-f][0-9a-f]/{names}")]
        return sorted(it for it in found if it.name != MARKER)

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """A name for a file to be written, which is gone afterwards."""
        self._drafts.mkdir(exist_ok=True)
        draft = self._drafts / uuid4().hex
        try:
            yield draft
        finally:
            draft.unlink(missing_ok=True)

    def _place(self, id: str) -> Path:
        return self.path / id[:2] / f"{id}.json"

    def _read(self, file: Path) -> Run:
        """The run in a file, which must lie in its own place."""
        try:
            run = decode(file.read_bytes())
        except FileNotFoundError:
            raise
        except OSError as error:
            raise Unreadable(f"cannot be read ({error.strerror})") from None
        if file != self._place(run.trial.id):
            raise Unreadable(
                f"is foreign: its trial's place is {self._place(run.trial.id)}; move it there, or "
                "out of the store"
            )
        return run

    def _free(self, place: Path) -> bool:
        """Whether a name can be published; a damaged file under it is renamed, and so kept."""
        try:
            self._read(place)
            return False
        except FileNotFoundError:
            return True
        except OtherSchema as fact:
            raise InputRefused(f"{place} {fact}.") from None
        except Unreadable:
            aside = place.with_suffix(f".{uuid4().hex[:8]}.damaged")
        with suppress(FileNotFoundError):  # another writer was here first
            place.rename(aside)
            if self._whole(aside, place):  # ... and has published in between
                link(aside, place)
                aside.unlink()
        return not place.exists()

    def _whole(self, file: Path, place: Path) -> bool:
        try:
            return self._place(decode(file.read_bytes()).trial.id) == place
        except (OSError, Unreadable):
            return False

    def _make(self) -> None:
        """The folder and its marker, where they are not there yet."""
        self.path.mkdir(parents=True, exist_ok=True)
        if not self._stands():
            with self.draft() as draft:
                marker = {"format": FORMAT, "schema": SCHEMA}
                write(draft, msgspec.json.encode(marker) + b"\n")
                link(draft, self.path / MARKER)

    def _stands(self) -> bool:
        """Whether the folder is a store of ours; refuses what is neither that nor empty."""
        others: set[str] = set()
        try:
            # Listed before the marker is looked for, because a store's marker is its first file.
            others = self._names() - {"drafts", MARKER}
            marker = (self.path / MARKER).read_bytes()
        except FileNotFoundError:
            if others:
                raise InputRefused(
                    f"{self.path} is not a farback store: it holds {min(others)} and no {MARKER}; "
                    "name an empty folder, or one that farback made."
                ) from None
            return False
        except OSError as error:
            raise InputRefused(
                f"{self.path} cannot be read as a store ({error.strerror}); name a folder."
            ) from None
        self._check(marker)
        return True

    def _names(self) -> set[str]:
        try:
            return {it.name for it in self.path.iterdir() if not it.name.startswith(".")}
        except FileNotFoundError:
            return set()

    def _check(self, marker: bytes) -> None:
        file = self.path / MARKER
        try:
            said = msgspec.json.decode(marker, type=dict)
        except (msgspec.DecodeError, UnicodeDecodeError):
            said = {}
        if said.get("format") != FORMAT:
            raise InputRefused(
                f"{file} is not the marker of a farback store; name another folder, or put the "
                "marker back as docs/schema.md shows it (no run was touched)."
            )
        if said.get("schema") != SCHEMA:
            raise InputRefused(
                f"The store {self.path} has schema {said.get('schema')}, and this farback reads "
                f"schema {SCHEMA}; use the farback that made it, or name another folder."
            )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputRefused(
                f"The store {self.path} cannot be written to ({error.strerror}); nothing published "
                "is lost: make room or give permission, or name another folder."
            ) from None


def _order(run: Run) -> tuple[object, ...]:
    """By task, cell, learner and seed, with numbers in the order of numbers."""
    trial = run.trial
    words = "\n".join((trial.task, trial.cell, trial.learner))
    parts = re.split(r"(\d+)", words)
    numbered = tuple(int(it) if place % 2 else it for place, it in enumerate(parts))
    return numbered, trial.sequences, trial.seed, trial.id
