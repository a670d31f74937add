"""A published table run again, and our numbers beside its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .. import _catalogue
from ..errors import WrongUsage, unknown
from ._laboratory import Seeds, announce, deliver, engine_option, expect_folder, going_on

_EPILOG = """\b
Examples:
  farback list experiments
  farback reproduce hochreiter1997_temporal_order --row 6a --seeds 20 --store runs/
  farback reproduce hochreiter1997_reber --option truncated=False --sequences 40000

Exits with 1 when a published number lies outside ours. The same command goes on
after a stop."""

_ROOMS = ("cells", "tasks", "learners")


@click.command("reproduce", help=__doc__, epilog=_EPILOG)
@click.argument("name")
@click.option("--seeds", type=Seeds(), help=f"{Seeds.__doc__} Without it as many as in the source.")
@click.option(
    "--sequences", type=click.IntRange(1), help="The cap of every row; without it each row's own."
)
@click.option("--row", multiple=True, metavar="WORD", help="Only rows named so; may be repeated.")
@click.option(
    "--option",
    multiple=True,
    metavar="KEY=VALUE",
    help="A choice that the source leaves open, as in farback explain NAME; may be repeated.",
)
@engine_option
@click.option("--store", type=click.Path(path_type=Path), help="Keep the results in this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON on stdout.")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as one page."
)
@click.option("--here", is_flag=True, help="Put the working directory on the import path.")
@click.pass_context
def verb(
    ctx: click.Context,
    name: str,
    row: tuple[str, ...],
    option: tuple[str, ...],
    store: Path | None,
    as_json: bool,
    html: Path | None,
    here: bool,
    **asked: Any,
) -> None:
    """Run the rows, compare, show."""
    found = _catalogue.find(name, ["experiments"])
    if found is None:
        raise unknown("experiment", name, _catalogue.names("experiments"))
    expect_folder(html)
    announce(*option, here=here)
    from .. import _named
    from .._arguments import made
    from ..experiments import reproduce
    from ..reports import _documents

    experiment = made(_catalogue.member(*found), name, (), dict(map(_choice, option)))
    with going_on(ctx.obj, store=store), _named.users_code(f"reproducing {name}"):
        outcome = reproduce(experiment, rows=row or None, store=store, **asked)
    comparison = outcome.compare()
    deliver(outcome, _documents.of_comparison(comparison) if as_json else None, html)
    ctx.exit(0 if comparison.within else 1)


def _choice(text: str) -> tuple[str, Any]:
    """A choice's name and its value, which is read as it is written in Python."""
    from .._written import read

    key, equals, value = text.partition("=")
    if not (key.isidentifier() and equals):
        raise WrongUsage(f"--option came as '{text}', expected KEY=VALUE; try truncated=False.")
    try:
        return key, read(value, rooms=[it for room in _ROOMS for it in _catalogue.within(room)])
    except WrongUsage as refusal:
        if not value.isidentifier():
            raise
        raise WrongUsage(f"{refusal} A word is written in quotes: '{key}=\"{value}\"'.") from None
