"""What every member of the laboratory is: a frozen value, known by its fields."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import Any

from ._arguments import fits, hints, plain
from .errors import WrongUsage


@dataclass(frozen=True)
class Part:
    """A part of a trial: a cell, a task, a learner, or a part of one.

    A class with refusals of its own has them in a `__post_init__` that calls this one first.
    """

    def __post_init__(self) -> None:
        """Refuse what is of another kind, and hold numbers as Python's own: equal parts read alike.

        Raises:
            WrongUsage: as `check_kinds`.
        """
        check_kinds(self)
        asked = hints(type(self))
        for field in (it.name for it in fields(self) if it.name in asked):
            object.__setattr__(self, field, plain(getattr(self, field), asked[field]))


def check_kinds(part: Any) -> None:
    """Refuse a dataclass with a field that is not of the kind it asks for.

    Raises:
        WrongUsage: the first of them, by its name.
    """
    asked = hints(type(part))
    for field in fields(part):
        value = getattr(part, field.name)
        if field.name in asked and not fits(value, asked[field.name]):
            kind = getattr(field.type, "__name__", field.type)
            told = field.default is not MISSING
            advice = f"try {field.name}={field.default!r}" if told else "give one of that kind"
            raise WrongUsage(
                f"{field.name} came as {value!r} for {type(part).__name__}, expected {kind}; "
                f"{advice}."
            )
