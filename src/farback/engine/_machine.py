"""What this machine can run trials with, told without loading torch."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import sys
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from .native._cache import build, folder, warning
from .native._compiler import Compiler, compiler, register

SIZES = {"float32": 4, "float64": 8}
"""Bytes of a number."""

_TRIED = "#include <math.h>\n#include <stdint.h>\n#include <string.h>\n"
"""A compiler may answer and have no C library to compile with."""


@dataclass(frozen=True)
class Reference:
    """What the reference engine runs on."""

    torch: str
    """Its version."""

    devices: list[str]
    """The kinds of device that `device=` may name."""


@dataclass(frozen=True)
class Native:
    """What the native engine runs on."""

    compiler: str
    path: str
    lanes: dict[str, int]
    """Trials side by side in a register, by type of number."""

    threads: int
    cache: str | None
    """The folder that keeps what is compiled."""

    warning: str | None
    """Why it is not kept; one of the two is None."""


def reference() -> Reference:
    """What the reference engine finds here."""
    return Reference(version("torch"), devices())


def native() -> Native:
    """What the native engine finds here.

    Raises:
        Unavailable: why it cannot run.
    """
    found, trouble = working(), warning()
    return Native(
        compiler=named(found),
        path=str(found.path),
        lanes={name: lanes(name) for name in SIZES},
        threads=threads(),
        cache=None if trouble else str(folder()),
        warning=trouble,
    )


def working() -> Compiler:
    """The C compiler, once it has made something that loads; `warning` tells what is not kept.

    Raises:
        Unavailable: there is none, or what it makes is nothing.
    """
    build(_TRIED)
    return compiler()


def named(found: Compiler) -> str:
    """A compiler as people call it, with its version: gcc 12.2.0."""
    said = re.sub(r"\(.*?\)", "", found.version)
    number = re.search(r"\d+(\.\d+)+", said)
    names = f"{found.path.name} {found.path.resolve().name} {found.version}".lower()
    name = next((it for it in ("clang", "gcc") if it in names), found.path.name)
    return f"{name} {number[0]}" if number else name


def lanes(kind: str) -> int:
    """Trials side by side in one of this CPU's registers."""
    return register() // SIZES[kind]


def threads() -> int:
    """The CPU cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def devices() -> list[str]:
    """The kinds of device that torch has here."""
    found = find_spec("torch")
    libraries = Path(found.origin).parent / "lib" if found and found.origin else Path()
    cuda = any(libraries.glob("*torch_cuda*")) and _drives_cuda()
    metal = sys.platform == "darwin" and platform.machine() == "arm64"
    return ["cpu", *["cuda"] * cuda, *["mps"] * metal]


def _drives_cuda() -> bool:
    """Whether NVIDIA's driver is there and has a device."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return driver.cuInit(0) == 0 == driver.cuDeviceGetCount(ctypes.byref(count)) and count.value > 0
