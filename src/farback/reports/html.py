"""One self-contained HTML page for any profiles: no network, and the same bytes for the same input.

The page's order is that of its reader: the verdict, the leading curve, three numbers, what to try
and what was not checked on the first screen (1280 x 720); all else below it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

import jinja2

from .. import __version__
from ..errors import InputRefused
from ..flow import Chart, Measurement, Number, Profile
from . import _palette
from ._facts import facts, value_text
from ._figure import figure
from ._gather import names
from ._picture import Picture, leading, overlay, picture, table
from ._window import window

HEIGHT = 300
ROOMY, TIGHT = 620, 1000
"""So many letters beside the leading chart fit the first screen in large, and in smaller type."""


@dataclass(frozen=True)
class Drawing:
    """What the template needs of one chart."""

    key: str
    title: str
    caption: str
    figure: dict[str, Any]
    header: list[str]
    rows: list[list[str]]


def page(profiles: Sequence[Profile]) -> str:
    """The page as text."""
    assets = files("farback.reports")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(assets.joinpath("page.html.j2").read_text("utf-8"))
    keys = count(1)
    called = names(profiles)
    lead = leading(profiles[0]) if len(profiles) == 1 else overlay(profiles, called)

    def draw(measurement: Measurement, chart: Chart) -> Drawing:
        return _drawing(picture(measurement, chart), f"chart-{next(keys)}", HEIGHT)

    return template.render(
        profiles=profiles,
        names=called,
        lead=_drawing(lead, "chart-0", _lead_height(profiles)) if lead and lead.curves else None,
        numbers=_numbers(profiles, called),
        density=_density(profiles),
        draw=draw,
        facts=facts,
        value_text=value_text,
        palette=_palette,
        version=__version__,
        style=assets.joinpath("page.css").read_text("utf-8"),
        script=assets.joinpath("page.js").read_text("utf-8"),
        plotly=files("plotly").joinpath("package_data/plotly.min.js").read_text("utf-8"),
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


def _drawing(drawn: Picture, key: str, height: int) -> Drawing:
    seen = window(drawn)
    header, rows = table(drawn)
    caption = " ".join(part for part in (drawn.caption, *drawn.notes, *seen.notes) if part)
    return Drawing(key, drawn.title, caption, figure(drawn, seen, height=height), header, rows)


def _numbers(
    profiles: Sequence[Profile], called: Sequence[str]
) -> list[tuple[str, list[Number | None]]]:
    """The first three numbers of each leading measurement: a label, one number for each profile."""
    found = [
        {number.label: number for number in p.measurements[p.lead].numbers[:3]}
        if p.lead in p.measurements
        else {}
        for p in profiles
    ]
    labels = dict.fromkeys(label for numbers in found for label in numbers)
    return [(label, [numbers.get(label) for numbers in found]) for label in labels]


def _density(profiles: Sequence[Profile]) -> str:
    """How small the words must be set for the first screen to hold them."""
    letters = sum(
        len(text)
        for profile in profiles
        for text in (
            *(remedy.what + remedy.why for remedy in profile.verdict.remedies),
            *profile.verdict.unchecked,
        )
    )
    return "roomy" if letters <= ROOMY else "close" if letters <= TIGHT else "tight"


def _lead_height(profiles: Sequence[Profile]) -> int:
    """What the sentences leave of the first screen to the chart under them."""
    if len(profiles) == 1:
        return max(280, 484 - 33 * -(-len(profiles[0].verdict.sentence) // 105))
    lines = sum(1 + -(-len(profile.verdict.sentence) // 88) for profile in profiles)
    return max(260, 490 - 25 * lines - 12 * len(profiles))
