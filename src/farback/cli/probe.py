"""How far back the error of a model reaches, with its verdict."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .. import _catalogue
from ..errors import InputRefused, WrongUsage

if TYPE_CHECKING:
    from ..flow import Profile

_EPILOG = """\b
SUBJECT is one of
  pkg.module:name           a module, or a class or function that makes one
  path/to/file.py:name      the same, from one file; the import path stays as it is
  weights.safetensors       (.pt .pth .ckpt) known layers are rebuilt from names and
                            shapes; no code from the file ever runs
The name in --batch leads to (input, target), to an input alone, or to a
function that returns one of them.

\b
Examples:
  farback probe my_model.py:build --batch my_data.py:batch --needs 120 --html probe.html
  farback probe net.zoo:Tagger --batch net.data:batch --loss torch.nn.functional:cross_entropy
  farback probe weights.safetensors --json > probe.json

Exits with 1 when the verdict is bad."""

_WEIGHTS = (".safetensors", ".pt", ".pth", ".ckpt", ".bin")
_MODEL_ONLY = ("batch", "loss", "output", "layout", "chunk", "loss_times", "cells")


class _Steps(click.ParamType):
    """Whole numbers with commas between them."""

    name = "T,T,..."

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        try:
            return tuple(int(part) for part in value.split(","))
        except ValueError:
            self.fail(f"'{value}' is not a list of steps; write them as 10,20", param, ctx)


@click.command("probe", help=__doc__, epilog=_EPILOG)
@click.argument("subject")
@click.option("--batch", metavar="NAME", help="Where the batch comes from, as module:name.")
@click.option("--loss", metavar="NAME", help="A loss of (output, target), as module:name.")
@click.option("--needs", type=click.IntRange(1), metavar="LAG", help="The lag that the task needs.")
@click.option(
    "--depth",
    type=click.Choice(["quick", "standard", "deep"]),
    default="standard",
    show_default=True,
    help="How much to measure; deep recomputes in float64.",
)
@click.option(
    "--analysis", multiple=True, metavar="NAME", help="Only this analysis; may be repeated."
)
@click.option("--output", metavar="KEY", help="Which of several outputs the loss reads.")
@click.option("--layout", metavar="ORDER", help="batch-first, time-first, channels-first.")
@click.option("--chunk", type=click.IntRange(1), metavar="STEPS", help="Steps held at one time.")
@click.option(
    "--max-steps", type=click.IntRange(2), metavar="STEPS", help="Use no more than these."
)
@click.option("--loss-times", type=_Steps(), help="Steps whose error is followed, as 10,20.")
@click.option(
    "--cells", metavar="NAME", help="The submodule called once per step, as encoder.cell."
)
@click.option(
    "--floor",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=1e-3,
    show_default=True,
    help="The relative norm down to which the error counts as reaching.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all that is random.")
@click.option("--json", "as_json", is_flag=True, help="Print the profile as JSON on stdout.")
@click.option(
    "--save", type=click.Path(dir_okay=False, path_type=Path), help="Save the profile as JSON."
)
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the report as one page."
)
@click.option("--here", is_flag=True, help="Put the working directory on the import path.")
@click.pass_context
def verb(
    ctx: click.Context,
    subject: str,
    as_json: bool,
    save: Path | None,
    html: Path | None,
    here: bool,
    **asked: Any,
) -> None:
    """Probe, then show, save and draw; the verdict is the exit code."""
    for file in (save, html):
        if file is not None and not file.parent.is_dir():
            raise InputRefused(
                f"There is no folder {file.parent} to write {file} into; make it first."
            )
    for name in asked["analysis"]:
        _catalogue.docstring("analyses", name)  # a wrong name is told before torch is loaded
    asked["analyses"] = list(asked.pop("analysis")) or None
    measure = _weights if subject.endswith(_WEIGHTS) else _model
    profile = measure(subject, here=here, **asked)
    if save is not None:
        click.echo(f"Saved to {profile.save(save)}.", err=True)
    if as_json:
        click.echo(profile.to_json())
    _draw(profile, html, shown=not as_json)
    ctx.exit(1 if profile.verdict.severity == "bad" else 0)


def _draw(profile: Profile, html: Path | None, *, shown: bool) -> None:
    from .. import reports

    if shown:
        reports.show([profile])
    if html is not None:
        click.echo(f"Report written to {reports.report([profile], html)}.", err=True)


def _weights(subject: str, *, here: bool, **asked: Any) -> Profile:
    extra = [key for key in _MODEL_ONLY if asked.pop(key)]
    if extra or here:
        options = ", ".join("--" + key.replace("_", "-") for key in extra) or "--here"
        raise WrongUsage(
            f"{options} came with a file of weights, which is probed on stated noise; "
            "leave it out, or name the model as module:name."
        )
    from ..probes import probe_file

    return probe_file(subject, **asked)


def _model(
    subject: str,
    *,
    here: bool,
    batch: str | None,
    loss: str | None,
    **asked: Any,
) -> Profile:
    from .. import _named

    if batch is None:
        raise WrongUsage(
            f"A batch is missing, and {subject} is measured on one; "
            "try --batch my_data.py:batch, which returns (input, target)."
        )
    specs = {"SUBJECT": subject, "--batch": batch} | ({"--loss": loss} if loss else {})
    sources = dict.fromkeys(_named.split(spec, option)[0] for option, spec in specs.items())
    yours = [it for it in sources if it.partition(".")[0] != "torch" or it.endswith(".py")]
    if yours:
        click.echo(f"farback imports your code: {', '.join(yours)}", err=True)
    if here:
        sys.path.insert(0, str(Path.cwd()))

    import torch

    from ..probes import StepMap, probe

    def made(option: str) -> Any:
        found = _named.find(specs[option], option)
        if callable(found) and not isinstance(found, torch.nn.Module | StepMap):
            return _named.call(found, specs[option])
        return found

    model = made("SUBJECT")
    data = made("--batch")
    criterion = _named.find(loss, "--loss") if loss else None
    if isinstance(criterion, type):  # torch.nn:CrossEntropyLoss
        criterion = _named.call(criterion, specs["--loss"])
    with _named.users_code(f"probing {subject}"):
        return probe(model, data, loss=criterion, **asked)
