"""The report room: draws profiles, runs, tables and comparisons, in the terminal or as one page.

It knows no analysis and no cell by name; a measurement says what lies on which axis, a run what was
counted, and this room draws it. Everything heavier than the standard library is imported inside the
two functions, so that asking for help costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from ..experiments._comparison import Comparison
    from ..experiments._reproduce import Reproduction
    from ..flow import Profile
    from ..results import Runs, Table

    Path_ = str | os.PathLike[str]
    Drawable = Profile | Path_ | Runs | Table | Comparison | Reproduction

__all__ = ["report", "show"]


def report(drawn: Drawable | Iterable[Drawable], path: str | os.PathLike[str]) -> Path:
    """Write one self-contained HTML page that needs no network, whole or not at all.

    Several profiles are compared side by side, and several runs are joined. The same input gives
    the same bytes.

    Args:
        drawn: what was measured: a profile, runs, a table, a comparison, the path of a saved
            profile or of a store; or several profiles, or several runs.
        path: where the page goes; an existing file is replaced.

    Raises:
        InputRefused: something cannot be read, or the page cannot be written there.
    """
    from ._frame import publish
    from ._gather import gather
    from ._sheet import Sheet

    things = gather(drawn)
    if isinstance(things, Sheet):
        from ._sheet_page import page as page_of_sheet

        return publish(page_of_sheet(things), path)
    from .html import page

    return publish(page(things), path)


def show(drawn: Drawable | Iterable[Drawable], console: Console | None = None) -> None:
    """Print in the terminal: what came out, the curves, the numbers, what to know of them.

    Args:
        drawn: as for `report`.
        console: a rich console to print on; standard output without it.
    """
    from ._gather import gather
    from ._sheet import Sheet

    things = gather(drawn)
    if isinstance(things, Sheet):
        from ._sheet_lines import display as display_sheet

        display_sheet(things, console)
    else:
        from .terminal import display

        display(things, console)
