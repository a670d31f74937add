"""The report room: draws any profile in the terminal or as one HTML file.

It knows no analysis by name; a measurement says what lies on which axis, and this room draws it.
Everything heavier than the standard library is imported inside the two functions, so that asking
for help costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from ..flow import Profile

    Drawable = Profile | str | os.PathLike[str]

__all__ = ["report", "show"]


def report(profiles: Drawable | Iterable[Drawable], path: str | os.PathLike[str]) -> Path:
    """Write one self-contained HTML page that needs no network, whole or not at all.

    Several profiles are compared side by side. The same profiles give the same bytes.

    Args:
        profiles: a profile, the path of a saved one, or several of either.
        path: where the page goes; an existing file is replaced.

    Raises:
        InputRefused: a profile cannot be read, or the page cannot be written there.
    """
    from ._gather import gather
    from .html import page, publish

    return publish(page(gather(profiles)), path)


def show(profiles: Drawable | Iterable[Drawable], console: Console | None = None) -> None:
    """Print profiles in the terminal: the verdict, the curve, the numbers, what to try.

    Args:
        profiles: a profile, the path of a saved one, or several of either.
        console: a rich console to print on; standard output without it.
    """
    from ._gather import gather
    from .terminal import display

    display(gather(profiles), console)
