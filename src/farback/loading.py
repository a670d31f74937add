"""What farback has saved, opened again: a profile from a file, runs from the folder of a store."""

from __future__ import annotations

import os

from . import flow
from ._arguments import path_of
from .errors import InputRefused
from .results import Runs, Store


def load(path: str | os.PathLike[str]) -> flow.Profile | Runs:
    """A file as a `Profile`, a folder as `Runs`.

    Raises:
        WrongUsage: it is no path.
        InputRefused: there is nothing, or it is neither, or a newer farback wrote it.
    """
    place = path_of(path, "path")
    if place.is_file():
        return flow.load(place)
    store = Store(place)
    if not store.exists:
        reason = "empty folder" if place.is_dir() else "no such file or folder"
        raise InputRefused(
            f"{path} cannot be read ({reason}); name a profile saved by farback, or the folder of "
            "a store."
        )
    return store.runs()
