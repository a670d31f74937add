"""What the verbs of the laboratory share: seeds, a user's own code, going on after a stop."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import _written
from ..errors import InputRefused, Stopped
from ..results.trial import MOST_TRIALS

if TYPE_CHECKING:
    from ..results import Runs


class Seeds(click.ParamType):
    """How many seeds, or which: 10, or 3,5,20-29."""

    name = "seeds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | list[int]:
        """A count stays one; a list is every seed of it."""
        try:
            if value.isdigit():
                return int(value)
            stretches = [_stretch(part) for part in value.split(",")]
            # One more than a run may have is enough to be refused.
            return list(islice(chain.from_iterable(stretches), MOST_TRIALS + 1))
        except ValueError:
            self.fail(f"'{value}' is no number of seeds; write 10, or which: 3,5,20-29", param, ctx)


def _stretch(part: str) -> range:
    first, _, last = part.partition("-")
    if int(last or first) < int(first):
        raise ValueError
    return range(int(first), int(last or first) + 1)


def engine_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """What runs the trials, the same for every verb that trains."""
    return click.option(
        "--engine",
        type=click.Choice(["auto", "native", "reference"]),
        default="auto",
        show_default=True,
        help="What runs the trials: compiled C, torch, or the first where it is faster "
        "and can be had (farback list engines).",
    )(command)


def announce(*texts: str, here: bool) -> None:
    """Say which of the user's code is about to be imported, and from where."""
    if here:
        sys.path.insert(0, str(Path.cwd()))
    yours = list(dict.fromkeys(source for text in texts for source in _written.sources(text)))
    if yours:
        click.echo(f"farback imports your code: {', '.join(yours)}", err=True)


def expect_folder(*files: Path | None) -> None:
    """Refuse a file that could not be written, before the work is done."""
    for file in files:
        if file is not None and not file.parent.is_dir():
            raise InputRefused(
                f"There is no folder {file.parent} to write {file} into; make it first."
            )


@contextmanager
def going_on(words: Sequence[str], *, store: Path | None) -> Iterator[None]:
    """After a stop, say with which command the rest is done."""
    try:
        yield
    except Stopped as stopped:
        again = [*words] if store is not None else [*words, "--store", "runs"]
        raise Stopped(f"{stopped}\n{shlex.join(['farback', *again])}") from None


def runs_of(stores: Iterable[str]) -> Runs:
    """The runs of several stores, each trial once."""
    from ..results import Runs, Store

    runs = Runs()
    for folder in stores:
        store = Store(folder)
        if not store.exists:
            came = "an empty folder" if store.path.is_dir() else "no folder"
            raise InputRefused(
                f"{folder} is {came}, expected a store; name one that farback train --store made."
            )
        runs += store.runs()
    return runs


def deliver(drawn: Any, document: str | None, html: Path | None) -> None:
    """Show results, or print their document; and write the page where one is asked for."""
    from .. import reports

    if document is None:
        reports.show(drawn)
    else:
        click.echo(document)
    if html is not None:
        click.echo(f"Report written to {reports.report(drawn, html)}.", err=True)
