"""The analyses of error flow, one a file: what it measures, and what it concludes.

A class is found by its file and loaded on first use, so that the room can be listed and explained
without importing anything.

    >>> from farback import analyses
    >>> analyses.AdjointDecay()
    AdjointDecay()
"""

from __future__ import annotations

from typing import Any

from .._catalogue import member, names


def __getattr__(name: str) -> Any:
    for file in names("analyses"):
        if file.replace("_", "") == name.lower():
            return member("analyses", file)
    raise AttributeError(f"there is no analysis '{name}'; there are {', '.join(__dir__())}")


def __dir__() -> list[str]:
    return [file.title().replace("_", "") for file in names("analyses")]
