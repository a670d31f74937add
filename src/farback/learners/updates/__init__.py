"""The updates, one a file: from a gradient to a step in the parameters.

>>> from farback.learners import updates
>>> updates.SGD(lr=0.5)
SGD(lr=0.5)
"""

from __future__ import annotations

from typing import Any

from ..._catalogue import class_names, named

_FOR_YOUR_OWN = {"Step": "_update"}
"""What one's own is written with, beside the interface, and where it lives."""


def __getattr__(name: str) -> Any:
    return named("updates", name, _FOR_YOUR_OWN)


def __dir__() -> list[str]:
    return class_names("updates")
