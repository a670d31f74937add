"""What every member of a room is: a frozen value, known by its fields."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from inspect import Parameter, isfunction
from typing import Any

from ._arguments import fits, hints, mismatch, plain


@dataclass(frozen=True)
class Part:
    """A part of a trial or of a probe: a cell, a task, a learner, an analysis, or a part of one.

    A class with refusals of its own has them in a `__post_init__` that calls this one first.
    """

    def __init_subclass__(cls, **asked: Any) -> None:
        """With slots a dataclass is made anew, and `super()` in it has to mean the new one.

        Python sees to it from 3.14 on.
        """
        super().__init_subclass__(**asked)
        if "__slots__" in vars(cls):
            for function in filter(isfunction, vars(cls).values()):
                closed = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
                for name, cell in closed:
                    if name == "__class__":
                        cell.cell_contents = cls

    def __post_init__(self, *_: Any) -> None:
        """Refuse what is of another kind, and hold numbers as Python's own: equal parts read alike.

        Raises:
            WrongUsage: as `check_kinds`.
        """
        check_kinds(self)
        asked = hints(type(self))
        for field in (it.name for it in fields(self) if it.init and it.name in asked):
            object.__setattr__(self, field, plain(getattr(self, field), asked[field]))


def check_kinds(part: Any) -> None:
    """Refuse a dataclass with a field that is not of the kind it asks for.

    Raises:
        WrongUsage: the first of them, by its name.
    """
    asked = hints(type(part))
    for field in (it for it in fields(part) if it.init and it.name in asked):
        value = getattr(part, field.name)
        if not fits(value, asked[field.name]):
            default = Parameter.empty if field.default is MISSING else field.default
            name, hint = type(part).__name__, asked[field.name]
            raise mismatch(field.name, value, name, said=field.type, hint=hint, default=default)
