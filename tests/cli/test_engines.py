"""The engines by the command line: what the machine has of them, and which one is asked to run."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from farback.engine import _machine
from farback.engine.native import _cache
from farback.engine.native._compiler import Compiler
from farback.results import Store


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Variables of the environment, as a process of their own would find them."""

    def change(**variables: str | Path) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, str(value))
        _cache.forget()

    yield change
    monkeypatch.undo()
    _cache.forget()


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that anybody may write to, from which nothing is loaded."""
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    return folder


@pytest.mark.usefixtures("has_compiler")
def test_list_engines_shows_what_the_machine_has(farback, environment, tmp_path):
    environment(FARBACK_CACHE=tmp_path / "cache")
    title, reference, native, kept = farback("list", "engines").out.splitlines()
    assert title == "engines"
    assert reference.startswith("  reference  torch 2.") and "; device cpu" in reference
    found = _machine.working()
    assert native.startswith(f"  native     {_machine.named(found)} ({found.path}); lanes: ")
    assert native.endswith(
        f" of float64; {_machine.threads()} thread{'s'[_machine.threads() == 1 :]}"
    )
    assert kept == f"{'':13}what is compiled is kept in {tmp_path / 'cache'}"


@pytest.mark.usefixtures("has_compiler")
def test_list_engines_as_json(farback):
    engines = json.loads(farback("list", "engines", "--json").out)["engines"]
    assert engines["reference"]["runs"] and "cpu" in engines["reference"]["devices"]
    native = engines["native"]
    assert native["runs"] and native["warning"] is None and Path(native["cache"]).is_dir()
    assert native["lanes"]["float32"] == 2 * native["lanes"]["float64"] >= 4


def test_list_engines_says_why_one_cannot_run(farback, environment):
    environment(CC="no-such-compiler")
    reason = "CC names no-such-compiler, which was not found; install one, e.g. apt install gcc"
    assert f"  native     cannot run here: {reason}" in farback("list", "engines").out
    native = json.loads(farback("list", "engines", "--json").out)["engines"]["native"]
    assert not native["runs"] and native["reason"].startswith(reason)


@pytest.mark.usefixtures("has_compiler")
def test_list_engines_says_why_nothing_is_kept(farback, environment, open_folder):
    environment(FARBACK_CACHE=open_folder)
    reason = f"compiled code is not kept ({open_folder} can be written to by others); set FARB"
    assert farback("list", "engines").out.splitlines()[-1].strip().startswith(reason)
    native = json.loads(farback("list", "engines", "--json").out)["engines"]["native"]
    assert native["cache"] is None and native["warning"].startswith(reason)


@pytest.mark.usefixtures("has_compiler")
def test_list_engines_loads_no_torch():
    code = (
        "import sys; from farback.cli import main\n"
        "assert main(['list', 'engines']) == 0 and 'torch' not in sys.modules"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert ended.returncode == 0


@pytest.mark.gpu
def test_the_devices_are_those_of_torch():
    assert "cuda" in _machine.devices()


@pytest.mark.parametrize(
    ("path", "said", "name"),
    [
        ("cc", "cc (Debian 12.2.0-14+deb12u1) 12.2.0", "cc 12.2.0"),
        ("gcc-13", "gcc-13 (GCC) 13.2.1 20230728 (Red Hat 13.2.1-1)", "gcc 13.2.1"),
        ("cc", "cc (GCC) 14.1.0", "gcc 14.1.0"),
        ("gcc", "gcc (crosstool-NG 1.24.0.133_b0863d8) 9.3.0", "gcc 9.3.0"),
        ("cc", "Debian clang version 14.0.6", "clang 14.0.6"),
        ("cc", "Apple clang version 15.0.0 (clang-1500.3.9.4)", "clang 15.0.0"),
        ("tcc", "tcc version 0.9.27 (x86_64 Linux)", "tcc 0.9.27"),
        ("made", "made by hand", "made"),
    ],
)
def test_a_compiler_is_called_by_its_name_and_version(tmp_path, path, said, name):
    assert _machine.named(Compiler(tmp_path / path, said)) == name


def test_a_wrong_engine_is_refused(farback, reber):
    ended = farback("train", *reber, "--sequences", "4", "--engine", "fast")
    assert ended.code == 2
    assert "'fast' is not one of 'auto', 'native', 'reference'" in ended.err


def test_train_says_which_engine_runs_and_why(farback, reber, short):
    ended = farback("train", *reber, *short)
    line = "Elman on EmbeddedReber: reference engine, since 4 sequences are done before a compiler"
    assert ended.err.startswith(f"{line} is\n") and ended.err.count(" engine") == 1
    ended = farback("train", *reber, *short, "--engine", "reference")
    assert ended.err.startswith("Elman on EmbeddedReber: reference engine, as asked for\n")


def test_train_refuses_an_engine_that_cannot_run(farback, environment, reber, short):
    environment(CC="no-such-compiler")
    ended = farback("train", *reber, *short, "--engine", "native")
    assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1)
    assert ended.err.startswith(
        "farback: The native engine cannot run this: CC names no-such-compiler, which was not found"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("has_compiler")
def test_a_users_cell_runs_natively_from_its_file(
    farback, environment, open_folder, mine, reber, tmp_path
):
    environment(FARBACK_CACHE=open_folder)
    words = ["--seeds", "1", "--sequences", "4", "--check", "2", "--store", tmp_path / "runs"]
    ended = farback("train", f"{mine}:MyCell", *reber[1:], *words, "--engine", "native")
    assert ended.code == 0, ended.err
    _, engine, cache = ended.err.splitlines()
    assert engine.startswith("MyCell on EmbeddedReber: native engine (")
    assert cache == (
        f"compiled code is not kept ({open_folder} can be written to by others); set FARBACK_CACHE"
    )
    assert "each trial by itself" in ended.out
    (run,) = Store(tmp_path / "runs").runs()
    assert run.versions["compiler"] == _machine.named(_machine.working())
    assert (run.trial.engine, run.trial.group) == ("native", 1)
    assert "my_cell.py:MyCell" in run.trial.sources
