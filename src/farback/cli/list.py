"""The rooms of farback and their members, each with its first line."""

from __future__ import annotations

import json
import shutil
import sys
from textwrap import shorten

import click

from .. import _catalogue
from ..errors import unknown

_EPILOG = """\b
Examples:
  farback list
  farback list cells
  farback list engines

A member goes by the name of its file and by that of its class. The engines are
told with what they find on this machine."""

_ENGINES = "engines"


@click.command("list", help=__doc__, epilog=_EPILOG)
@click.argument("room", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verb(room: str | None, as_json: bool) -> None:
    """Read docstrings only; nothing is imported but to try the engines."""
    if room == _ENGINES:
        _list_engines(as_json)
        return
    if room and room not in _catalogue.rooms():
        raise unknown("room", room, [*_catalogue.rooms(), _ENGINES])
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


def _list_engines(as_json: bool) -> None:
    from . import _engines

    engines = _engines.document()
    if as_json:
        click.echo(json.dumps({_ENGINES: engines}, indent=1, ensure_ascii=False))
        return
    click.secho(_ENGINES, bold=True)
    width = max(map(len, engines))
    for name, line in _engines.lines(engines):
        click.echo(f"  {name:<{width}}  {line}")


def _fitted(names: str, line: str) -> str:
    """A line of a terminal; elsewhere nothing is cut off."""
    if not sys.stdout.isatty():
        return names + line
    room = shutil.get_terminal_size().columns - len(names)
    return names + shorten(line, max(room, 20), placeholder=" ...")
