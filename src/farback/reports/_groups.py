"""Groups of trials, named so that a person can tell them apart.

A group's name is its number and the classes of the parts in which the groups differ. Its facts are
whole, as the trials were specified.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .._brief import brief, members
from ..results import Run, Runs
from ._sheet import Group

PARTS = ("cell", "task", "learner")
SETTINGS = ("budget", "check", "group", "dtype", "engine", "sources", "protocol")
MADE_WITH = ("device", "commit")
UNITS = {
    "budget": "sequences at most",
    "check": "sequences between two looks",
    "group": "trials side by side",
}


def groups(several: Iterable[Sequence[Run]], names: Sequence[str] | None = None) -> list[Group]:
    """A group for each of several runs, under `names` where they have names already."""
    held = [Runs(tuple(runs)) for runs in several]
    short = [_short(runs, held) for runs in held] if names is None else list(names)
    if len(held) > 1:
        short = [f"#{place} {name}" for place, name in enumerate(short, 1)]
    return [
        Group(name, _title(runs) if runs else "", facts(runs), runs)
        for name, runs in zip(short, held, strict=True)
    ]


def facts(runs: Sequence[Run], *, whole: bool = True) -> dict[str, str]:
    """What the trials have in common; the parts whole or in brief."""
    records = [run.record() for run in runs]
    found = {
        name: _told(name, values.pop(), whole=whole)
        for name in (*PARTS, *SETTINGS, *MADE_WITH)
        if len(values := {record[name] for record in records}) == 1
    }
    versions = {", ".join(f"{k} {v}" for k, v in run.versions.items()) for run in runs}
    if len(versions) == 1:
        found["versions"] = versions.pop()
    return {name: text for name, text in found.items() if text}


def _told(field: str, value: Any, *, whole: bool) -> str:
    if (field, value) == ("group", 1):
        return "each trial by itself"
    return " ".join(filter(None, (_label(field, value, whole=whole), UNITS.get(field))))


def label(field: str, value: Any) -> str:
    """A field's value as it stands beside a row."""
    return _label(field, value, whole=False)


def _label(field: str, value: Any, *, whole: bool) -> str:
    if value is None:
        return ""
    if field in PARTS:
        return str(value) if whole else brief(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _title(runs: Runs) -> str:
    trial = runs[0].trial
    return f"{brief(trial.cell)} on {brief(trial.task)} by {brief(trial.learner)}"


def _short(runs: Runs, others: Sequence[Runs]) -> str:
    """The classes of the parts in which the groups differ; of the cell, where they do not."""
    parts = [it for it in PARTS if len({getattr(one[0].trial, it) for one in others}) > 1]
    written = [getattr(runs[0].trial, it) for it in parts or PARTS[:1]]
    return ", ".join((members(it) or [it])[0] for it in written)
