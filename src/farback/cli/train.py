"""One cell on one task under one learner, for many seeds side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ._laboratory import Seeds, announce, deliver, engine_option, expect_folder, going_on

_EPILOG = """\b
CELL, TASK and LEARNER are written as in Python, in quotes; a name alone takes
its defaults. Your own class is path/to/file.py:Name(...) or module:Name(...).

\b
Examples:
  farback train "LSTM1997(blocks=2, size=2)" "Adding(length=100)" \\
      "Descent(BPTT(), SGD(lr=0.5))" --seeds 10 --sequences 200000 --store runs/
  farback train my_cell.py:MyCell EmbeddedReber "Descent(BPTT, SGD(0.5))" --sequences 1000

The same command goes on after a stop: what the store holds is not run again."""


@click.command("train", help=__doc__, epilog=_EPILOG)
@click.argument("cell")
@click.argument("task")
@click.argument("learner")
@click.option("--seeds", type=Seeds(), default="10", show_default=True, help=Seeds.__doc__)
@click.option(
    "--sequences", type=click.IntRange(1), required=True, help="The budget of each trial."
)
@click.option(
    "--check",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Sequences between two looks at the criterion.",
)
@click.option("--store", type=click.Path(path_type=Path), help="Keep the results in this folder.")
@click.option(
    "--group",
    type=click.IntRange(1),
    default=32,
    show_default=True,
    help="Trials that the reference engine runs side by side; part of what makes a trial the same.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "float64"]),
    default="float32",
    show_default=True,
    help="The arithmetic.",
)
@click.option("--device", default="cpu", show_default=True, help="Where to run.")
@engine_option
@click.option("--json", "as_json", is_flag=True, help="Print the runs as JSON on stdout.")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as one page."
)
@click.option("--here", is_flag=True, help="Put the working directory on the import path.")
@click.pass_context
def verb(
    ctx: click.Context,
    cell: str,
    task: str,
    learner: str,
    store: Path | None,
    as_json: bool,
    html: Path | None,
    here: bool,
    **asked: Any,
) -> None:
    """Train, then show what came of it."""
    expect_folder(html)
    announce(cell, task, learner, here=here)
    from .. import _named
    from .._written import part
    from ..reports import _documents
    from ..trials import train

    parts = part(cell, "cells"), part(task, "tasks"), part(learner, "learners")
    with going_on(ctx.obj, store=store), _named.users_code(f"training {cell} on {task}"):
        runs = train(*parts, store=store, **asked)
    deliver(runs, _documents.of_runs(runs) if as_json else None, html)
