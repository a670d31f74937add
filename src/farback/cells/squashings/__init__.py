"""Squashing functions, one a file: what bends a net input into an activation.

>>> from farback.cells import squashings
>>> squashings.Logistic(low=-2, high=2)
Logistic(low=-2.0, high=2.0)
"""

from __future__ import annotations

from typing import Any

from ..._catalogue import class_names, named


def __getattr__(name: str) -> Any:
    return named("squashings", name)


def __dir__() -> list[str]:
    return class_names("squashings")
