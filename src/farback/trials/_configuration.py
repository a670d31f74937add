"""What a part must be to name a trial: fields of their types, and a repr that tells them all.

A trial is known by the repr of its parts and by the source of their classes. A field that the repr
leaves out or rounds, or an object whose class is not looked at, would let two different trials go
by one name. Nor does a choice that is no number, or too large for the type of a trial's arithmetic,
choose anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from inspect import isclass
from types import NoneType
from typing import Any

import torch

from .._part import check_kinds
from ..errors import WrongUsage


def check_configuration(part: Any) -> None:
    """Refuse a part, or a part within it, that is no configuration.

    Raises:
        WrongUsage: the first field that is not what its class asks for, or that goes untold.
    """
    name, known = type(part).__name__, {it.name: it for it in fields(part)}
    untold = [it for it in vars(part) if it not in known and not hasattr(type(part), it)]
    untold += [it.name for it in known.values() if not it.repr]
    if untold:
        raise WrongUsage(
            f"{name} has {untold[0]}, which its repr does not tell; make it a field of a frozen "
            "dataclass, with its repr."
        )
    check_kinds(part)
    for field, value in ((it, getattr(part, it)) for it in known):
        for inner in _within(value):
            if is_dataclass(inner) and not isclass(inner):
                check_configuration(inner)
            elif type(inner) not in _TOLD and not isinstance(inner, Enum):
                raise WrongUsage(
                    f"{field} came as {type(inner).__name__} for {name}, whose repr may leave "
                    "something out; give Python's own numbers and words, frozen dataclasses, or "
                    "tuples of those."
                )


def check_numbers(part: Any, dtype: torch.dtype) -> None:
    """Refuse a part, or a part within it, with a number that the arithmetic has no room for.

    Raises:
        WrongUsage: the first that is NaN, or finite and above the largest number of `dtype`.
    """
    most = torch.finfo(dtype).max
    for field in (it.name for it in fields(part)):
        for inner in _within(getattr(part, field)):
            if is_dataclass(inner) and not isclass(inner):
                check_numbers(inner, dtype)
            elif isinstance(inner, float) and not (abs(inner) <= most or math.isinf(inner)):
                expected = f"a number, of at most {most:.2g} in {str(dtype).removeprefix('torch.')}"
                raise WrongUsage(
                    f"{field} came as {inner} for {type(part).__name__}, expected {expected}; try "
                    f"{'a number' if math.isnan(inner) else 'a smaller one'}."
                )


_TOLD = {bool, int, float, complex, str, bytes, NoneType, torch.dtype}
"""What a repr tells whole, and in one way alone."""


def _within(value: Any) -> Iterator[Any]:
    """The entries of a tuple, and of tuples in it; or the value."""
    if isinstance(value, tuple):
        for it in value:
            yield from _within(it)
    else:
        yield value
