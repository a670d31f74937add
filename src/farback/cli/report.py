"""One report from saved profiles: on the terminal, or as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

_EPILOG = """\b
Examples:
  farback report before.json
  farback report before.json after.json --html compare.html"""


@click.command("report", help=__doc__, epilog=_EPILOG)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the page to this file."
)
def verb(files: tuple[str, ...], html: Path | None) -> None:
    """Draw what was measured before; neither torch nor the model is needed."""
    from .. import flow, reports

    profiles = [flow.load(file) for file in files]
    if html is None:
        reports.show(profiles)
    else:
        click.echo(reports.report(profiles, html))
