"""A sheet as one self-contained HTML page.

The first screen (1280 x 720) holds the sentence and the matrix with its intervals, and each square
leads to the learning curves and the trials behind it.
"""

from __future__ import annotations

from itertools import count

from ..results import Run
from ._frame import Drawing, drawing, render
from ._groups import facts
from ._learning import learning, solving
from ._picture import Picture
from ._sheet import Group, Sheet

HEIGHT = 300
ALONG = 380
MOST_SOLVING = 12
"""So many groups share the leading chart; with more, each is left to its own place."""


def page(sheet: Sheet) -> str:
    """The page as text."""
    keys = count()

    def draw(drawn: Picture, height: int = HEIGHT) -> Drawing:
        return drawing(drawn, f"chart-{next(keys)}", height)

    leads = [draw(it, ALONG) for it in sheet.pictures] + [draw(it) for it in _solving(sheet)]

    def curves(group: Group) -> list[Drawing]:
        return [draw(it) for it in learning(group.runs)]

    return render(
        "sheet.html.j2",
        sheet=sheet,
        leads=leads,
        curves=curves,
        trials=_trials,
        facts=facts,
    )


def _solving(sheet: Sheet) -> list[Picture]:
    """When the trials of each group were solved, where the groups are few."""
    by_name = {group.name: group.runs for group in sheet.groups if group.runs}
    return [solving(by_name)] if by_name and len(sheet.groups) <= MOST_SOLVING else []


def _trials(group: Group) -> tuple[list[str], list[list[str]]]:
    """A header, and one row for each trial of a group."""
    names = list(dict.fromkeys(name for run in group.runs for name in run.measures))
    header = ["seed", "outcome", "sequences", *names, "seconds", "id"]
    return header, [_trial(run, names) for run in group.runs]


def _trial(run: Run, names: list[str]) -> list[str]:
    measures = (f"{run.measures[name]:.6g}" if name in run.measures else "" for name in names)
    return [
        str(run.trial.seed),
        run.outcome,
        str(run.sequences),
        *measures,
        f"{run.seconds:.3g}",
        run.trial.id,
    ]
