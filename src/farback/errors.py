"""What farback says when it must refuse: one sentence, three parts.

Every message tells what came, what was expected and what to try. The command line turns the class
into its exit code, so that a script can tell a wrong word from a wrong model.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class FarbackError(Exception):
    """A refusal that its reader can act on."""

    exit_code = 4


class WrongUsage(FarbackError):
    """A name, an option or a combination of them that does not exist."""

    exit_code = 2


class InputRefused(FarbackError):
    """A model, batch, file or part of a trial that cannot be worked with as it is."""

    exit_code = 3


MOST_NAMES = 30
"""So many names are worth reading where none is near."""


def unknown(what: str, name: str, known: Iterable[str], *, where: str = "") -> WrongUsage:
    """The refusal of a name, with the near ones (or all, where none is near and they are few)."""
    names = sorted(set(known))
    near = get_close_matches(name, names, n=3) or names
    advice = ", ".join(near) if len(near) <= MOST_NAMES else "farback list"
    return WrongUsage(f"There is no {what} '{name}'{where}; try {advice}.")


def a(noun: str) -> str:
    """The noun with its article."""
    return f"an {noun}" if noun[:1].lower() in "aeiou" else f"a {noun}"


def expect(least: float, **numbers: float) -> None:
    """Refuse a number that is too small.

    Raises:
        WrongUsage: the first of them, by its name.
    """
    for name, number in numbers.items():
        if not number >= least:
            raise WrongUsage(
                f"{name} came as {number}, expected at least {least}; try {name}={least}."
            )


class Stopped(KeyboardInterrupt):
    """Stopped at a safe point; the message tells how to go on.

    Args:
        message: the sentence.
        finished: what was done until then, as the call would have returned it.
    """

    exit_code = 130

    def __init__(self, message: str, finished: Any = None) -> None:
        super().__init__(message)
        self.finished = finished
