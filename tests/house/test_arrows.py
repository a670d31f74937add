"""Imports point down the house, wherever they stand in a file."""

import ast
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[2] / "src" / "farback"
LAYERS = (
    {"types", "draws", "drawn", "errors"}
    | {"_arguments", "_axes", "_brief", "_catalogue", "_named", "_part", "_written"},
    {"engine"},
    {"cells", "tasks", "flow", "results"},
    {"_dice"},
    {"problem", "loading"},
    {"learners", "analyses"},
    {"probes", "trials"},
    {"experiments"},
    {"reports"},
    {"testing"},
    {"cli"},
    {"__init__", "__main__"},
)
LAYER = {room: layer for layer, rooms in enumerate(LAYERS) for room in rooms}


def imported(file: Path, house: Path = HOUSE) -> Iterator[str]:
    """The room behind each import of this package; the root itself (its version) has none."""
    package = ["farback", *file.relative_to(house).parts[:-1]]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            targets = [[*base, alias.name] for alias in node.names]
        else:
            continue
        yield from (t[1] for t in targets if t[0] == "farback" and len(t) > 1 and t[1] in LAYER)


def upward(file: Path, house: Path = HOUSE) -> list[str]:
    """The rooms that a file imports and that stand above or beside its own."""
    room = file.relative_to(house).parts[0].removesuffix(".py")
    above = {it for it in LAYER if it != room and LAYER[it] >= max(LAYER[room], 1)}
    return [it for it in imported(file, house) if it in above]


def test_imports_point_down() -> None:
    found = {str(file.relative_to(HOUSE)): upward(file) for file in HOUSE.rglob("*.py")}
    assert found
    assert {file: rooms for file, rooms in found.items() if rooms} == {}


def test_a_wrong_arrow_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "flow" / "wrong.py"
    file.parent.mkdir()
    file.write_text(
        "def late():\n    from ..cli import main\n    from .. import cells, errors, probes, load\n"
    )
    assert list(imported(file, tmp_path)) == ["cli", "cells", "errors", "probes"]
    assert upward(file, tmp_path) == ["cli", "cells", "probes"]
