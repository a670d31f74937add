"""What a member of farback is: its claim, equations, reference and how to read it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from .. import _catalogue
from ..errors import unknown

_EPILOG = """\b
Examples:
  farback explain adjoint_decay
  farback explain LSTM1997
  farback explain hochreiter1997_reber
  farback explain experiments.bengio1994_latch

Of an experiment it shows what the source leaves open, and what it claims."""


@click.command("explain", help=__doc__, epilog=_EPILOG)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verb(name: str, as_json: bool) -> None:
    """Read the docstring, and an experiment's outline; nothing is imported."""
    found = _catalogue.namesakes(name)
    if not found:
        known = [it for room in _catalogue.rooms() for it in _catalogue.names(room)]
        raise unknown("member", name, known)
    (room, file), *others = found
    also = [f"{other}.{it}" for other, it in others]
    text = _catalogue.docstring(room, file)
    outline = _outline(file) if room == "experiments" else None
    if as_json:
        page = {
            "name": file,
            "room": room,
            "class": _catalogue.class_name(room, file),
            "summary": text.partition("\n")[0],
            "text": text,
        }
        page |= {} if outline is None else {"outline": outline}
        page |= {"also": also} if also else {}
        click.echo(json.dumps(page, indent=1, ensure_ascii=False))
        return
    lines = [] if outline is None else _told(outline)
    for other in also:
        text = f"{text}\n\nOf the same name: farback explain {other}"
    _print(f"{file} ({room})", "\n".join([text, *lines]))


def _outline(name: str) -> dict[str, Any] | None:
    from ..experiments import _outline

    return _outline.read(name)


def _told(outline: dict[str, Any]) -> Iterator[str]:
    """The choices and the claims of an experiment."""
    yield from ("", "What the source leaves open (--option KEY=VALUE), with the default:")
    for it in outline["options"]:
        yield f"    {it['name']}={it['default']}  {it['meaning']}"
    yield from ("", f"What it claims, of {outline['trials']} trials a row:")
    for row in outline["rows"]:
        own = "" if row["trials"] == outline["trials"] else f", {row['trials']} trials"
        yield f"    {row['name']}  (cap {row['sequences']:,} sequences{own})"
        for claim in row["claims"]:
            yield f"        {_claim(claim)}"
        if row["note"]:
            yield f"        {row['note']}"


def _claim(claim: dict[str, Any]) -> str:
    number = claim["published"]
    said = claim["words"] if number is None else _number(number)
    tolerance = f", give or take {_number(claim['tolerance'])}" if claim["tolerance"] else ""
    return f"{claim['measure']} {said}{tolerance} ({claim['source']})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _print(title: str, text: str) -> None:
    """Headings bold and equations coloured on a terminal; the bare text elsewhere."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(title, style="bold"))
    for number, line in enumerate(text.splitlines()):
        heading = number == 0 or line.strip().lower().startswith(_HEADINGS)
        style = "bold" if heading else "cyan" if line.startswith("    ") else ""
        console.print(Text(line, style=style))


_HEADINGS = ("how to read it", "reference", "what the source leaves open", "what it claims")
