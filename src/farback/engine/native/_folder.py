"""A folder of compiled libraries, each with its source.

    <folder>/<key>.c                what was compiled, to be read
    <folder>/<key>.<digest>.so      its library, and what the library's bytes hash to
    <folder>/.farback-xxxx/         a build at work; a killed one leaves it, a later one sweeps it

A library is code, so only one that nobody else can have written is loaded: it and the folder it
lies in are ours, and ours alone to write. A library that a crash or a disk has damaged can end the
process that loads it, so its bytes are compared with its name before.

A library gets its name when it is whole, so builders and readers need no lock.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LIMIT = 200_000_000
"""Bytes; beyond them what was used least recently goes."""
STALE = 3600.0
"""Seconds after which a build has no builder any more; it is killed after minutes."""
DRAFT = ".farback-"
ENTRY = re.compile(r"([0-9a-f]{32})(?:\.c|\.[0-9a-f]{64}\.so)")
"""Whatever else lies in the folder is not ours to touch."""


class Unfit(Exception):
    """Why a folder is not to be used, in a few words."""


class Unloadable(Unfit):
    """Why a library that is whole cannot be loaded from a folder."""


def make(path: Path) -> None:
    """The folder, and those above it where they are not there yet."""
    for it in reversed([it for it in (path, *path.parents) if not it.is_dir()]):
        it.mkdir(mode=0o700, exist_ok=True)


def load(path: Path, key: str) -> ctypes.CDLL | None:
    """The library of a key; None where there is none that is whole.

    Raises:
        Unfit: others can write to the folder, or the system does not load from it.
        OSError: the folder cannot be read.
    """
    with _opened(path) as handle:
        with os.scandir(handle) as files:
            names = [it.name for it in files if ENTRY.fullmatch(it.name)]
        held = Path(f"/proc/self/fd/{handle}")  # stays this folder, whatever the path becomes
        place, failed = held if held.exists() else path, ""
        for name in names:
            if name.startswith(key) and name.endswith(".so") and _whole(handle, name):
                try:
                    return ctypes.CDLL(str(place / name))
                except OSError as error:  # compiled where there is another C library, for one
                    failed = str(error).rpartition(f"{name}: ")[2]
    if failed:
        raise Unloadable(f"what is compiled into {path} cannot be loaded: {failed}")
    return None


def keep(path: Path, key: str, source: str, compile: Callable[[Path], None]) -> None:
    """Have a library written, and give it and its source their names.

    Raises:
        OSError: the folder cannot be written to.
    """
    _sweep(path)
    with tempfile.TemporaryDirectory(prefix=DRAFT, dir=path, ignore_cleanup_errors=True) as draft:
        library, text = Path(draft, "library"), Path(draft, "source")
        compile(library)
        text.write_bytes(source.encode())
        _settle(text)
        digest = _settle(library)
        text.replace(path / f"{key}.c")
        library.replace(path / f"{key}.{digest}.so")
    _trim(path, key)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """The folder, held open so that what was looked at is what is read.

    Raises:
        Unfit: others can write to it.
    """
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if why := _strange(os.fstat(handle)):
            raise Unfit(f"{path} {why}")
        yield handle
    finally:
        os.close(handle)


def _strange(status: os.stat_result) -> str:
    """Why somebody else may have written this; nothing where nobody can."""
    if status.st_uid != os.geteuid():
        return "belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "can be written to by others"
    return ""


def _whole(folder: int, name: str) -> bool:
    """Whether a library is ours and as it was written; a damaged one is removed."""
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
    except OSError:  # no file of ours, or just dropped
        return False
    with os.fdopen(handle, "rb") as library:
        if _strange(os.fstat(handle)):
            return False
        if hashlib.file_digest(library, "sha256").hexdigest() == name.split(".")[1]:
            with suppress(OSError):
                os.utime(handle)  # used now, so dropped late
            return True
    with suppress(OSError):
        os.unlink(name, dir_fd=folder)
    return False


def _settle(file: Path) -> str:
    """Force a file to disk for us alone to write, and say what its bytes hash to."""
    with file.open("rb") as held:
        os.fchmod(held.fileno(), 0o600)  # whatever the umask is
        os.fsync(held.fileno())
        return hashlib.file_digest(held, "sha256").hexdigest()


def _sweep(path: Path) -> None:
    """Remove what killed builds left."""
    before = time.time() - STALE
    for draft in path.glob(f"{DRAFT}*"):
        with suppress(OSError):
            if draft.lstat().st_mtime <= before:
                shutil.rmtree(draft)


def _trim(path: Path, newest: str) -> None:
    """Drop what was used least recently, until what is left is not too much."""
    entries = defaultdict[str, list[tuple[float, int, Path]]](list)
    for file in path.iterdir():
        if match := ENTRY.fullmatch(file.name):
            with suppress(OSError):  # another process dropped it
                status = file.lstat()
                entries[match[1]].append((status.st_mtime, status.st_size, file))
    size = sum(size for files in entries.values() for _, size, _ in files)
    for key, files in sorted(entries.items(), key=lambda entry: max(entry[1])):
        if size <= LIMIT:
            return
        if key != newest:
            for _, less, file in files:
                with suppress(OSError):
                    file.unlink(missing_ok=True)
                    size -= less
