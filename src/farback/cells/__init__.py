"""The cells of the literature, one a file: an architecture as a plain step function.

>>> from farback import cells
>>> cells.LSTM1997(blocks=3, size=2).truncated
True
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .._catalogue import class_names, named


def __getattr__(name: str) -> Any:
    if name == "squashings":
        return import_module(".squashings", __name__)
    return named("cells", name)


def __dir__() -> list[str]:
    return [*class_names("cells"), "squashings"]
