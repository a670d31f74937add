"""Every file of code is short and opens with what it is; no text knows the writer's machine."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = [ROOT / room for room in ("src", "tests", "benchmarks")]
CODE = sorted(file for room in ROOMS for file in room.rglob("*.py"))
PAGES = [*ROOT.iterdir(), *(ROOT / "docs").rglob("*.md")]
KINDS = ("", ".md", ".toml", ".txt", ".cff")
TEXTS = [*CODE, *sorted(it for it in PAGES if it.is_file() and it.suffix in KINDS)]
MACHINE = re.compile(r"(?<![\w.])/(?:" + "|".join(("work", "root", "home", "Users")) + r")/\w")


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", CODE, ids=name)
def test_a_file_has_at_most_300_lines(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize("file", CODE, ids=name)
def test_a_file_opens_with_what_it_is(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    opening = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    assert opening or not text.strip(), "no docstring"
    assert not opening.lower().startswith("this module"), opening


@pytest.mark.parametrize("file", TEXTS, ids=name)
def test_no_text_names_a_folder_of_one_machine(file: Path) -> None:
    assert not MACHINE.findall(file.read_text(encoding="utf-8"))
