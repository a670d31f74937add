"""The verbs by the files of this folder, each imported only when it is called."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from .. import __version__
from .._catalogue import module_docstring
from ..errors import unknown

_HELP = "How far back does your sequence model's error reach, and what carries it further?"
_EPILOG = """\b
Examples:
  farback demo
  farback probe my_model.py:build --batch my_data.py:batch --needs 120 --html probe.html
  farback train LSTM1997 EmbeddedReber "Descent(BPTT, SGD(0.5))" --sequences 40000

\b
Exit codes: 0 fine, 1 a verdict, comparison or contract failed, 2 wrong usage,
3 input refused, 4 a fault in farback itself, 130 stopped."""


class Verbs(click.Group):
    """A group whose help reads the first line of each verb's file instead of importing it."""

    def __init__(self, **attributes: Any) -> None:
        version = click.version_option(__version__, message="farback %(version)s")
        super().__init__(
            help=_HELP,
            epilog=_EPILOG,
            no_args_is_help=True,
            subcommand_metavar="VERB [ARGS]...",
            **attributes,
        )
        version(self)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs, in the order of the alphabet."""
        return sorted(file.stem for file in Path(__file__).parent.glob("[!_]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one verb that is wanted."""
        if cmd_name not in self.list_commands(ctx):
            raise unknown("verb", cmd_name, self.list_commands(ctx))
        return import_module(f".{cmd_name}", __package__).verb

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs with their first lines."""
        folder = Path(__file__).parent
        with formatter.section("Verbs"):
            formatter.write_dl(
                [
                    (name, module_docstring(folder / f"{name}.py").partition("\n")[0])
                    for name in self.list_commands(ctx)
                ]
            )
