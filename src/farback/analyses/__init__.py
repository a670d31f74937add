"""The analyses of error flow, one a file: what it measures, and what it concludes.

A class is found by its file and loaded on first use, so that the room can be listed and explained
without importing anything.

    >>> from farback import analyses
    >>> analyses.AdjointDecay()
    AdjointDecay()
"""

from __future__ import annotations

from typing import Any

from .._catalogue import class_names, named


def __getattr__(name: str) -> Any:
    return named("analyses", name)


def __dir__() -> list[str]:
    return class_names("analyses")
