"""What a part must be to name a trial: fields of their types, and a repr that tells them all.

A trial is known by the repr of its parts. A field that the repr leaves out, or rounds, would let
two different trials go by one name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from inspect import isclass
from typing import Any

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
        if getattr(value, "ndim", 0):
            raise WrongUsage(
                f"{field} came as an array for {name}, and a repr rounds those; give a tuple."
            )
        for inner in _parts(value):
            check_configuration(inner)


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for it in value:
            yield from _parts(it)
    elif is_dataclass(value) and not isclass(value):
        yield value
