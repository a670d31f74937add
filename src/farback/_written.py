"""Objects read as they are written in Python, without eval.

    text     = call | name | constant | tuple | list
    call     = name "(" [text {"," text}] {"," word "=" text} ")"
    name     = the class of a member, as LSTM1997, or a user's own, as my_file.py:MyCell
    constant = a number, a string, None, True, False, inf, nan

A name alone means a call without arguments. An object's repr is its configuration, and reads back
as an equal object.

    >>> read("Descent(BPTT(), SGD(lr=0.5))", rooms=within("learners"))
    Descent(gradient=BPTT(), update=SGD(lr=0.5), batch=1, per_step=False)
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import _catalogue, _named
from ._arguments import bound, made
from ._catalogue import within
from .errors import WrongUsage, a, unknown

_OWN = re.compile(r"""('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|([^\s(),=\[\]'"]+:[^\W\d][\w.]*)""")
"""A string, which is passed over, or the name of a user's own object."""

LONGEST = 80
"""Letters of somebody's text that a sentence repeats."""

_NUMBERS = {"inf": float("inf"), "nan": float("nan")}


def read(text: str, *, rooms: Sequence[str]) -> Any:
    """The object that `text` spells, made of members of the rooms and of a user's own classes.

    Args:
        text: as one writes it in Python.
        rooms: where names are looked up, in this order.

    Raises:
        WrongUsage: a name, an argument or a value that does not exist, with what does.
        InputRefused: the user's own code failed.
    """
    plain, own = _placeholders(text)
    try:
        tree = ast.parse(plain.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise WrongUsage(
            f"{_short(text)!r} cannot be read ({reason}); write it as in Python, say "
            '"LSTM1997(blocks=2, size=2)" in quotes.'
        ) from None
    return _Reader(tuple(rooms), own).value(tree)


def part(text: str, room: str) -> Any:
    """The member of a room that `text` spells, or a user's own object of that kind."""
    made = read(text, rooms=within(room))
    if not isinstance(made, _catalogue.kind(room)):
        one = _catalogue.singular(room)
        raise WrongUsage(
            f"{_short(text)!r} is {a(type(made).__name__)}, expected {a(one)}; "
            f"try farback list {room}."
        )
    return made


def sources(text: str) -> list[str]:
    """The files and modules of a user's own that reading `text` would import."""
    found = _placeholders(text)[1].values()
    return list(dict.fromkeys(spec.rpartition(":")[0] for spec in found))


def _placeholders(text: str) -> tuple[str, dict[str, str]]:
    """The text with a plain name for each of a user's own, and what those stand for."""
    own: dict[str, str] = {}

    def hide(found: re.Match[str]) -> str:
        if found[2] is None:
            return found[0]
        name = f"own_{len(own)}_"
        own[name] = found[2]
        return name

    return _OWN.sub(hide, text), own


@dataclass(frozen=True)
class _Reader:
    """Where names are looked up."""

    rooms: tuple[str, ...]
    own: Mapping[str, str]

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(str() | int() | float() | None as value):
                return value
            case ast.UnaryOp(ast.USub(), operand):
                return -self._number(operand)
            case ast.Tuple(entries):
                return tuple(map(self.value, entries))
            case ast.List(entries):
                return list(map(self.value, entries))
            case ast.Name("inf" | "nan" as name):
                return _NUMBERS[name]
            case ast.Name(name):
                return self._made(name, [], {})
            case ast.Call(ast.Name(name), arguments, keywords):
                given = {str(it.arg): self.value(it.value) for it in keywords if it.arg}
                if len(given) < len(keywords):
                    raise WrongUsage(f"{self._shown(node)} gives an argument twice or unpacks one.")
                return self._made(name, list(map(self.value, arguments)), given)
            case _:
                raise WrongUsage(
                    f"{self._shown(node)} is no call, name, number, string, tuple or list, and "
                    "nothing else is read; write the value itself."
                )

    def _number(self, node: ast.expr) -> int | float:
        value = self.value(node)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WrongUsage(f"-{self._shown(node)} is no number; leave the minus out.")
        return value

    def _made(self, name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        if name not in self.own:
            return made(self._member(name), name, arguments, keywords)
        spec = self.own[name]
        found = _named.find(spec, "the object")
        if not (inspect.isclass(found) or inspect.isroutine(found)):
            if arguments or keywords:
                raise WrongUsage(f"{spec} is an object already; name it without arguments.")
            return found
        if inspect.isabstract(found):
            lacking = ", ".join(sorted(vars(found)["__abstractmethods__"]))
            raise WrongUsage(f"{spec} is not finished: it lacks {lacking}; write them.")
        given = bound(found, spec, arguments, keywords)
        with _named.users_code(f"calling {spec}"):
            return found(*given.args, **given.kwargs)

    def _member(self, name: str) -> type[Any]:
        found = _catalogue.find(name, self.rooms)
        if found is not None:
            return _catalogue.member(*found)
        inside = {it for room in self.rooms for it in within(room)[1:]}
        outer = [_catalogue.singular(room) for room in self.rooms if room not in inside]
        wanted, elsewhere = " or ".join(outer), _catalogue.find(name)
        if elsewhere is not None:
            raise WrongUsage(
                f"{name} is {a(_catalogue.singular(elsewhere[0]))}, expected {a(wanted)} or what "
                f"one is made of; try farback list {self.rooms[0]}."
            )
        known = [it for room in self.rooms for it in _catalogue.class_names(room)]
        raise unknown(wanted, name, ["True", "False", "None", *known])

    def _shown(self, node: ast.expr) -> str:
        text = ast.unparse(node)
        for name, spec in self.own.items():
            text = text.replace(name, spec)
        return _short(text)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + " ..."
