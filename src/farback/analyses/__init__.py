"""The analyses of error flow, one a file: what it measures, and what it concludes.

A class is loaded on first use, so that the room can be listed and explained without numpy.
"""

from __future__ import annotations

from typing import Any

from .._catalogue import member, names

__all__ = [
    "AdjointDecay",
    "GateMemory",
    "InputSensitivity",
    "Truncation",
    "Underflow",
    "WeightGradientByLag",
]


def __getattr__(name: str) -> Any:
    for found in names("analyses"):
        if found.replace("_", "") == name.lower():
            return member("analyses", found)
    raise AttributeError(f"there is no analysis '{name}'; there are {', '.join(__all__)}")
