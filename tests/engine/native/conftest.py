"""A cache of a test's own, and who was asked to compile."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from farback.engine.native import _cache, _compiler
from farback.engine.native._cache import forget
from farback.engine.native._compiler import Compiler, compiler
from farback.engine.native._unavailable import Unavailable


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The cache of a machine that has a compiler; libraries that are not kept go with the test."""
    monkeypatch.setenv("FARBACK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "passing"))
    (tmp_path / "passing").mkdir()
    monkeypatch.delenv("CC", raising=False)
    forget()
    _cache._passing_of.cache_clear()
    try:
        compiler()
    except Unavailable as fact:
        pytest.skip(str(fact))
    yield tmp_path / "cache"
    _cache._passing_of.cache_clear()
    forget()


@pytest.fixture
def compiles(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders in which the compiler was asked to write."""
    folders: list[Path] = []
    compile = Compiler.compile

    def counted(self, source, library, defines):
        folders.append(library.parent.parent)
        compile(self, source, library, defines)

    monkeypatch.setattr(Compiler, "compile", counted)
    return folders


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile with less care, which takes less time; what is computed does not depend on it."""
    monkeypatch.setattr(_compiler, "FLAGS", compiled_with("-O1"))


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile with no care, which takes the least time where programs are short and run once."""
    monkeypatch.setattr(_compiler, "FLAGS", compiled_with("-O0"))


def compiled_with(level: str) -> tuple[str, ...]:
    return (level, *(it for it in _compiler.FLAGS if it != "-O3"))
