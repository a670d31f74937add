"""A file on disk, whole or not at all: written, given its name once, and forced to stay."""

from __future__ import annotations

import os
from pathlib import Path


def write(draft: Path, text: bytes) -> None:
    """Write a file that is not there yet, and force it to disk."""
    with draft.open("xb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def link(draft: Path, place: Path) -> bool:
    """Give the draft its name; False where the name is taken."""
    try:
        os.link(draft, place)
    except FileExistsError:
        return False
    except OSError:  # no hard links here
        if place.exists():
            return False
        draft.rename(place)
    return True


def settle(folder: Path) -> None:
    """Force a folder's names to disk, where the system has a way to."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
