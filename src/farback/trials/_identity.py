"""What makes a trial the same trial: its parts as written, and the source of a user's own classes.

farback's own classes are named by their repr alone. A class of a user's is named by the hash of the
file that defines it too, so that an edited class is a new trial and never a stale row.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import sha256
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from ..errors import InputRefused, WrongUsage

_PYTHON = Path(sysconfig.get_path("stdlib"))


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
    """The hash of the file behind every class that is not farback's own, by file and class.

    What such a file imports in its turn is not covered.
    """
    found: dict[str, set[str]] = {}
    for part in parts:
        for cls in _classes(part):
            file, digest = _hashed(cls)
            found.setdefault(f"{file.name}:{cls.__qualname__}", set()).add(digest)
    return {name: "+".join(sorted(digests)) for name, digests in sorted(found.items())}


def _classes(part: Any) -> Iterator[type[Any]]:
    """The user's classes of a part and of the parts within it, and those they inherit from."""
    if isinstance(part, tuple | list):
        for it in part:
            yield from _classes(it)
    elif isinstance(part, Enum):
        yield from (cls for cls in type(part).__mro__ if _of_a_user(cls))
    elif is_dataclass(part):
        yield from (cls for cls in type(part).__mro__ if _of_a_user(cls))
        for it in fields(part):
            yield from _classes(getattr(part, it.name))


def _of_a_user(cls: type[Any]) -> bool:
    """Neither farback's nor Python's own, whatever a user's file is called."""
    home = cls.__module__.partition(".")[0]
    if home == "farback" or vars(builtins).get(cls.__name__) is cls:
        return False
    file = getattr(sys.modules.get(home), "__file__", None)
    stands = home in sys.stdlib_module_names and home not in ("__main__", "builtins")
    return not (stands and (file is None or Path(file).is_relative_to(_PYTHON)))


def _hashed(cls: type[Any]) -> tuple[Path, str]:
    """The file that a class was imported from, and its hash as it was then."""
    name = f"{cls.__module__}.{cls.__qualname__}"
    try:
        if _made_of_text(cls):
            raise OSError
        file = Path(inspect.getfile(cls))
        text = file.read_bytes()
    except (OSError, TypeError):
        raise InputRefused(
            f"The source of {name} cannot be read, and a trial names the source of a class that is "
            "not farback's; put the class into a file."
        ) from None
    if not _is_what_runs(sys.modules.get(cls.__module__), cls, file, text):
        raise InputRefused(
            f"{file} was changed after {name} was imported from it, or a constant of it was set "
            "from outside, and a trial names the source that it runs; import it again (restart "
            "the program or the notebook's kernel)."
        )
    return file, sha256(text).hexdigest()


def _made_of_text(cls: type[Any]) -> bool:
    """Whether its functions come from an exec, and from no file; a dataclass writes its own so."""
    own = (it for name, it in vars(cls).items() if not name.startswith("__"))
    functions = (inspect.unwrap(getattr(it, "fget", None) or it) for it in own)
    codes = (it.__code__ for it in functions if inspect.isfunction(it))
    return any(it.co_filename.startswith("<") for it in codes)


def _is_what_runs(module: ModuleType | None, cls: type[Any], file: Path, text: bytes) -> bool:
    """Whether every function and every plain constant of the module is what the file says now.

    Where an import hook rewrites what it loads nobody can tell, and it is believed.
    """
    if module is None or type(getattr(module, "__loader__", None)) is not SourceFileLoader:
        return True
    owners = [cls, module, *(it for it in vars(module).values() if inspect.isclass(it))]
    values = [value for owner in owners for value in vars(owner).values()]
    running = {
        function.__code__
        for value in values
        if inspect.isfunction(function := getattr(value, "fget", value))
        and function.__code__.co_filename == str(file)
    }
    try:
        tree = ast.parse(text)
        now = compile(tree, str(file), "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return running <= set(_codes(now)) and not any(
        type(held := vars(owner).get(name)) is type(value) and repr(held) != repr(value)
        for owner, name, value in _constants(module, tree)
    )


def _constants(module: ModuleType, tree: ast.Module) -> Iterator[tuple[Any, str, Any]]:
    """The module and its classes, with each name that the file gives a literal, and only once."""
    stored = Counter(name for it in ast.walk(tree) for name in _bound(it))
    if "*" in stored:
        return
    classes = [it for it in tree.body if isinstance(it, ast.ClassDef)]
    known = ((vars(module).get(it.name), it.body) for it in classes)
    for owner, body in ((module, tree.body), *(it for it in known if inspect.isclass(it[0]))):
        for it in body:
            match it:
                case (
                    ast.Assign(targets=[ast.Name(name)], value=ast.expr() as value)
                    | ast.AnnAssign(target=ast.Name(name), value=ast.expr() as value)
                ) if stored[name] == 1:
                    # What can be changed in place, or is no literal, tells nothing.
                    with suppress(ValueError, TypeError):
                        literal = ast.literal_eval(value)
                        hash(literal)
                        yield owner, name, literal
                case _:
                    pass


def _bound(node: ast.AST) -> list[str]:
    """The names that a piece of syntax gives something to."""
    match node:
        case ast.Name(name, ast.Store()):
            return [name]
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
            return [name]
        case ast.alias(name, other):
            return [other or name]
        case _:
            return []


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A code object and those within it."""
    yield code
    for it in code.co_consts:
        if isinstance(it, CodeType):
            yield from _codes(it)
