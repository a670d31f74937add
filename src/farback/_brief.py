"""A part in brief: its repr without what its class takes for granted, read without importing it.

    LSTM1997(blocks=3, size=1, width=0.1, ...)    becomes    LSTM1997(blocks=3)

Defaults are read from the member's file. Of a user's own class none are known, so it stays whole.

>>> brief("SGD(lr=0.5)"), brief("Clip(norm=1.0)"), brief("not Python (")
('SGD(lr=0.5)', 'Clip()', 'not Python (')
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard

from . import _catalogue


def brief(written: str) -> str:
    """The same object, with the arguments only that differ from the defaults."""
    try:
        return _brief(ast.parse(written, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError):
        return written


def members(written: str) -> list[str]:
    """The names of all classes in a repr, each once, as they come."""
    try:
        tree = ast.parse(written, mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return []
    calls = (it.func for it in ast.walk(tree) if isinstance(it, ast.Call))
    return list(dict.fromkeys(it.id for it in calls if isinstance(it, ast.Name)))


def _brief(node: ast.expr) -> str:
    match node:
        case ast.Call(ast.Name(name), arguments, keywords):
            usual = _defaults(name)
            said = [_brief(it) for it in arguments] + [
                f"{it.arg}={_brief(it.value)}"
                for it in keywords
                if _value(it.value) != _value(usual.get(str(it.arg)))
            ]
            return f"{name}({', '.join(said)})"
        case ast.Tuple(entries):
            inside = ", ".join(map(_brief, entries))
            return f"({inside},)" if len(entries) == 1 else f"({inside})"
        case _:
            return ast.unparse(node)


def _value(node: ast.expr | None) -> Any:
    """What two ways to write one value have in common; nothing equals a missing one."""
    match node:
        case None:
            return object()
        case ast.Call(ast.Name(name), arguments, keywords):
            usual = _defaults(name)
            positional = dict(zip(usual, arguments, strict=False))
            given: dict[str, ast.expr | None] = (
                usual | positional | {str(it.arg): it.value for it in keywords}
            )
            return name, [(word, _value(it)) for word, it in given.items()]
        case _:
            try:
                return ast.literal_eval(node)
            except ValueError:
                return ast.dump(node)


@cache
def _defaults(cls: str) -> dict[str, ast.expr | None]:
    """The fields of a member's class in their order, with their defaults."""
    found = _catalogue.find(cls)
    return {} if found is None else _fields(_catalogue.path(*found), cls)


def _fields(file: Path, cls: str) -> dict[str, ast.expr | None]:
    """The fields that a class has and inherits, as its file and those beside it spell them."""
    if not file.is_file():
        return {}
    fields: dict[str, ast.expr | None] = {}
    body = _catalogue.syntax(file).body
    imported = {
        it.name: f"{node.module}.py" for node in body if _is_beside(node) for it in node.names
    }
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name == cls:
            for base in node.bases:
                if isinstance(base, ast.Name):
                    fields |= _fields(file.with_name(imported.get(base.id, file.name)), base.id)
            for line in node.body:
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                    fields[line.target.id] = line.value
    return fields


def _is_beside(node: ast.stmt) -> TypeGuard[ast.ImportFrom]:
    return isinstance(node, ast.ImportFrom) and node.level == 1
