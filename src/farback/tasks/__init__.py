"""The tasks of the literature, one a file: what is asked, after how long, when it is solved.

>>> from farback import tasks
>>> tasks.EmbeddedReber().lag.minimal
5
"""

from __future__ import annotations

from typing import Any

from .._catalogue import class_names, named


def __getattr__(name: str) -> Any:
    return named("tasks", name)


def __dir__() -> list[str]:
    return class_names("tasks")
