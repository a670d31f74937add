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
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .errors import WrongUsage, unknown

_HOUSE = Path(__file__).parent


def rooms() -> dict[str, Path]:
    """Every room of the house by its name, with its folder; rooms within rooms too."""
    return dict(_rooms(_HOUSE))


@cache
def _rooms(house: Path) -> dict[str, Path]:
    folders = sorted(file.parent for file in house.rglob("__init__.py"))
    return {it.name: it for it in folders if (it / f"_{singular(it.name)}.py").is_file()}


def within(room: str) -> list[str]:
    """The room, then the rooms inside it: what its members may be made of."""
    inside = [name for name, folder in rooms().items() if _folder(room) in folder.parents]
    return [room, *inside]


def names(room: str) -> list[str]:
    """The members of a room, in the order of the alphabet."""
    return sorted(file.stem for file in _folder(room).glob("[!_]*.py"))


def docstring(room: str, name: str) -> str:
    """What the member's file says of itself, read without importing it."""
    if name not in names(room):
        raise unknown(singular(room), name, names(room))
    return module_docstring(path(room, name))


def summary(room: str, name: str) -> str:
    """The first line of a member's docstring."""
    return docstring(room, name).partition("\n")[0]


def path(room: str, name: str) -> Path:
    """A member's file."""
    return _folder(room) / f"{name}.py"


def module_docstring(file: Path) -> str:
    """The docstring of a file, or "" where it has none."""
    return ast.get_docstring(syntax(file)) or ""


@cache
def syntax(file: Path) -> ast.Module:
    """A file as a syntax tree."""
    return ast.parse(file.read_bytes())


def find(name: str, among: Iterable[str] | None = None) -> tuple[str, str] | None:
    """Room and file of the member that goes by this name, the first of its namesakes."""
    return next(iter(namesakes(name, among)), None)


def namesakes(name: str, among: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """Room and file of all members that go by this name, which is their file's or their class's.

    The name may have its room before it, as `tasks.latch`. Experiments come last: a task and the
    experiment on it may share a name, and what is written in specs is the task.
    """
    room, _, bare = name.rpartition(".")
    plain = bare.replace("_", "").lower()
    looked = [it for it in (rooms() if among is None else among) if room in ("", it)]
    looked.sort(key=lambda it: it == "experiments")
    return [(it, file) for it in looked for file in names(it) if file.replace("_", "") == plain]


def kind(room: str) -> type[Any]:
    """The interface of a room, which every member is a child of."""
    return getattr(import_module(f"{_package(room)}._{singular(room)}"), _camel(singular(room)))


def member(room: str, name: str) -> type[Any]:
    """The public concrete class of the room's kind in the file `name`, imported on first use."""
    if name not in names(room):
        raise unknown(singular(room), name, names(room))
    of = kind(room)
    module = import_module(f"{_package(room)}.{name}")
    found = list(_concrete(module, of))
    if len(found) != 1:
        came = ", ".join(cls.__name__ for cls in found) or "none"
        raise WrongUsage(
            f"{module.__name__} defines {came}, and a member defines exactly one public concrete "
            f"{of.__name__}; move the others into files of their own."
        )
    return found[0]


def named(room: str, cls: str, own: Mapping[str, str] = MappingProxyType({})) -> Any:
    """The member whose class is called `cls`, or the room's interface: `cells.Cell`.

    Args:
        room: where it is looked up.
        cls: its name.
        own: what one's own members are written with besides, by the file it stands in.

    Raises:
        AttributeError: no file of the room goes by that name.
    """
    if cls in own:
        return getattr(import_module(f"{_package(room)}.{own[cls]}"), cls)
    if cls == _camel(singular(room)):
        return kind(room)
    for file in names(room):
        if file.replace("_", "") == cls.lower():
            return member(room, file)
    raise AttributeError(f"there is no {singular(room)} '{cls}'; there are {class_names(room)}")


def class_names(room: str) -> list[str]:
    """The classes of a room's members, read without importing them."""
    return sorted(class_name(room, file) for file in names(room))


def class_name(room: str, name: str) -> str:
    """The class that a member's file is named after, or "" where there is none."""
    plain = name.replace("_", "")
    for node in syntax(path(room, name)).body:
        if isinstance(node, ast.ClassDef) and node.name.lower() == plain:
            return node.name
    return ""


def singular(room: str) -> str:
    """What one member of a room is called."""
    return re.sub(r"yses$", "ysis", room) if room.endswith("yses") else room.removesuffix("s")


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


def _package(room: str) -> str:
    return ".".join(["farback", *_folder(room).relative_to(_HOUSE).parts])


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
