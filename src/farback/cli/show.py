"""The runs of a store as a table with intervals."""

from __future__ import annotations

import click

from ._laboratory import runs_of

_EPILOG = """\b
Fields are cell, task, learner, seed, budget, check, group, dtype, engine,
outcome and the like; values are solved, sequences, restricted (to the budget)
and every measure, as test_wrong.

\b
Examples:
  farback show runs/
  farback show runs/ --rows cell,learner --columns task --value sequences"""


@click.command("show", help=__doc__, epilog=_EPILOG)
@click.argument("stores", nargs=-1, required=True, metavar="STORE...")
@click.option("--rows", metavar="FIELDS", help="What tells rows apart; by default what differs.")
@click.option(
    "--columns",
    metavar="FIELDS",
    default="task",
    show_default=True,
    help="What tells columns apart.",
)
@click.option(
    "--value",
    "values",
    multiple=True,
    default=["solved"],
    show_default=True,
    help="What the entries tell of; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the tables as JSON on stdout.")
def verb(
    stores: tuple[str, ...],
    rows: str | None,
    columns: str,
    values: tuple[str, ...],
    as_json: bool,
) -> None:
    """Read the files; neither torch nor the user's code is needed."""
    from ..reports import _tabled

    runs = runs_of(stores)
    down, across = _fields(rows or ""), _fields(columns)
    if as_json:
        from ..reports import _documents

        tables = _tabled.tables(runs, rows=down, columns=across, values=values)
        click.echo(_documents.of_tables(tables, runs))
        return
    from ..reports import _sheet_lines

    title = ", ".join(stores)
    sheet = _tabled.of_runs(runs, rows=down, columns=across, values=values, title=title)
    _sheet_lines.display(sheet, learning=False)


def _fields(text: str) -> list[str]:
    return [it.strip() for it in text.split(",") if it.strip()]
