"""Every public name and every verb and option has its place in the docs."""

import re
from importlib import import_module
from pathlib import Path

import click
import pytest

import farback
from farback.cli._verbs import Verbs

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "src" / "farback"
PYTHON = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
CLI = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")

ROOMS = sorted(
    ".".join(file.parent.relative_to(HOUSE).parts)
    for file in HOUSE.rglob("__init__.py")
    if file.parent != HOUSE and not any(part.startswith("_") for part in file.parent.parts)
)
NAMES = [("farback", name) for name in farback.__all__] + [
    (f"farback.{room}", name)
    for room in ROOMS
    for name in getattr(import_module(f"farback.{room}"), "__all__", ())
]
GROUP = Verbs(name="farback")
VERBS = GROUP.list_commands(click.Context(GROUP))


def command(verb: str) -> click.Command:
    found = GROUP.get_command(click.Context(GROUP), verb)
    assert found is not None
    return found


@pytest.mark.parametrize(("room", "name"), NAMES, ids=[".".join(it) for it in NAMES])
def test_a_public_name_stands_in_python_md(room: str, name: str) -> None:
    section = PYTHON.partition(f"\n## `{room}`\n")[2].partition("\n## ")[0]
    assert re.search(rf"`{name}\b", section), f"docs/python.md, section `{room}`, lacks `{name}`"


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_and_its_options_stand_in_cli_md(verb: str) -> None:
    section = CLI.partition(f"\n## farback {verb}\n")[2].partition("\n## ")[0]
    options = [it for p in command(verb).params for it in p.opts if it.startswith("--")]
    missing = [it for it in options if f"`{it}" not in section]
    assert section and not missing, f"docs/cli.md, section 'farback {verb}', lacks {missing}"


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_shows_an_example_in_its_help(verb: str) -> None:
    assert f"farback {verb}" in (command(verb).epilog or "")
