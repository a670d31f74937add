"""The rooms of farback and their members, each with its first line."""

from __future__ import annotations

import json
import shutil
import sys
from textwrap import shorten

import click

from .. import _catalogue

_EPILOG = """\b
Examples:
  farback list
  farback list cells

A member goes by the name of its file and by that of its class."""


@click.command("list", help=__doc__, epilog=_EPILOG)
@click.argument("room", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verb(room: str | None, as_json: bool) -> None:
    """Read docstrings only; nothing is imported."""
    rooms = _catalogue.within(room) if room else list(_catalogue.rooms())
    listing = {
        room: {name: _catalogue.summary(room, name) for name in _catalogue.names(room)}
        for room in rooms
    }
    if as_json:
        click.echo(json.dumps(listing, indent=1, ensure_ascii=False))
        return
    for room, members in listing.items():
        click.secho(room, bold=True)
        classes = {name: _catalogue.class_name(room, name) for name in members}
        width = max(map(len, members), default=0)
        wide = max(map(len, classes.values()), default=0)
        for name, line in members.items():
            click.echo(_fitted(f"  {name:<{width}}  {classes[name]:<{wide}}  ", line))


def _fitted(names: str, line: str) -> str:
    """A line of a terminal; elsewhere nothing is cut off."""
    if not sys.stdout.isatty():
        return names + line
    room = shutil.get_terminal_size().columns - len(names)
    return names + shorten(line, max(room, 20), placeholder=" ...")
