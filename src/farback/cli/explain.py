"""What a member of farback is: its claim, equations, reference and how to read it."""

from __future__ import annotations

import json

import click

from .. import _catalogue
from ..errors import unknown

_EPILOG = """\b
Example:
  farback explain adjoint_decay"""


@click.command("explain", help=__doc__, epilog=_EPILOG)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verb(name: str, as_json: bool) -> None:
    """Read the docstring only; nothing is imported."""
    home = {member: room for room in _catalogue.rooms() for member in _catalogue.names(room)}
    if name not in home:
        raise unknown("member", name, home)
    room = home[name]
    text = _catalogue.docstring(room, name)
    if as_json:
        page = {"name": name, "room": room, "summary": text.partition("\n")[0], "text": text}
        click.echo(json.dumps(page, indent=1, ensure_ascii=False))
        return
    _print(f"{name} ({room})", text)


def _print(title: str, text: str) -> None:
    """Headings bold and equations coloured on a terminal; the bare text elsewhere."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(title, style="bold"))
    for number, line in enumerate(text.splitlines()):
        heading = number == 0 or line.strip().lower().startswith(("how to read it", "reference"))
        style = "bold" if heading else "cyan" if line.startswith("    ") else ""
        console.print(Text(line, style=style))
