"""What a class is called with, held against its signature and its type hints.

An argument fits or is refused, in a sentence that tells what the class takes.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from inspect import BoundArguments, Parameter
from numbers import Complex, Integral, Real
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from .errors import FarbackError, WrongUsage, unknown


def made(
    cls: Callable[..., Any], name: str, arguments: Sequence[Any], keywords: Mapping[str, Any]
) -> Any:
    """What the class makes of its arguments, or its refusal.

    Raises:
        WrongUsage: an argument that it has not, lacks, or cannot use.
    """
    given = bound(cls, name, arguments, keywords)
    try:
        return cls(*given.args, **given.kwargs)
    except FarbackError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}".rstrip(".")
        raise WrongUsage(f"{name} cannot be made ({said}); it takes {_taken(cls)}.") from None


def bound(
    cls: Callable[..., Any], name: str, arguments: Sequence[Any], keywords: Mapping[str, Any]
) -> BoundArguments:
    """The arguments by their names, each of the type that the class asks for."""
    signature = inspect.signature(cls)
    known = signature.parameters
    for word in keywords:
        if word not in known and not any(it.kind == it.VAR_KEYWORD for it in known.values()):
            if not known:
                raise WrongUsage(f"{name} came with {word}, and it takes nothing; leave it out.")
            raise unknown("argument", word, known, where=f" of {name} (it takes {_taken(cls)})")
    try:
        given = signature.bind(*arguments, **keywords)
    except TypeError as error:
        raise WrongUsage(f"{name} cannot be made ({error}); it takes {_taken(cls)}.") from None
    asked = hints(cls)
    for word, value in given.arguments.items():
        if word in asked and not fits(value, asked[word]):
            of = known[word]
            raise mismatch(
                word, value, name, said=of.annotation, hint=asked[word], default=of.default
            )
    return given


def mismatch(
    word: str, value: Any, name: str, *, said: Any, hint: Any, default: Any = Parameter.empty
) -> WrongUsage:
    """The refusal of an argument that is not of its kind.

    Args:
        word: the argument.
        value: what came.
        name: whose argument it is.
        said: the kind, as its author wrote it.
        hint: the same, as it is asked for.
        default: what the argument is without a caller, where it is anything.
    """
    kind = said.__name__ if isinstance(said, type) else str(said).removeprefix("typing.")
    if isinstance(value, list) and fits(tuple(value), hint):
        advice = f"try {word}={tuple(value)!r}"
    elif default is not Parameter.empty and fits(default, hint):
        advice = f"try {word}={default!r}"
    else:
        advice = "give one of that kind"
    return WrongUsage(f"{word} came as {value!r} for {name}, expected {kind}; {advice}.")


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the type; a type that cannot be told is left to the class."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return any(fits(value, it) for it in inside)
    if origin is Literal:
        return any(type(it) is type(value) and it == value for it in inside)
    if origin is tuple and inside:
        if not isinstance(value, tuple):
            return False
        each = inside[:1] * len(value) if inside[1:] == (...,) else inside
        return len(each) == len(value) and all(map(fits, value, each))
    if hint in _NUMBERS:
        number = isinstance(value, _NUMBERS[hint]) and not isinstance(value, bool)
        return number and _finds_room(value, hint)
    kind = origin or hint
    try:
        return not isinstance(kind, type) or isinstance(value, kind)
    except TypeError:  # Any, or a protocol that cannot be asked
        return True


_NUMBERS: dict[Any, type[Any]] = {int: Integral, float: Real, complex: Complex}
"""Python's own numbers, and what passes for each: those of other libraries, and whole for real."""


def _finds_room(number: Any, kind: Any) -> bool:
    """Whether a whole number can be a float, where one is asked for, and stay what it is."""
    try:
        return not isinstance(number, Integral) or kind(number) == number
    except OverflowError:
        return False


def plain(value: Any, hint: Any) -> Any:
    """A value that fits, its numbers as Python's own: 1 and numpy's 1.0 are the same 1.0."""
    origin, inside = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        kinds = [it for it in inside if fits(value, it)]
        return plain(value, type(value) if type(value) in kinds else kinds[0])
    if origin is tuple and inside and type(value) is tuple:
        each = inside[:1] * len(value) if inside[1:] == (...,) else inside
        return tuple(map(plain, value, each))
    return hint(value) if hint in _NUMBERS else value


def path_of(value: Any, what: str) -> Path:
    """What a caller names a file or folder by.

    Raises:
        WrongUsage: it is no path, or an empty one.
    """
    place = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(place, str) or not place or "\0" in place:
        raise WrongUsage(f"{what} came as {value!r}, expected a path; try {what}='runs'.")
    return Path(place)


def _taken(cls: Callable[..., Any]) -> str:
    """The arguments of a class with their defaults."""
    known = inspect.signature(cls).parameters.values()
    return ", ".join(map(_with_default, known)) or "nothing"


def _with_default(parameter: Parameter) -> str:
    if parameter.default is Parameter.empty:
        return parameter.name
    return f"{parameter.name}={parameter.default!r}"


def hints(cls: Callable[..., Any]) -> dict[str, Any]:
    """The type of each argument; none where they are written for a type checker only."""
    try:
        return get_type_hints(cls)
    except (NameError, TypeError, AttributeError):
        return {}
