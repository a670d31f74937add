"""A trial names what it runs: its parts as written, and the source of a user's own classes."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from farback import cells, learners, tasks
from farback.cells.squashings import Tanh
from farback.errors import InputRefused, WrongUsage
from farback.learners import gradients, updates
from farback.trials._identity import sources, written

MINE = """
from dataclasses import dataclass
from farback.cells._cell import Cell

@dataclass(frozen=True)
class Mine(Cell):
    size: int = 2
    def parameters(self, generator, inputs, outputs):
        return {}
    def start(self, params):
        return 0
    def layout(self, params):
        return {"y": self.size}
    def step(self, params, state, x):
        return state
    def read(self, params, state, x):
        return state
"""


def imported(file: Path, text: str) -> ModuleType:
    file.write_text(text)
    spec = importlib.util.spec_from_file_location(f"{file.stem}_of_a_test", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


def test_farbacks_own_parts_have_no_source() -> None:
    learner = learners.Descent(gradients.BPTT(), updates.Chain((updates.Clip(1.0), updates.SGD())))
    assert sources(cells.LSTM1997(h=Tanh()), tasks.EmbeddedReber(), learner) == {}


@pytest.mark.parametrize("line", ["SCALE = 2.0", "class Other:\n    SCALE: float = 2.0"])
def test_an_edited_constant_of_a_file_is_told(tmp_path: Path, line: str) -> None:
    file = tmp_path / "mine.py"
    part = imported(file, f"{MINE}{line}\nKNOWN = []\nKNOWN.append(1)\nSIX = 3\nSIX *= 2").Mine()
    sources(part)
    file.write_text(file.read_text().replace("2.0", "3.0"))
    with pytest.raises(InputRefused, match="was changed after"):
        sources(part)


def test_a_users_file_may_be_called_like_one_of_pythons(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "code.py"
    module = imported(file, MINE)
    monkeypatch.setitem(sys.modules, "code", module)
    monkeypatch.setattr(module, "__file__", str(file))
    monkeypatch.setattr(module.Mine, "__module__", "code")
    assert list(sources(module.Mine())) == ["code.py:Mine"]


OTHERWISE = """
DEBUG = False
from math import pi as DEBUG
TWICE = 1
def TWICE(): pass
KNOWN = []
KNOWN.append(1)
SIX = 3
SIX *= 2
def late():
    global LATE
    LATE = 2
LATE = 1
late()
"""


@pytest.mark.parametrize("text", [OTHERWISE, "pi = 3\nfrom math import *"])
def test_a_constant_that_its_file_changes_itself_is_no_edit(tmp_path: Path, text: str) -> None:
    assert sources(imported(tmp_path / "mine.py", MINE + text).Mine())


def test_the_class_of_an_enum_is_a_users_too(tmp_path: Path) -> None:
    text = MINE + "    mode: object = None\nfrom enum import Enum\nclass Mode(Enum):\n    A = 1\n"
    module = imported(tmp_path / "mine.py", text)
    assert list(sources(module.Mine(mode=module.Mode.A))) == ["mine.py:Mine", "mine.py:Mode"]


@pytest.mark.parametrize("name", ["__main__", "builtins", "farback_file_mine"])
def test_a_class_made_of_text_has_no_source_and_is_told(name: str) -> None:
    namespace = {"__name__": name}
    exec(MINE, namespace)
    with pytest.raises(InputRefused, match="cannot be read"):
        sources(namespace["Mine"]())


def test_an_edited_class_has_another_source(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    before = sources(imported(file, MINE).Mine())
    after = sources(imported(file, MINE.replace("return state", "return -state")).Mine())
    assert list(before) == list(after) == ["mine.py:Mine"]
    assert before != after


def test_a_file_changed_after_its_import_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    mine = imported(file, MINE).Mine()
    file.write_text(MINE.replace("return state", "return -state"))
    with pytest.raises(InputRefused, match="was changed after mine_of_a_test"):
        sources(mine)


def test_a_helper_changed_after_its_import_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    helped = "def bend(x):\n    return x\n" + MINE
    mine = imported(file, helped).Mine()
    file.write_text(helped.replace("return x\n", "return -x\n", 1))
    with pytest.raises(InputRefused, match="was changed after"):
        sources(mine)


def test_two_classes_of_one_name_have_two_sources(tmp_path: Path) -> None:
    one = imported(tmp_path / "one.py", MINE).Mine()
    two = imported(tmp_path / "two.py", MINE + "# another\n").Mine()
    assert len(sources(one, two)) == 2


def test_a_repr_with_an_address_is_refused() -> None:
    with pytest.raises(WrongUsage, match="changes from run to run"):
        written(object())
