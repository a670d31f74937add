"""The catalogue of a room: the folder is the list, the file name is the name.

A room is a folder of the package with an interface file named after it in the singular (`analyses`
has `_analysis.py`). Its members are the files without a leading underscore, and each holds exactly
one public concrete class of the room's kind. Names and docstrings are read without importing
anything; a member is imported when it is used first.

    >>> "adjoint_decay" in names("analyses")
    True
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from .errors import WrongUsage, unknown

_HOUSE = Path(__file__).parent


def rooms() -> dict[str, Path]:
    """Every room of the house by its name, with its folder; rooms within rooms too."""
    folders = sorted(file.parent for file in _HOUSE.rglob("__init__.py"))
    return {it.name: it for it in folders if (it / f"_{_singular(it.name)}.py").is_file()}


def names(room: str) -> list[str]:
    """The members of a room, in the order of the alphabet."""
    return sorted(file.stem for file in _folder(room).glob("[!_]*.py"))


def docstring(room: str, name: str) -> str:
    """What the member's file says of itself, read without importing it."""
    if name not in names(room):
        raise unknown(_singular(room), name, names(room))
    return module_docstring(_folder(room) / f"{name}.py")


def summary(room: str, name: str) -> str:
    """The first line of a member's docstring."""
    return docstring(room, name).partition("\n")[0]


def module_docstring(file: Path) -> str:
    """The docstring of a file, or "" where it has none."""
    return ast.get_docstring(ast.parse(file.read_bytes())) or ""


def member(room: str, name: str) -> type[Any]:
    """The public concrete class of the room's kind in the file `name`, imported on first use."""
    if name not in names(room):
        raise unknown(_singular(room), name, names(room))
    package = ".".join(["farback", *_folder(room).relative_to(_HOUSE).parts])
    singular = _singular(room)
    kind = getattr(import_module(f"{package}._{singular}"), _camel(singular))
    found = list(_concrete(import_module(f"{package}.{name}"), kind))
    if len(found) != 1:
        came = ", ".join(cls.__name__ for cls in found) or "none"
        raise WrongUsage(
            f"{package}.{name} defines {came}, and a member defines exactly one public concrete "
            f"{kind.__name__}; move the others into files of their own."
        )
    return found[0]


def named(room: str, cls: str) -> type[Any]:
    """The member whose class is called `cls`: `LSTM1997` lives in `lstm1997.py`.

    Raises:
        AttributeError: no file of the room goes by that name.
    """
    for file in names(room):
        if file.replace("_", "") == cls.lower():
            return member(room, file)
    raise AttributeError(f"there is no {_singular(room)} '{cls}'; there are {class_names(room)}")


def class_names(room: str) -> list[str]:
    """The classes of a room's members, read without importing them."""
    return sorted(_class_name(_folder(room) / f"{file}.py") for file in names(room))


def _class_name(file: Path) -> str:
    """The class that the file is named after."""
    plain = file.stem.replace("_", "")
    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, ast.ClassDef) and node.name.lower() == plain:
            return node.name
    raise WrongUsage(f"{file.name} defines no class that is named after it.")


def _concrete(module: Any, kind: type[Any]) -> Iterator[type[Any]]:
    for name, cls in vars(module).items():
        if not inspect.isclass(cls) or cls.__module__ != module.__name__ or name.startswith("_"):
            continue
        if kind in cls.__mro__ and not inspect.isabstract(cls):
            yield cls


def _folder(room: str) -> Path:
    known = rooms()
    if room not in known:
        raise unknown("room", room, known)
    return known[room]


def _singular(room: str) -> str:
    return re.sub(r"yses$", "ysis", room) if room.endswith("yses") else room.removesuffix("s")


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
