"""How a run is getting on: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

_QUIET = 30.0
"""Seconds between two lines, without a terminal."""

_FRESH = 0.2
"""Seconds between two looks at the bar."""


class Progressing:
    """Shows on standard error how many trials are done, and how far the others are.

    Args:
        trials: trials in all.
        shown: False for silence.
    """

    def __init__(self, trials: int, *, shown: bool) -> None:
        self._console = Console(stderr=True)
        self._shown = shown
        self._trials, self._budget = trials, 0
        self._outcomes: Counter[str] = Counter()
        self._said: set[str] = set()
        self._name, self._told = "", time.monotonic()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[words]}"),
            TimeRemainingColumn(),
        )
        live = shown and self._console.is_terminal
        self._bar = Progress(*columns, console=self._console, disable=not live, transient=True)
        self._live = live

    def __enter__(self) -> Progressing:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def begin(self, name: str, budget: int, engine: str) -> None:
        """A group of trials begins, each with a budget of sequences, on an engine."""
        self._name, self._budget = name, budget
        self.say(f"{name}: {engine}")
        for task in self._bar.task_ids:
            self._bar.remove_task(task)
        self._task = self._bar.add_task(name, total=budget, words=self._words(0))

    def say(self, line: str | None) -> None:
        """A line that is worth reading once."""
        if self._shown and line and line not in self._said:
            self._said.add(line)
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def at(self, sequences: int) -> None:
        """The group has seen so many sequences."""
        now = time.monotonic()
        if not self._shown or now - self._told < (_FRESH if self._live else _QUIET):
            return
        self._told = now
        if self._live:
            self._bar.update(self._task, completed=sequences, words=self._words(sequences))
        else:
            line = f"{self._name}: {self._words(sequences)}"
            self._console.print(line, highlight=False, soft_wrap=True)

    def done(self, outcome: str) -> None:
        """One more trial is done."""
        self._outcomes[outcome] += 1

    def _words(self, sequences: int) -> str:
        done = sum(self._outcomes.values())
        said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self._outcomes.items()))
        trials = f"{done} of {self._trials} trials done" + (f" ({said})" if said else "")
        return f"{sequences:,} of {self._budget:,} sequences, {trials}"
