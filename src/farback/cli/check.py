"""A cell, task, gradient, update or learner of your own, held to the contract of its kind."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from .. import _catalogue
from ..errors import WrongUsage, a
from ._laboratory import announce

_EPILOG = """\b
OBJECT is written as in Python, with the choices that are to be tried.

\b
Examples:
  farback check my_cell.py:MyCell
  farback check "my_cell.py:MyCell(hidden=7)" --inputs 2 --outputs 1
  farback check "Adding(length=20)"

Exits with 1 at the first claim that is broken."""


@click.command("check", help=__doc__, epilog=_EPILOG)
@click.argument("object_", metavar="OBJECT")
@click.option("--inputs", type=click.IntRange(1), help="I, for a cell that cannot have any number.")
@click.option("--outputs", type=click.IntRange(1), help="O, likewise.")
@click.option("--here", is_flag=True, help="Put the working directory on the import path.")
def verb(object_: str, here: bool, **sizes: int | None) -> None:
    """Find the contract by the kind, and hold the object to it."""
    announce(object_, here=here)
    from .. import _named, testing
    from .._written import read

    kinds = _kinds()
    made = read(object_, rooms=[it for room in kinds.values() for it in _catalogue.within(room)])
    kind = _kind(made, object_, kinds)
    asked = {name: size for name, size in sizes.items() if size is not None}
    if asked and kind != "cell":
        raise WrongUsage(
            f"--{next(iter(asked))} came with {a(kind)}, and is for cells; leave it out."
        )
    with _named.users_code(f"checking {object_}"):
        getattr(testing, f"check_{kind}")(made, **asked)
    click.echo(f"{object_} keeps the contract of {a(kind)}:")
    for claim in import_module(f"..testing.check_{kind}", __package__).CLAIMS:
        click.echo(f"  {claim}")


def _kinds() -> dict[str, str]:
    """The kinds that have a contract, with their rooms."""
    from .. import testing

    rooms = {_catalogue.singular(room): room for room in _catalogue.rooms()}
    return {kind: room for kind, room in rooms.items() if hasattr(testing, f"check_{kind}")}


def _kind(made: Any, text: str, kinds: dict[str, str]) -> str:
    for kind, room in kinds.items():
        if isinstance(made, _catalogue.kind(room)):
            return kind
    known = ", ".join(map(a, kinds))
    raise WrongUsage(
        f"{text} is {a(type(made).__name__)}, and there are contracts for {known}; "
        "inherit from one of those kinds."
    )
