"""Every experiment in outline: what it leaves open, its rows and its claims, told without torch.

The experiments are the source; `outline.json` is written from them by

    python -m farback.experiments._outline

and a test tells when that is due.
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import asdict, fields
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from .. import _catalogue
from .._brief import brief

if TYPE_CHECKING:
    from ._experiment import Experiment

FILE = files("farback.experiments").joinpath("outline.json")


def read(name: str) -> dict[str, Any] | None:
    """The outline of one experiment; None where it is not written yet."""
    return json.loads(FILE.read_text("utf-8")).get(name)


def written() -> str:
    """What the file is to hold."""
    outlines = {
        name: outline(_catalogue.member("experiments", name)())
        for name in _catalogue.names("experiments")
    }
    return json.dumps(outlines, indent=1, ensure_ascii=False) + "\n"


def outline(experiment: Experiment) -> dict[str, Any]:
    """An experiment as data."""
    meanings = {
        name: text
        for cls in reversed(type(experiment).__mro__)
        for name, text in _arguments(inspect.getdoc(cls) or "")
    }
    return {
        "source": experiment.source,
        "trials": experiment.trials,
        "options": [
            {
                "name": it.name,
                "default": repr(getattr(experiment, it.name)),
                "meaning": meanings.get(it.name, ""),
            }
            for it in fields(experiment)
        ],
        "rows": [
            {
                "name": row.name,
                "cell": brief(repr(row.cell)),
                "task": brief(repr(row.task)),
                "learner": brief(repr(row.learner)),
                "sequences": row.sequences,
                "trials": row.trials or experiment.trials,
                "note": row.note,
                "claims": [asdict(claim) for claim in row.claims],
            }
            for row in experiment.rows()
        ],
    }


def _arguments(docstring: str) -> list[tuple[str, str]]:
    """Names and meanings in the Args section of a docstring."""
    section = docstring.partition("Args:\n")[2].partition("\n\n")[0]
    found = re.findall(r"^    (\w+): ((?:.*\n?)(?:^     +.*\n?)*)", section, re.MULTILINE)
    return [(name, " ".join(text.split())) for name, text in found]


if __name__ == "__main__":
    from pathlib import Path

    Path(str(FILE)).write_text(written(), encoding="utf-8")
