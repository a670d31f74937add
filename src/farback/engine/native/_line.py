"""The line of a program that asks for an operator, found by running it once more."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

_HERE = str(Path(__file__).parents[2])
_OURS = (f"{_HERE}/engine/", f"{_HERE}/trials/", f"{_HERE}/problem.py")
_LIBRARIES = {sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib")}


class _Watching(TorchDispatchMode):
    """Notes from where an operator is called first."""

    def __init__(self, operator: Any) -> None:
        super().__init__()
        self.name, self.line = _name(operator), ""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if _name(func) == self.name and not self.line:
            self.line = _line()
        return func(*args, **(kwargs or {}))


def _name(operator: Any) -> str:
    """Without its library: torch may have taken the operator for one of its primitives."""
    return operator._schema.name.rpartition("::")[2]


def line_of(operator: Any, function: Callable[[], Any]) -> str:
    """Where `function` first calls an operator, in brackets; empty where no line is a user's."""
    watching = _Watching(operator)
    try:
        with watching:
            function()
    except Exception:  # a hint is not worth an error
        return ""
    return watching.line


def _line() -> str:
    """The innermost line of what the engine called; on torch's way back there is none."""
    frames = traceback.extract_stack()[:-2]
    ours = [place for place, it in enumerate(frames) if it.filename.startswith(_OURS)]
    theirs = [it for it in frames[ours[-1] + 1 :] if not _of_a_library(it.filename)]
    if not theirs:
        return ""
    frame = theirs[-1]
    return f" ({frame.line!r}, line {frame.lineno} of {Path(frame.filename).name})"


def _of_a_library(file: str) -> bool:
    return any(it and file.startswith(it) for it in _LIBRARIES) or "/torch/" in file
