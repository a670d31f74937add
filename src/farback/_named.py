"""Objects named on the command line: `package.module:name`, or `path/to/file.py:name`.

The file form imports that one file and changes no path. Naming an object runs the user's code, so
the caller announces it first; whatever goes wrong in there is told with the user's file and line.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from .errors import FarbackError, InputRefused, WrongUsage, unknown

_HOUSE = Path(__file__).parent
_LIBRARIES = tuple(
    Path(sysconfig.get_path(key)) for key in ("purelib", "platlib", "stdlib", "platstdlib")
)


def split(spec: str, option: str) -> tuple[str, str]:
    """`spec` in its two parts, or the refusal that shows the form."""
    source, colon, name = spec.rpartition(":")
    if not (source and colon and name):
        raise WrongUsage(
            f"{option} came as '{spec}', expected module:name or path/to/file.py:name; "
            f"try {_guess(spec, option)}."
        )
    return source, name


def find(spec: str, option: str) -> Any:
    """The object that `spec` names, imported but not called."""
    source, name = split(spec, option)
    with users_code(f"importing {source}"):
        found: Any = _file(Path(source)) if source.endswith(".py") else _module(source)
    for part in name.split("."):
        if not hasattr(found, part):
            public = [it for it in dir(found) if not it.startswith("_")]
            raise unknown("name", part, public, where=f" in {source}")
        found = getattr(found, part)
    return found


def call(found: Callable[[], Any], spec: str) -> Any:
    """What a class or function makes when it is called without arguments."""
    try:
        inspect.signature(found).bind()
    except TypeError as error:
        raise InputRefused(
            f"{spec} cannot be called without arguments ({error}); "
            "name a function that takes none and returns the finished object."
        ) from None
    except ValueError:
        pass  # built in C, without a signature to look at
    with users_code(f"calling {spec}"):
        return found()


@contextmanager
def users_code(doing: str) -> Iterator[None]:
    """Run the user's code: its prints go to stderr, its errors become one sentence."""
    try:
        with redirect_stdout(sys.stderr):
            yield
    except FarbackError:
        raise
    except SystemExit as leaving:
        raise InputRefused(
            f"Your code stopped the program (exit {leaving.code}) while farback was {doing}; "
            "keep what runs a script under if __name__ == '__main__'."
        ) from None
    except Exception as error:
        place = _place(error)
        if place is None:
            raise
        reason = " ".join(str(error).split()) or "no message"
        hint = (
            "; if it lies in the working directory, add --here"
            if isinstance(error, ModuleNotFoundError)
            else ""
        )
        raise InputRefused(
            f"Your code failed at {place} while farback was {doing}: "
            f"{type(error).__name__}: {reason}{hint}."
        ) from None


def _place(error: Exception) -> str | None:
    """The user's file and line where the error came from; None when it came from farback.

    Of farback and the user, the one whose frame is deepest made the call that failed.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename)
        if file.is_relative_to(_HOUSE):
            return None
        if not frame.filename.startswith("<") and not any(map(file.is_relative_to, _LIBRARIES)):
            return f"{frame.filename}:{frame.lineno}"
    return None


def _file(path: Path) -> ModuleType:
    """Import one file under a name of its own, once."""
    if not path.is_file():
        beside = sorted(str(it) for it in path.parent.glob("*.py")) if path.parent.is_dir() else []
        raise WrongUsage(f"There is no file {path}; {_near(str(path), beside, 'name a .py file')}.")
    whole = path.resolve()
    name = f"farback_file_{whole.stem}"
    while name in sys.modules:
        if sys.modules[name].__file__ == str(whole):
            return sys.modules[name]
        name += "_"
    plan = importlib.util.spec_from_file_location(name, whole)
    assert plan is not None and plan.loader is not None
    module = importlib.util.module_from_spec(plan)
    sys.modules[name] = module  # dataclasses look their module up while it is being run
    try:
        plan.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _module(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing != name and not name.startswith(f"{missing}."):
            raise  # an import inside the user's module, told with its place
    local = Path(*name.split(".")).with_suffix(".py")
    if local.is_file():
        advice = f"try {local}:..., or add --here to import from the working directory"
    else:
        near = get_close_matches(name, sorted(sys.stdlib_module_names | set(sys.modules)), n=3)
        advice = _near(name, near, "install it, or name a file as path/to/file.py:name")
    raise WrongUsage(f"There is no module {name} on the import path; {advice}.")


def _near(name: str, known: list[str], otherwise: str) -> str:
    near = get_close_matches(name, known, n=3) or known[:3]
    return f"try {', '.join(near)}" if near else otherwise


def _guess(spec: str, option: str) -> str:
    if option == "--loss":
        return f"torch.nn.functional:{spec or 'cross_entropy'}"
    return f"{spec}:build" if spec.endswith(".py") else f"my_model.py:{spec or 'build'}"
