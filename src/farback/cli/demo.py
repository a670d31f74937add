"""The probe on real input: two nets that read handwritten digits pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import click

from ..errors import InputRefused

_EPILOG = """\b
Example:
  farback demo --html demo.html

A tanh RNN and an LSTM are probed as PyTorch makes them, trained for a short
while and probed again: how far back does each error reach, before and after?"""

_SEED = 0
_PROBED = 128
"""Test images in the batch of each probe."""


@click.command("demo", help=__doc__, epilog=_EPILOG)
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("farback-demo.html"),
    show_default=True,
    help="Write the report that compares them to this file.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    help="Passes over the training images.",
)
def verb(html: Path, epochs: int) -> None:
    """Probe, train, probe again; the verdicts are the lesson and not the exit code."""
    if not html.parent.is_dir():
        raise InputRefused(f"There is no folder {html.parent} for {html.name}; make it first.")
    from torch.nn import functional

    from .. import reports
    from ..probes import probe
    from . import _digits

    training, test = _digits.digits(seed=_SEED)
    batch = (test.pixels[:_PROBED], test.labels[:_PROBED])
    needs = _digits.STEPS - 1
    profiles = []
    for name, model in _digits.readers(seed=_SEED).items():
        for state in ("at the start", "trained"):
            if state == "trained":
                steps = _digits.train(model, training, epochs=epochs, seed=_SEED)
                for _ in _shown(steps, name=name, epochs=epochs):
                    pass
            right = _digits.accuracy(model, test)
            click.echo(f"Probing the {name} {state} ({right:.0%} of test images right).", err=True)
            profile = probe(model, batch, loss=functional.cross_entropy, needs=needs)
            profiles.append(replace(profile, subject=f"{name}, {state}"))
            click.echo(f"{name}, {state}: [{profile.verdict.severity}] {profile.verdict}")
    click.echo(f"The report: {reports.report(profiles, html)}")


def _shown(losses: Iterable[float], *, name: str, epochs: int) -> Iterator[float]:
    """Pass the losses on, with a bar on a terminal and a line now and then elsewhere."""
    from rich import progress
    from rich.console import Console

    console = Console(stderr=True)
    columns = (
        progress.TextColumn("Training the {task.fields[name]}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("epochs{task.fields[loss]}"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=epochs, name=name, loss="")
        for epoch, loss in enumerate(losses, start=1):
            bar.update(task, completed=epoch, loss=f", loss {loss:.3f}")
            if not console.is_terminal and (epoch % 10 == 0 or epoch == epochs):
                console.print(f"Training the {name}: epoch {epoch} of {epochs}, loss {loss:.3f}")
            yield loss
