"""Every file of code is short and opens with what it is; no text knows the writer's machine."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = [ROOT / room for room in ("src", "tests", "benchmarks")]
CODE = sorted(file for room in ROOMS for file in room.rglob("*.py"))
PAGES = [*ROOT.iterdir(), *(ROOT / "docs").rglob("*.md")]
KINDS = ("", ".md", ".toml", ".txt", ".cff")
TEXTS = [*CODE, *sorted(it for it in PAGES if it.is_file() and it.suffix in KINDS)]
TEXT = {it: it.read_text(encoding="utf-8") for it in TEXTS}
MACHINE = re.compile(r"(?<![\w.])/(?:" + "|".join(("work", "root", "home", "Users")) + r")/\w")


def offenders(files: list[Path], wrong: Callable[[str], object]) -> list[str]:
    """The files about whose text it is so."""
    return [str(it.relative_to(ROOT)) for it in files if wrong(TEXT[it])]


def is_long(text: str) -> bool:
    return len(text.splitlines()) > 300


def opens_with_nothing(text: str) -> bool:
    opening = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    return bool(text.strip()) and (not opening or opening.lower().startswith("this module"))


def test_a_file_has_at_most_300_lines() -> None:
    assert offenders(CODE, is_long) == []


def test_a_file_opens_with_what_it_is() -> None:
    assert offenders(CODE, opens_with_nothing) == []


def test_no_text_names_a_folder_of_one_machine() -> None:
    assert offenders(TEXTS, MACHINE.search) == []


def test_what_is_wrong_with_a_file_is_seen() -> None:
    assert CODE and set(CODE) < set(TEXTS)
    assert is_long("\n" * 301) and not is_long("\n" * 300)
    assert opens_with_nothing("x = 1") and opens_with_nothing('"""This module is one."""')
    assert not opens_with_nothing('"""What it is."""') and not opens_with_nothing("")
    assert MACHINE.search("at /" + "home/me") and not MACHINE.search("at home/me")
