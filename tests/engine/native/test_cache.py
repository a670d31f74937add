"""What is compiled is kept once, whoever compiles at once; a bad place costs the keeping only."""

import ctypes
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cached import SOURCE, answer, libraries

from farback.engine.native import _cache, _compiler, _folder
from farback.engine.native._cache import build, forget, warning
from farback.engine.native._compiler import Compiler, compiler
from farback.engine.native._unavailable import Unavailable

pytestmark = pytest.mark.usefixtures("folder")


def start(code: str = "", **environment: str) -> subprocess.Popen[str]:
    """Another process, which builds and prints the answer."""
    text = f"from farback.engine.native import _cache, _compiler\n{code}\n"
    text += f"print(_cache.build({SOURCE!r}).answer())"
    return subprocess.Popen(
        [sys.executable, "-c", text],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **environment},
        text=True,
    )


def test_a_library_is_compiled_once_and_its_source_is_kept(folder, compiles):
    for _ in range(2):
        assert answer() == 42
        forget()
    assert compiles == [folder]
    [library] = libraries(folder)
    [text] = folder.glob("*.c")
    assert text.read_text() == SOURCE
    assert library.name.startswith(text.stem)
    assert sorted(folder.iterdir()) == sorted([library, text])
    assert [it.stat().st_mode & 0o777 for it in (folder, library, text)] == [0o700, 0o600, 0o600]


def test_in_one_process_the_same_source_is_the_same_library(folder):
    first = build(SOURCE, defines={"N": 1})
    shutil.rmtree(folder)
    assert build(SOURCE, defines={"N": 1}) is first
    assert not folder.exists()


def test_a_macro_makes_another_library():
    source = "int answer(void) { return N; }"
    assert [answer(source, N=n) for n in (3, 4, 3)] == [3, 4, 3]


def keys(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A key for each change of what a library depends on."""
    yield _cache.key(SOURCE, {})
    yield _cache.key(SOURCE + "\n", {})
    yield _cache.key(SOURCE, {"N": 1})
    yield _cache.key(SOURCE, {"N": 2})
    found = compiler()
    changes = {"path": Path("cc"), "version": "2", "arguments": ("-O1",)}
    for name, value in changes.items():
        with monkeypatch.context() as here:
            here.setattr(_cache, "compiler", lambda n=name, v=value: replace(found, **{n: v}))
            yield _cache.key(SOURCE, {})
    for place, name, value in (
        (_compiler, "FLAGS", ("-O1",)),
        (_compiler, "NATIVE", ()),
        (_compiler, "WIDE", ""),
        (_compiler, "LIBRARIES", ()),
        (_cache, "cpu", lambda: "another"),
        (_cache, "FORMAT", 0),
    ):
        with monkeypatch.context() as here:
            here.setattr(place, name, value)
            yield _cache.key(SOURCE, {})


def test_every_thing_that_a_library_depends_on_changes_its_key(monkeypatch):
    found = list(keys(monkeypatch))
    assert len(set(found)) == len(found)
    assert _cache.key(SOURCE, {}) == found[0]


def test_the_order_of_macros_does_not_matter(compiles):
    assert build(SOURCE, defines={"A": 1, "B": 2}) is build(SOURCE, defines={"B": 2, "A": 1})


@pytest.mark.slow
def test_processes_that_build_at_once_do_not_collide(folder):
    started = [start("input()") for _ in range(4)]
    for it in started:  # all of them stand at the gate before the first goes through it
        assert it.stdin is not None
        it.stdin.write("\n")
        it.stdin.flush()
    assert [it.communicate(timeout=30)[0] for it in started] == ["42\n"] * 4
    assert len(libraries(folder)) == 1
    assert len(list(folder.iterdir())) == 2


def test_a_killed_build_leaves_a_draft_that_is_swept_when_it_is_old(folder, tmp_path):
    path, child = tmp_path / "slow", tmp_path / "child"
    path.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo slow 1 && exit\n'
        f"echo $$ > '{child}.new'; mv '{child}.new' '{child}'\nexec sleep 30\n"
    )
    path.chmod(0o700)
    with start("_compiler.NATIVE = (); _compiler._facts = dict", CC=str(path)) as killed:
        end = time.monotonic() + 10
        while not child.exists():
            assert time.monotonic() < end
            time.sleep(0.01)
        killed.kill()
    os.kill(int(child.read_text()), signal.SIGKILL)
    [draft] = folder.iterdir()
    assert answer() == 42
    assert draft.exists()  # it may still have a builder
    os.utime(draft, (0, 0))
    answer("int answer(void) { return 1; }")
    assert not draft.exists()


def test_a_file_where_the_folder_should_be_costs_the_keeping_only(folder):
    folder.write_text("in the way")
    assert answer() == 42
    assert "File exists" in (warning() or "")


def test_a_folder_that_cannot_be_written_to_is_still_read(folder, compiles, monkeypatch):
    answer()
    forget()

    def refused(*args, **kwargs):
        raise PermissionError(errno.EROFS, "Read-only file system", str(folder))

    monkeypatch.setattr(_folder, "keep", refused)
    assert (answer(), warning()) == (42, None)
    assert len(compiles) == 1


@pytest.mark.parametrize(
    ("owner", "call"),
    [(Path, "mkdir"), (Path, "write_bytes"), (_folder, "_settle"), (Path, "replace")],
)
def test_a_full_disk_costs_the_keeping_only(folder, monkeypatch, owner, call):
    whole = getattr(owner, call)

    def full(path: Path, *args, **kwargs):
        if folder in (path, *path.parents):
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return whole(path, *args, **kwargs)

    monkeypatch.setattr(owner, call, full)
    assert answer() == 42
    assert "No space left on device" in (warning() or "")
    assert not folder.exists() or not any(folder.iterdir())


def test_a_compiler_that_meets_a_full_disk_writes_elsewhere(folder, monkeypatch):
    compile = Compiler.compile

    def full(self, source, library, defines):
        if folder in library.parents:
            raise _compiler.Refused("the C compiler failed: No space left on device")
        compile(self, source, library, defines)

    monkeypatch.setattr(Compiler, "compile", full)
    assert answer() == 42
    assert "No space left on device" in (warning() or "")


def test_without_any_folder_there_is_no_engine(folder, tmp_path):
    folder.write_text("in the way")
    (tmp_path / "passing").rmdir()
    with pytest.raises(Unavailable, match=r"^there is nowhere to compile to \(.*File exists; "):
        build(SOURCE)


def test_a_wrong_source_is_told_and_nothing_is_left(folder, tmp_path):
    with pytest.raises(Unavailable, match=r"^the C compiler .* failed: <stdin>:1:"):
        build("int answer(void) { return }")
    assert not any(folder.iterdir())
    assert warning() is None


def test_a_process_takes_its_own_folder_with_it_and_not_its_parents(tmp_path):
    (tmp_path / "file").write_text("in the way")
    code = (
        "import os, sys, tempfile\n"
        "_cache.build('int a;')\n"
        "if not (child := os.fork()): _cache.build('int b;'); sys.exit()\n"
        "os.waitpid(child, 0)\n"
        "print(len(os.listdir(tempfile.gettempdir())))"
    )
    passing = str(tmp_path / "passing")
    with start(code, FARBACK_CACHE=str(tmp_path / "file"), TMPDIR=passing) as started:
        assert started.communicate(timeout=30)[0] == "1\n42\n"
    assert not any((tmp_path / "passing").iterdir())


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"FARBACK_CACHE": "/a", "XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/a"),
        ({"XDG_CACHE_HOME": "/b", "HOME": "/c"}, "/b/farback/native"),
        ({"XDG_CACHE_HOME": "b", "HOME": "/c"}, "/c/.cache/farback/native"),
        ({"HOME": "/c"}, "/c/.cache/farback/native"),
    ],
)
def test_the_environment_says_where_libraries_are_kept(monkeypatch, said, place):
    monkeypatch.setattr(_cache.sys, "platform", "linux")
    for name in ("FARBACK_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert _cache.folder() == Path(place)


def test_without_a_home_the_keeping_is_lost_only(monkeypatch):
    monkeypatch.delenv("FARBACK_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def homeless() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    assert answer() == 42
    assert "there is no home folder" in (warning() or "")


def test_a_library_is_a_ctypes_library():
    assert isinstance(build(SOURCE), ctypes.CDLL)
