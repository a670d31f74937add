"""The profiles that a report draws, however they were handed over, and a short name for each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import InputRefused, WrongUsage
from ..flow import Profile, load

LONGEST_NAME = 28


def gather(profiles: Any) -> tuple[Profile, ...]:
    """Profiles from one profile, one saved file, or several of either."""
    if isinstance(profiles, Profile | str | os.PathLike) or not isinstance(profiles, Iterable):
        profiles = (profiles,)
    items: Iterable[Any] = profiles
    found = tuple(_one(item) for item in items)
    if not found:
        raise WrongUsage(
            "A report got no profile; give at least one profile or saved profile file."
        )
    return found


def names(profiles: Sequence[Profile]) -> tuple[str, ...]:
    """One short name for each profile; equal or shortened names are told apart by a number."""
    short = [_shortened(profile.subject) for profile in profiles]
    if len(set(short)) == len(short):
        return tuple(short)
    return tuple(f"{place} · {name}" for place, name in enumerate(short, 1))


def _shortened(subject: str) -> str:
    subject = " ".join(subject.split()) or "unnamed"
    return subject if len(subject) <= LONGEST_NAME else subject[: LONGEST_NAME - 1] + "…"


def _one(item: Any) -> Profile:
    match item:
        case Profile():
            return item
        case str() | os.PathLike():
            return load(item)
        case _:
            raise InputRefused(
                f"A report got a {type(item).__name__}, not a profile; give what farback.probe "
                "returned, or the path of a saved profile."
            )
