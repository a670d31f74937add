"""One report from saved profiles, or from the runs of a store: in the terminal, or as one page."""

from __future__ import annotations

from pathlib import Path

import click

_EPILOG = """\b
Examples:
  farback report before.json
  farback report before.json after.json --html compare.html
  farback report runs/ --html all.html"""


@click.command("report", help=__doc__, epilog=_EPILOG)
@click.argument("files", nargs=-1, required=True, metavar="FILE|STORE...")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the page to this file."
)
def verb(files: tuple[str, ...], html: Path | None) -> None:
    """Draw what was measured before; neither torch nor the model is needed."""
    from .. import reports

    if html is None:
        reports.show(files)
    else:
        click.echo(reports.report(files, html))
