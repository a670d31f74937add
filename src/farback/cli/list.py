"""The rooms of farback and their members, each with its first line."""

from __future__ import annotations

import json

import click

from .. import _catalogue

_EPILOG = """\b
Example:
  farback list analyses"""


@click.command("list", help=__doc__, epilog=_EPILOG)
@click.argument("room", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verb(room: str | None, as_json: bool) -> None:
    """Read docstrings only; nothing is imported."""
    rooms = [room] if room else list(_catalogue.rooms())
    listing = {
        room: {name: _catalogue.summary(room, name) for name in _catalogue.names(room)}
        for room in rooms
    }
    if as_json:
        click.echo(json.dumps(listing, indent=1, ensure_ascii=False))
        return
    for room, members in listing.items():
        click.secho(room, bold=True)
        width = max(map(len, members), default=0)
        for name, line in members.items():
            click.echo(f"  {name:<{width}}  {line}")
