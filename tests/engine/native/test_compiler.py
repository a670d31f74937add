"""The C compiler is found, asked and stopped, and what is wrong with it is one sentence."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from farback.engine.native import _cache, _compiler
from farback.engine.native._compiler import Compiler, Refused, compiler, cpu
from farback.engine.native._unavailable import Unavailable

ANSWERS = 'if [ "$1" = --version ]; then echo made 1.0; exit; fi\n'
EMPTY = "int nothing;"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CC", raising=False)
    _cache.forget()
    yield
    _cache.forget()


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A compiler that does as it is told."""

    def write(body: str) -> Path:
        path = tmp_path / "made"
        path.write_text(f"#!/bin/sh\n{body}")
        path.chmod(0o700)
        monkeypatch.setenv("CC", str(path))
        return path

    return write


@pytest.fixture
def real() -> Compiler:
    try:
        return compiler()
    except Unavailable as fact:
        pytest.skip(str(fact))


def alive(process: int) -> bool:
    """Whether a process runs; a dead one may still wait for somebody to ask how it ended."""
    said = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True)
    return said.stdout.strip()[:1] not in ("", "Z")


def until(holds, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_compiler_tells_its_version(real):
    assert real.path.is_absolute()
    assert real.version


def test_without_a_compiler_one_is_advised(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable) as fact:
        compiler()
    assert str(fact.value) == (
        "no C compiler was found (cc, gcc, clang); install one, e.g. apt install gcc, or set CC"
    )


def test_a_cc_that_is_nothing_is_named(monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler -O1")
    with pytest.raises(Unavailable, match=r"^CC names no-such-compiler, which was not found; "):
        compiler()


def test_a_cc_that_cannot_be_read_is_refused(monkeypatch):
    monkeypatch.setenv("CC", "gcc '")
    with pytest.raises(Unavailable, match=r"^CC cannot be read "):
        compiler()


def test_an_empty_cc_is_none(monkeypatch, real):
    _cache.forget()
    monkeypatch.setenv("CC", "")
    assert compiler() == real


def test_cc_may_have_arguments(made, tmp_path, monkeypatch):
    path = made(f'echo "$@" >> "{tmp_path}/said"\necho made 1.0\n')
    monkeypatch.setenv("CC", f"{path} '-I a folder'")
    assert compiler() == Compiler(path, "made 1.0", ("-I a folder",))
    compiler().compile(EMPTY, tmp_path / "library", {})
    said = (tmp_path / "said").read_text().splitlines()
    assert all(it.startswith("-I a folder ") for it in said)


def test_a_compiler_that_is_broken_does_not_work(made):
    path = made("echo broken: no such file >&2\nexit 1\n")
    with pytest.raises(Unavailable) as fact:
        compiler()
    assert str(fact.value) == f"the C compiler {path} does not work (broken: no such file)"


def test_a_compiler_that_cannot_be_run_is_named(made):
    path = made("")
    path.write_bytes(b"\x7fELF")
    with pytest.raises(Unavailable, match=r"/made cannot be run \(.*\); install one"):
        compiler()


def test_a_wrong_source_is_told_by_its_first_error(real, tmp_path):
    with pytest.raises(Refused) as fact:
        real.compile("int a;\nint b = c;\nint d = e;\n", tmp_path / "library", {})
    assert str(fact.value).startswith(f"the C compiler {real.path} failed: <stdin>:2:")
    assert "\n" not in str(fact.value)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "a.c:1: warning: odd\na.c:2:5: error: wrong\na.c:3: error: worse",
            "a.c:2:5: error: wrong",
        ),
        ("ld: No space left on device\ncollect2: error: ld failed", "ld: No space left on device"),
        ("cc1: fatal error: a.h: no such file", "cc1: fatal error: a.h: no such file"),
        ("", "exit status 3"),
    ],
)
def test_the_line_that_tells_of_an_error_is_found(said, told):
    assert _compiler._error(said, 3) == told


def test_a_macro_has_its_value(real, tmp_path):
    real.compile("int a[N == -3 ? 1 : -1];", tmp_path / "library", {"N": -3})
    assert (tmp_path / "library").exists()


def test_a_flag_that_the_compiler_refuses_is_left_out(made):
    made(ANSWERS + '[ "$1" != -march=native ] || exit 1\n')
    assert _compiler._native(compiler())[0] == "-mcpu=native"


def test_a_compiler_may_know_no_flag_for_this_cpu(made):
    made(ANSWERS + "exit 1\n")
    assert _compiler._native(compiler()) == ()


@pytest.mark.parametrize(("flags", "wide"), [("avx2 avx512f", True), ("avx2", False)])
def test_wide_vectors_are_asked_for_where_the_cpu_has_them(made, monkeypatch, flags, wide):
    made(ANSWERS)
    monkeypatch.setattr(_compiler, "_facts", lambda: {"flags": flags})
    assert (_compiler.WIDE in _compiler._native(compiler())) == wide


def test_the_compiler_writes_beside_the_library(made, tmp_path):
    made(ANSWERS + f'echo "$TMPDIR" > "{tmp_path}/said"\n')
    compiler().compile(EMPTY, tmp_path / "library", {})
    assert (tmp_path / "said").read_text().strip() == str(tmp_path)


def test_a_compile_that_takes_too_long_is_killed_with_its_children(made, tmp_path, monkeypatch):
    made(ANSWERS + f'sleep 30 &\necho $! > "{tmp_path}/child"\nwait\n')
    found = compiler()
    monkeypatch.setattr(_compiler, "NATIVE", ())
    monkeypatch.setattr(_compiler, "_facts", dict)
    monkeypatch.setattr(_compiler, "PATIENCE", 0.3)
    with pytest.raises(Unavailable, match=r"/made took over 0.3 s, and was killed$"):
        found.compile(EMPTY, tmp_path / "library", {})
    child = int((tmp_path / "child").read_text())
    until(lambda: not alive(child))


INTERRUPTED = """
from farback.engine.native import _cache, _compiler
_compiler.NATIVE = ()
_compiler._facts = dict
_cache.build("int nothing;")
"""


def test_an_interrupt_stops_the_compiler_and_leaves_nothing(made, tmp_path):
    path, child, folder = made(""), tmp_path / "child", tmp_path / "cache"
    path.write_text(f"#!/bin/sh\n{ANSWERS}echo $$ > '{child}.new'; mv '{child}.new' '{child}'\n")
    with path.open("a") as file:
        file.write("exec sleep 30\n")
    line = [sys.executable, "-c", INTERRUPTED]
    environment = {**os.environ, "FARBACK_CACHE": str(folder)}
    started = subprocess.Popen(line, stderr=subprocess.PIPE, env=environment, text=True)
    with started:
        until(child.exists)
        assert any(folder.iterdir())
        started.send_signal(signal.SIGINT)
        assert "KeyboardInterrupt" in started.communicate(timeout=10)[1]
    process = int(child.read_text())
    try:
        until(lambda: not alive(process))
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    assert not any(folder.iterdir())


def test_the_cpu_has_the_same_name_each_time():
    first = cpu()
    _cache.forget()
    assert cpu() == first


def test_another_cpu_has_another_name(monkeypatch):
    names = set()
    for flags in ("avx", "avx avx2"):
        _cache.forget()
        monkeypatch.setattr(_compiler, "_facts", lambda flags=flags: {"flags": flags})
        names.add(cpu())
    assert len(names) == 2


def test_there_is_no_native_engine_on_windows(monkeypatch):
    monkeypatch.setattr(_compiler.sys, "platform", "win32")
    with pytest.raises(Unavailable, match="Windows"):
        compiler()
