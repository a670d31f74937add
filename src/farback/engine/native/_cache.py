"""The cache: what was compiled once is loaded from then on, by every process of this user.

A folder that cannot be used costs the keeping and nothing else: the process then compiles into a
folder of its own, which goes when it ends, and `warning` says why.
"""

from __future__ import annotations

import atexit
import ctypes
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

from . import _compiler, _folder
from ._compiler import Refused, compiler, cpu
from ._folder import Unfit, Unloadable
from ._unavailable import Unavailable

FORMAT = 1
"""Of the key: raised when the same key would have to mean another library."""

_loaded: dict[str, ctypes.CDLL] = {}
_warnings: list[str] = []


def build(source: str, *, defines: Mapping[str, int] | None = None) -> ctypes.CDLL:
    """The library of a C source: from this process, from the cache, or compiled now.

    Args:
        source: the whole text; it includes nothing but the system's headers.
        defines: macros and their values.

    Raises:
        Unavailable: there is no compiler, or it fails, or there is nowhere to compile to.
    """
    macros = {name: int(value) for name, value in sorted((defines or {}).items())}
    name = key(source, macros)
    if name not in _loaded:
        # Two threads may both get here; both return the library that came first.
        _loaded.setdefault(name, _obtain(name, source, macros))
    return _loaded[name]


def key(source: str, defines: Mapping[str, int]) -> str:
    """The name of all that a library depends on."""
    flags = (_compiler.FLAGS, _compiler.NATIVE, _compiler.WIDE, _compiler.LIBRARIES)
    facts = (FORMAT, source, sorted(defines.items()), flags, compiler(), cpu())
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def warning() -> str | None:
    """Why what this process compiled is not kept; None where it is."""
    return _warnings[-1] if _warnings else None


def forget() -> None:
    """Have the next call look at the machine and the disk again."""
    _loaded.clear()
    _warnings.clear()
    compiler.cache_clear()
    cpu.cache_clear()


def folder() -> Path:
    """Where libraries are kept.

    Raises:
        Unfit: nothing says where.
    """
    if said := os.environ.get("FARBACK_CACHE"):
        return Path(said).absolute()
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if base.is_absolute():
        return base / "farback" / "native"
    try:
        home = Path.home()
    except RuntimeError:
        raise Unfit("there is no home folder") from None
    caches = home / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return caches / "farback" / "native"


def _obtain(key: str, source: str, defines: Mapping[str, int]) -> ctypes.CDLL:
    """The library from where it can be kept, or else from a folder of this process."""
    troubles: list[str] = []
    for place in (folder, _passing):
        try:
            library = _had(place(), key, source, defines)
        except Refused as fact:  # perhaps because the disk is full, so that the next place serves
            if troubles:
                raise
            troubles.append(str(fact))
        except Unfit as fact:
            troubles.append(str(fact))
        except OSError as error:
            troubles.append(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        else:
            if troubles:
                _warnings.append(f"compiled code is not kept ({troubles[0]}); set FARBACK_CACHE")
            return library
    raise Unavailable(f"there is nowhere to compile to ({'; '.join(troubles)})")


def _had(path: Path, key: str, source: str, defines: Mapping[str, int]) -> ctypes.CDLL:
    """The library from a folder, which gets it where it has none."""
    _folder.make(path)
    with suppress(OSError, Unloadable):  # what cannot be loaded is compiled again
        if library := _folder.load(path, key):
            return library
    _folder.keep(path, key, source, lambda file: compiler().compile(source, file, defines))
    if library := _folder.load(path, key):
        return library
    raise Unfit(f"{path} does not keep what is written there")


def _passing() -> Path:
    return _passing_of(os.getpid())


@cache
def _passing_of(process: int) -> Path:
    """A folder of one process; a fork of it gets another, and does not remove this one."""
    path = Path(tempfile.mkdtemp(prefix="farback-"))

    def leave() -> None:
        if os.getpid() == process:
            shutil.rmtree(path, ignore_errors=True)

    atexit.register(leave)
    return path
