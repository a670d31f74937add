"""The frame of every page: one file that holds its style, its script and what its charts need."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from .. import __version__
from ..errors import InputRefused
from ..flow import Measurement, Plane
from . import _ground, _palette
from ._facts import value_text
from ._figure import figure
from ._picture import Picture, table
from ._window import window

_ASSETS = files("farback.reports")


@dataclass(frozen=True)
class Drawing:
    """What a template needs of one chart or plane."""

    key: str
    title: str
    caption: str
    figure: dict[str, Any]
    header: list[str]
    rows: list[list[str]]


def drawing(drawn: Picture, key: str, height: int) -> Drawing:
    """A picture at a height, with the data behind it."""
    seen = window(drawn)
    header, rows = table(drawn)
    caption = " ".join(part for part in (drawn.caption, *drawn.notes, *seen.notes) if part)
    return Drawing(key, drawn.title, caption, figure(drawn, seen, height=height), header, rows)


def laid_out(measurement: Measurement, plane: Plane, key: str, height: int) -> Drawing:
    """A plane at a height, with a coarse table of it."""
    drawn = _ground.ground(measurement, plane)
    header, rows = _ground.table(drawn)
    caption = " ".join(part for part in (plane.caption, *drawn.notes) if part)
    return Drawing(key, plane.title, caption, _ground.figure(drawn, height=height), header, rows)


def render(template: str, **context: Any) -> str:
    """The page of a template."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(
        palette=_palette,
        value_text=value_text,
        version=__version__,
        style=_text("page.css"),
        script=_text("page.js"),
        plotly=files("plotly").joinpath("package_data/plotly.min.js").read_text("utf-8"),
        **context,
    )


def publish(text: str, path: str | os.PathLike[str]) -> Path:
    """Write `text` to `path`, whole or not at all."""
    target = Path(path)
    if not target.parent.is_dir():
        raise InputRefused(
            f"There is no folder {target.parent} to write the report into; make it first, "
            "or name another."
        )
    if target.is_dir():
        raise InputRefused(
            f"{target} is a folder; name a file for the report, say {target}/report.html."
        )
    if target.exists() and not target.is_file():
        raise InputRefused(f"{target} is no ordinary file to write the report into; name another.")
    draft = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(target)
    except OSError as error:
        raise InputRefused(
            f"The report cannot be written to {target} ({error.strerror}); name another place."
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    return target


def _text(name: str) -> str:
    return _ASSETS.joinpath(name).read_text("utf-8")
