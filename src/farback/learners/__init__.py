"""The learners, one a file: what turns sequences into better parameters.

>>> from farback import learners
>>> learners.gradients.BPTT().exact
True
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from .._catalogue import class_names, named

_FOR_YOUR_OWN = {"Learned": "_learner", "Passes": "_learner", "Search": "_search"}
"""What one's own is written with, beside the interface, and where it lives."""


def __getattr__(name: str) -> Any:
    if name in ("gradients", "updates"):
        return import_module(f".{name}", __name__)
    return named("learners", name, _FOR_YOUR_OWN)


def __dir__() -> list[str]:
    return [*class_names("learners"), "gradients", "updates"]
