"""The C compiler of this machine: where it is, what it is told, and what CPU it writes for."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ._unavailable import Unavailable

NAMES = ("cc", "gcc", "clang")
FLAGS = (
    "-O3",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-fno-strict-aliasing",
    "-fPIC",
    "-shared",
    "-std=gnu11",
)
"""No fused and no reordered arithmetic: what is computed does not depend on the CPU."""
NATIVE = ("-march=native", "-mcpu=native")
"""The first that the compiler knows; which one it is called depends on compiler and CPU."""
WIDE = "-mprefer-vector-width=512"
"""Compilers prefer 256 bits where there are 512, which is right for code that is seldom wide."""
LIBRARIES = ("-lm",)
PATIENCE = 120.0
"""Seconds after which a compile is given up."""
STEADY = {
    *("vendor_id", "cpu family", "model", "model name", "flags"),  # x86
    *("CPU implementer", "CPU architecture", "CPU variant", "CPU part", "Features"),  # ARM
    *("isa", "uarch", "cpu", "features", "processor 0"),  # RISC-V, POWER, Z
}
"""The lines of /proc/cpuinfo that stay as they are from one boot to the next."""
GETTING_ONE = "install one, e.g. apt install gcc, or set CC"


class Refused(Unavailable):
    """The compiler ran and would not: the source is wrong, or the disk is full."""


@dataclass(frozen=True)
class Compiler:
    """A C compiler that answers.

    Args:
        path: the program.
        version: the first line of what it says of itself.
        arguments: what `CC` says beside the program.
    """

    path: Path
    version: str
    arguments: tuple[str, ...] = ()

    @property
    def command(self) -> list[str]:
        return [str(self.path), *self.arguments]

    def compile(self, source: str, library: Path, defines: Mapping[str, int]) -> None:
        """Write a shared library; temporary files go beside it.

        The source goes in by a pipe: the library then depends on no file's name.

        Raises:
            Refused: the compiler ended with an error.
            Unavailable: it took too long, or cannot be run any more.
        """
        words = [f"-D{name}={value}" for name, value in sorted(defines.items())]
        line = [*self.command, *FLAGS, *_native(self), *words]
        line += ["-x", "c", "-", "-o", str(library), *LIBRARIES]
        code, said = _run(line, source, library.parent)
        if code:
            raise Refused(f"the C compiler {self.path} failed: {_error(said, code)}")


@cache
def compiler() -> Compiler:
    """The compiler that `CC` names, or else the first of cc, gcc and clang.

    Raises:
        Unavailable: there is none, or it does not work.
    """
    if sys.platform == "win32":
        raise Unavailable("the native engine is not built on Windows")
    try:
        named = shlex.split(os.environ.get("CC", ""))
    except ValueError as error:
        raise Unavailable(f"CC cannot be read ({error}); set it to a C compiler") from None
    names = named[:1] or NAMES
    path = next((it for it in map(shutil.which, names) if it), None)
    if path is None and named:
        raise Unavailable(f"CC names {named[0]}, which was not found; {GETTING_ONE}")
    if path is None:
        raise Unavailable(f"no C compiler was found ({', '.join(NAMES)}); {GETTING_ONE}")
    found = Compiler(Path(path).absolute(), "", tuple(named[1:]))
    code, said = _run([*found.command, "--version"])
    version = said.strip().partition("\n")[0]
    if code or not version:
        raise Unavailable(f"the C compiler {path} does not work ({_error(said, code)})")
    return Compiler(found.path, version, found.arguments)


@cache
def cpu() -> str:
    """What decides whether a library that was compiled for this CPU may run on another."""
    facts = "\n".join(f"{name}: {value}" for name, value in sorted(_facts().items()))
    return f"{platform.machine()}-{hashlib.sha256(facts.encode()).hexdigest()[:16]}"


def register() -> int:
    """Bytes of this CPU's widest vector register."""
    flags = _facts().get("flags", "").split()
    return 64 if "avx512f" in flags else 32 if "avx2" in flags else 16


def _facts() -> dict[str, str]:
    """The CPU's model and what it can do; not what changes while it runs, as its clock does."""
    if sys.platform == "darwin":
        names = ["brand_string", "features", "leaf7_features"]
        line = ["/usr/sbin/sysctl", "-n", *(f"machdep.cpu.{it}" for it in names)]
        return {"model": _run(line)[1]}
    facts = {}
    with suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
        for line in file:
            name, colon, value = line.partition(":")
            if not colon:
                break  # the first CPU ends here, and the others are like it
            facts[name.strip()] = " ".join(sorted(value.split()))
    return {name: facts[name] for name in facts.keys() & STEADY} or {"model": platform.processor()}


@cache
def _native(compiler: Compiler) -> tuple[str, ...]:
    """The flags for this very CPU, of those that the compiler knows."""
    native = [it for it in NATIVE if _knows(compiler, it)][:1]
    wide = [WIDE] if "avx512f" in _facts().get("flags", "") and _knows(compiler, WIDE) else []
    return (*native, *wide)


def _knows(compiler: Compiler, flag: str) -> bool:
    return _run([*compiler.command, flag, "-fsyntax-only", "-x", "c", "-"])[0] == 0


def _run(line: list[str], text: str = "", folder: Path | None = None) -> tuple[int, str]:
    """Run a program to its end: its exit status, and what it said.

    A compiler is several processes. They get a group of their own, so that the keyboard's
    interrupt reaches only us, and we end all of them.
    """
    places = {"TMPDIR": str(folder)} if folder else {}
    try:
        started = subprocess.Popen(
            line,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **places, "LC_ALL": "C"},
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise Unavailable(f"{line[0]} cannot be run ({error.strerror}); {GETTING_ONE}") from None
    with started:
        try:
            said, _ = started.communicate(text, timeout=PATIENCE)
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            raise Unavailable(f"{line[0]} took over {PATIENCE:g} s, and was killed") from None
    return started.returncode, said


def _error(said: str, code: int) -> str:
    """The first line that tells of an error.

    That a part of it failed is the driver's last word; what that part said comes before.
    """
    lines = [it.strip() for it in said.splitlines() if it.strip()]
    errors = [it for it in lines if "error:" in it and not it.startswith(("collect2:", "clang:"))]
    return [*errors, *lines, f"exit status {code}"][0]
