"""The references behind what was run, and how farback itself is cited."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from .. import __version__, _catalogue
from .._brief import members
from ..errors import unknown
from ._laboratory import runs_of

AUTHORS = "The farback authors"
TITLE = "farback: how far back a sequence model's error reaches"

_EPILOG = """\b
Examples:
  farback cite
  farback cite LSTM1997 embedded_reber adjoint_decay
  farback cite runs/"""


@click.command("cite", help=__doc__, epilog=_EPILOG)
@click.argument("what", nargs=-1, metavar="[STORE|NAME]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verb(what: tuple[str, ...], as_json: bool) -> None:
    """Read docstrings and stores; nothing is imported."""
    stores = [it for it in what if it and Path(it).is_dir()]
    found = dict.fromkeys(_named([it for it in what if it not in stores]))
    found |= dict.fromkeys(_behind(stores))
    references: dict[str, list[str]] = {f"{AUTHORS}, {TITLE}, version {__version__}.": ["farback"]}
    for name in found:
        references.setdefault(_reference(name), []).append(name)
    without = references.pop("", [])
    if as_json:
        page = [{"names": names, "reference": text} for text, names in references.items()]
        click.echo(json.dumps(page, indent=1, ensure_ascii=False))
        return
    for text, names in references.items():
        click.secho(", ".join(names), bold=True)
        click.echo(f"  {text}")
    if without:
        click.echo(f"Without a reference of their own: {', '.join(without)}.")


def _named(names: Iterable[str]) -> Iterator[str]:
    """The classes of members that go by file or by class."""
    for name in names:
        found = _catalogue.find(name)
        if found is None:
            known = [it for room in _catalogue.rooms() for it in _catalogue.names(room)]
            raise unknown("store or member", name, known)
        yield _catalogue.class_name(*found) or found[1]


def _behind(stores: Iterable[str]) -> Iterator[str]:
    """The classes in the trials of stores."""
    for run in runs_of(stores):
        for part in (run.trial.cell, run.trial.task, run.trial.learner):
            yield from members(part)


def _reference(name: str) -> str:
    """The paragraph of a member's docstring that begins with Reference; "" where there is none."""
    found = _catalogue.find(name)
    if found is None:
        return ""  # a user's own
    for paragraph in _catalogue.docstring(*found).split("\n\n"):
        heading, colon, text = " ".join(paragraph.split()).partition(": ")
        if colon and heading in ("Reference", "References"):
            return text
    return ""
