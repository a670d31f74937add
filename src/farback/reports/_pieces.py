"""The pieces that everything in a terminal is put together from.

Every judgement is a word; colour only repeats it. Without a terminal, or with NO_COLOR, the same
lines come out as plain text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

STYLES = {"ok": "bold green", "watch": "bold yellow", "bad": "bold red"}

_UNPRINTABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def text(words: str, style: str = "") -> Text:
    """Text as it stands: no markup is read, and no control character reaches the terminal."""
    return Text(_UNPRINTABLE.sub("�", words), style=style, overflow="fold")


def grid() -> Table:
    """A table without lines or a heading."""
    return Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))


def listed(items: Iterable[str]) -> Table:
    """Each item behind a dash."""
    table = grid()
    for item in items:
        table.add_row("-", text(item))
    return table


def headed(title: str, body: RenderableType) -> Iterator[RenderableType]:
    """A part under its title."""
    yield ""
    yield Text(title, style="bold underline")
    yield body
