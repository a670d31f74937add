"""One self-contained HTML page for any profiles: no network, and the same bytes for the same input.

The page's order is that of its reader: the verdict, the leading curve, three numbers, what to try
and what was not checked on the first screen (1280 x 720); all else below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from ..flow import Chart, Measurement, Number, Plane, Profile
from ._facts import facts
from ._frame import Drawing, drawing, laid_out, render
from ._gather import names
from ._picture import leading, overlay, picture

HEIGHT, TALL = 300, 420
ROOMY, TIGHT = 620, 1000
"""So many letters beside the leading chart fit the first screen in large, and in smaller type."""


def page(profiles: Sequence[Profile]) -> str:
    """The page as text."""
    keys = count(1)
    called = names(profiles)
    lead = leading(profiles[0]) if len(profiles) == 1 else overlay(profiles, called)

    def draw(measurement: Measurement, chart: Chart) -> Drawing:
        return drawing(picture(measurement, chart), f"chart-{next(keys)}", HEIGHT)

    def lay(measurement: Measurement, plane: Plane) -> Drawing:
        return laid_out(measurement, plane, f"chart-{next(keys)}", TALL)

    return render(
        "page.html.j2",
        profiles=profiles,
        names=called,
        lead=drawing(lead, "chart-0", _lead_height(profiles)) if lead and lead.curves else None,
        numbers=_numbers(profiles, called),
        density=_density(profiles),
        draw=draw,
        lay=lay,
        facts=facts,
    )


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
