"""The criterion put to trials by the native engine: each set is answered in lanes.

A set that is not too large is laid out once for all trials. A block of lanes is asked no further
than until all of its trials have failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool

from .._dice import plain
from ..draws import Draws
from ..engine._machine import threads
from ..engine.native._lanes import Compiled
from ..engine.native._memory import Laid, Streamed, laid
from ..errors import InputRefused
from ..tasks._criterion import Tally
from ..tasks._task import Task
from ..types import Sequences
from ._exam import Last
from ._feed import Feed

_HELD = 30_000_000
"""Numbers of a set that are held for all trials; a larger set is drawn for each that needs it."""

_EVERYTHING = 1 << 40

_TOGETHER = 4_000_000
"""Numbers that are drawn and answered between two pauses."""


@dataclass(frozen=True)
class Part:
    """Some sequences of a set."""

    data: Laid | Streamed
    first: int
    count: int


class NativeJudge:
    """What decides whether trials are solved.

    Args:
        compiled: the program.
        task: the task.
        feed: the trials'.
        trials: how many.
        dtype: of their numbers.
        pause: called every now and then; what it raises ends the judging.
    """

    def __init__(
        self,
        compiled: Compiled,
        task: Task,
        feed: Feed,
        trials: int,
        dtype: torch.dtype,
        *,
        pause: Callable[[], None],
    ) -> None:
        self._pause = pause
        self._compiled, self._feed, self._dtype = compiled, feed, dtype
        self._task, self._criterion = task, task.criterion
        self._trials = trials
        self._held: dict[str, list[Part]] = {}
        self._stream = compiled.program.stream
        if type(plain(task)).test_set is not Task.test_set:
            self._stream = None
        self._sizes = {
            "training": task.training or 0,
            "test": task.test,
            "stop": task.criterion.test or 0,
        }
        one = task.sample(Draws((0,), "size"))
        self._numbers = one.inputs.numel() + 2 * one.targets.numel()

    def solved(
        self, params: list[np.ndarray], last: Last, open_to: Bool[np.ndarray, " R"]
    ) -> Bool[np.ndarray, " R"]:
        """The trials, of those in question, that meet the criterion."""
        may = open_to.copy()
        for name in self._criterion.on:
            if not may.any():
                break
            if name == "last":
                may &= self._met(name, last.tally())
                continue
            rows = np.flatnonzero(may)
            count = self._criterion.test
            kind = name if name == "training" or count is None else "stop"
            for some, tally in self._tallies(params, rows, kind, self._criterion.wrong):
                may[some] = self._met(name, tally)
        return may

    def measures(self, params: list[np.ndarray], rows: np.ndarray) -> list[dict[str, float]]:
        """What some trials answer to their training sets and to the whole published test sets."""
        found: dict[int, dict[str, float]] = {row: {} for row in rows.tolist()}
        if not found:
            return []
        for name in ("training", "test"):
            for some, tally in self._tallies(params, rows, name, _EVERYTHING):
                for place, row in enumerate(some.tolist()):
                    if tally.count:
                        found[row][f"{name}_wrong"] = float(tally.wrong[place])
                        found[row][f"{name}_count"] = float(tally.count)
                        found[row][f"{name}_error"] = float(tally.error[place])
        return list(found.values())

    def _tallies(
        self, params: list[np.ndarray], rows: np.ndarray, name: str, allowed: int
    ) -> Iterator[tuple[np.ndarray, Tally]]:
        """What trials answer to a set of theirs, some at a time."""
        if self._stream is not None and name != "training":
            data = self._stream.of(self._feed.seeds, name)
            yield rows, self._asked(params, rows, self._drawn(data, name, len(rows)), rows, allowed)
            return
        if self._sizes[name] * self._numbers * self._trials <= _HELD:
            if name not in self._held:
                self._held[name] = list(self._parts(self._feed, name))
            yield rows, self._asked(params, rows, self._held[name], rows, allowed)
            return
        together = self._compiled.lanes * threads()
        for first in range(0, len(rows), together):
            some = rows[first : first + together]
            own = self._parts(self._feed.only(some.tolist()), name)
            yield some, self._asked(params, some, own, np.arange(len(some)), allowed)

    def _asked(
        self,
        params: list[np.ndarray],
        rows: np.ndarray,
        parts: Iterable[Part],
        places: np.ndarray,
        allowed: int,
    ) -> Tally:
        """What the trials in `rows` answer to the sequences that stand at their `places`."""
        packed = self._compiled.packed(params, rows.tolist())
        lanes = self._compiled.lanes_of(places)
        wrong, error, count = np.zeros(len(rows), np.int64), np.zeros(len(rows)), 0
        for part in parts:
            verdicts, asked = self._compiled.examine(
                packed,
                lanes,
                part.data,
                first=part.first,
                count=part.count,
                allowed=allowed,
                threads=threads(),
            )
            seen = np.arange(part.count) < np.repeat(asked, self._compiled.lanes)[:, None]
            seen = seen[: len(rows)]
            wrong += (seen & ~verdicts.right[: len(rows)]).sum(1)
            # One after another: the sum does not depend on how long the parts are.
            off = np.where(seen, verdicts.error[: len(rows)], 0).astype(np.float64)
            error = np.cumsum(np.concatenate([error[:, None], off], 1), 1)[:, -1]
            count += part.count
            self._pause()
            if (wrong > allowed).all():
                break
        return Tally(wrong, error / max(count, 1), count)

    def _drawn(self, data: Streamed, name: str, trials: int) -> Iterator[Part]:
        """A set that the program draws."""
        together = max(1, _TOGETHER // (self._numbers * trials))
        for first in range(0, self._sizes[name], together):
            yield Part(data, first, min(together, self._sizes[name] - first))

    def _parts(self, feed: Feed, name: str) -> Iterator[Part]:
        """A set that is laid out in memory."""
        if name == "training":
            found = feed.training()
        else:
            found = feed.test() if name == "test" else feed.stop(self._sizes["stop"])
        for data in map(self.laid, found):
            yield Part(data, 0, data.count)

    def laid(self, part: Sequences) -> Laid:
        """Sequences as the program reads them.

        Raises:
            InputRefused: it reads one-hot inputs, and these are not.
        """
        data = laid(part, self._dtype)
        if self._compiled.program.hot and not data.hot:
            raise InputRefused(
                f"{self._task!r} shows inputs that are not one-hot after others that were; try "
                "engine='reference'."
            )
        return data

    def _met(self, name: str, tally: Tally) -> Bool[np.ndarray, " R"]:
        return replace(self._criterion, on=(name,)).met({name: tally})
