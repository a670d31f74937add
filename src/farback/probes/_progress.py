"""A progress bar for probes that take a while, on a terminal and nowhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

_PATIENCE = 1.0
"""Seconds before a bar appears."""


@contextmanager
def progress() -> Iterator[Callable[[int, int], None]]:
    """Yield advance(steps, total); a bar on standard error appears after a second."""
    if not sys.stderr.isatty():
        yield lambda steps, total: None
        return
    columns = TextColumn("following the error back"), BarColumn(), TimeRemainingColumn()
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    begun, task, done = time.monotonic(), None, 0

    def advance(steps: int, total: int) -> None:
        nonlocal task, done
        done += steps
        if task is None and time.monotonic() - begun > _PATIENCE:
            bar.start()
            task = bar.add_task("", total=total)
        if task is not None:
            bar.update(task, completed=done)

    try:
        yield advance
    finally:
        bar.stop()
