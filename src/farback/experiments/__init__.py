"""The experiments of the literature, one published table a file, and the verb that runs them.

>>> from farback import experiments
>>> experiments.Hochreiter1997TemporalOrder().trials
20
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._catalogue import class_names, named

if TYPE_CHECKING:
    from ._reproduce import reproduce as reproduce


def __getattr__(name: str) -> Any:
    if name == "reproduce":
        return import_module("._reproduce", __name__).reproduce
    return named("experiments", name)


def __dir__() -> list[str]:
    return [*class_names("experiments"), "reproduce"]
