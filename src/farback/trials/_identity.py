"""What makes a trial the same trial: its parts as written, and the source of a user's own classes.

farback's own classes are named by their repr alone. A class of a user's is named by the hash of the
file that defines it too, so that an edited class is a new trial and never a stale row.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..errors import InputRefused, WrongUsage


def written(part: Any) -> str:
    """The part as one writes it: its repr.

    Raises:
        WrongUsage: the part is a class and not an object, or its repr names an address.
    """
    if inspect.isclass(part):
        raise WrongUsage(
            f"{part.__name__} came as a class, expected an object; try {part.__name__}()."
        )
    text = repr(part)
    if " at 0x" in text:
        raise WrongUsage(
            f"{type(part).__name__} is written as {text}, which changes from run to run; "
            "make it a frozen dataclass."
        )
    return text


def sources(*parts: Any) -> dict[str, str]:
    """The hash of the file behind every class that is not farback's own, by its name."""
    return {
        cls.__qualname__: _hash(cls)
        for part in parts
        for cls in sorted(set(_classes(part)), key=lambda cls: cls.__qualname__)
        if cls.__module__.partition(".")[0] != "farback"
    }


def _classes(part: Any) -> Iterator[type[Any]]:
    """The classes of a part and of the parts within it, with those that they inherit from."""
    if isinstance(part, tuple | list):
        for it in part:
            yield from _classes(it)
    elif is_dataclass(part):
        yield from (cls for cls in type(part).__mro__ if is_dataclass(cls))
        for it in fields(part):
            yield from _classes(getattr(part, it.name))


def _hash(cls: type[Any]) -> str:
    try:
        file = Path(inspect.getfile(cls))
        return sha256(file.read_bytes()).hexdigest()
    except (OSError, TypeError):
        pass
    try:
        return sha256(inspect.getsource(cls).encode()).hexdigest()
    except (OSError, TypeError):
        home = getattr(sys.modules.get(cls.__module__), "__name__", cls.__module__)
        raise InputRefused(
            f"The source of {home}.{cls.__qualname__} cannot be read, and a stored trial names the "
            "source of a class that is not farback's; put the class into a file."
        ) from None
