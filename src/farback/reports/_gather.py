"""What a report draws, however it was handed over: profiles, or results as one sheet."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import InputRefused, WrongUsage
from ..experiments._comparison import Comparison
from ..flow import Profile
from ..loading import load
from ..results import Runs, Table
from ._beside import of_comparison
from ._sheet import Sheet
from ._tabled import of_runs, of_table

LONGEST_NAME = 28


def gather(given: Any) -> tuple[Profile, ...] | Sheet:
    """Profiles as they are, results as a sheet; a path is loaded first."""
    if isinstance(given, Profile | Runs | str | os.PathLike) or not isinstance(given, Iterable):
        given = (given,)
    things = [_loaded(it) for it in given]
    if not things:
        raise WrongUsage(
            "A report got nothing to draw; give at least one profile, or the folder of a store."
        )
    if all(isinstance(it, Profile) for it in things):
        return tuple(things)
    if all(isinstance(it, Runs) for it in things):
        return of_runs(sum(things, Runs()), title=_titled(given))
    if len(things) > 1:
        kinds = ", ".join(dict.fromkeys(type(it).__name__ for it in things))
        raise InputRefused(
            f"A report got {kinds} together; draw profiles with profiles, and runs with runs."
        )
    return _sheet(things[0])


def names(profiles: Sequence[Profile]) -> tuple[str, ...]:
    """One short name for each profile; equal or shortened names are told apart by a number."""
    short = [_shortened(profile.subject) for profile in profiles]
    if len(set(short)) == len(short):
        return tuple(short)
    return tuple(f"{place} · {name}" for place, name in enumerate(short, 1))


def _shortened(subject: str) -> str:
    subject = " ".join(subject.split()) or "unnamed"
    return subject if len(subject) <= LONGEST_NAME else subject[: LONGEST_NAME - 1] + "…"


def _loaded(item: Any) -> Any:
    return load(item) if isinstance(item, str | os.PathLike) else item


def _titled(given: Iterable[Any]) -> str:
    """The folders that the runs come from."""
    folders = [os.fspath(it) for it in given if isinstance(it, str | os.PathLike)]
    return ", ".join(folders) or "Runs"


def _sheet(thing: Any) -> Sheet:
    """Of one thing that is neither a profile nor runs."""
    match thing:
        case Table():
            return of_table(thing)
        case Comparison():
            return of_comparison(thing)
    # A Reproduction, told by what it does, because importing its class would load torch.
    compare, found = getattr(thing, "compare", None), getattr(thing, "found", ())
    comparison = compare() if callable(compare) else None
    if isinstance(comparison, Comparison):
        return of_comparison(comparison, found)
    raise InputRefused(
        f"A report got a {type(thing).__name__}, not a profile; give what farback.probe, train, "
        "sweep or reproduce returned, or the path of a saved profile or of a store."
    )
