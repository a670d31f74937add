"""The tasks of the literature, one a file: what is asked, after how long, when it is solved.

>>> from farback import tasks
>>> tasks.EmbeddedReber().lag.minimal
5
"""

from __future__ import annotations

from typing import Any

from .._catalogue import class_names, named

_FOR_YOUR_OWN = {
    "Baseline": "_task",
    "Criterion": "_criterion",
    "Lag": "_task",
    "at_end": "_task",
    "one_hot": "_task",
    "sequences": "_task",
    "up_to": "_task",
    "within": "_task",
}
"""What a task of one's own is written with, beside `Task` itself, and where it lives."""


def __getattr__(name: str) -> Any:
    return named("tasks", name, _FOR_YOUR_OWN)


def __dir__() -> list[str]:
    return class_names("tasks")
