"""The stream of training sequences of a group of trials, and the sets that judge them.

Every sequence is a function of the trial's seed and of its number, so the stream may be drawn in
blocks of any length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy

import numpy as np
import torch
from jaxtyping import Int64, UInt64

from .._dice import Diced
from ..draws import Draws
from ..problem import CHUNK
from ..tasks._task import Task
from ..types import Sequences

_BLOCK_NUMBERS = 8_000_000
"""Numbers drawn and held at one time; sequences are drawn in blocks of about that size."""

_EXAM = 1024
"""Sequences that torch answers together at most: more do not fit the caches."""

_EXAM_NUMBERS = 32_000_000
"""Numbers of inputs that are answered together at most; making them takes some copies."""


class Feed:
    """What the trials of some seeds learn from and are judged by.

    Args:
        task: the task.
        seeds: one seed a trial.
        dtype: the type of its numbers.
        device: where they lie.
        together: sequences that are answered together when a set is judged, over all trials.
        numbers: numbers of their inputs at most.
    """

    def __init__(
        self,
        task: Task,
        seeds: Sequence[int],
        dtype: torch.dtype,
        device: torch.device | str,
        *,
        together: int = _EXAM,
        numbers: int = _EXAM_NUMBERS,
    ) -> None:
        self._task, self._seeds = task, tuple(seeds)
        self._together, self._most = together, numbers
        self._dtype, self._device = dtype, device
        one = task.sample(Draws(self._seeds[:1], "size", count=8))
        self._numbers = one.inputs.numel() / 8  # of a sequence
        self._training = self._training_set()

    def sequences(self, batch: int) -> Iterator[Sequences]:
        """Batches to learn from, without end, padded to whole chunks."""
        block = max(1, self.block // batch) * batch
        first = 0
        while True:
            drawn = self._block_from(first, block)
            for row in range(0, block, batch):
                yield drawn.rows(row, batch).padded(CHUNK)
            first += block

    @property
    def set(self) -> Sequences | None:
        """The fixed training set of every trial; None where anything is drawn afresh."""
        return None if isinstance(self._task, Diced) else self._training

    @property
    def seeds(self) -> tuple[int, ...]:
        """The trials'."""
        return self._seeds

    @property
    def order_keys(self) -> UInt64[np.ndarray, " R"] | None:
        """What `order` is drawn with; None where the set comes in turn."""
        return None if self._task.in_turn else Draws(self._seeds, "order").keys

    def order(self, first: int, count: int) -> Int64[np.ndarray, "R B"]:
        """Which of the fixed set come, from sequence number `first` on."""
        assert self._training is not None
        size = self._training.alive.shape[2]
        order = Draws(self._seeds, "order", first=first, count=count)
        if self._task.in_turn:
            return np.broadcast_to(order.numbers % size, order.shape).copy()
        return order.integers(high=size)

    def fresh(self, first: int, count: int) -> Sequences:
        """Sequences drawn afresh, from number `first` on, in float64; or their dice alone."""
        draws = Draws(self._seeds, "training", first=first, count=count)
        if self._training is None:
            return self._task.sample(draws)
        assert isinstance(self._task, Diced)
        return self._task.thrown(self._picked(first, count), draws)

    @property
    def block(self) -> int:
        """Sequences of each trial that are drawn together."""
        numbers = self._numbers * len(self._seeds)
        return int(min(1000, max(1, _BLOCK_NUMBERS // numbers)))

    def of(self, row: int) -> Feed:
        """What one trial of them is judged by."""
        return self.only([row])

    def only(self, rows: Sequence[int]) -> Feed:
        """The stream and the sets of some of the trials."""
        some = copy(self)
        some._seeds = tuple(self._seeds[row] for row in rows)
        if self._training is not None:
            some._training = self._training.trials(rows)
        return some

    def on(self, task: Task) -> Feed:
        """The stream and the sets of the same trials on another task."""
        sizes = {"together": self._together, "numbers": self._most}
        return Feed(task, self._seeds, self._dtype, self._device, **sizes)

    def training(self) -> Iterator[Sequences]:
        """The fixed training set, in parts; nothing where each sequence is drawn afresh."""
        if self._training is None:
            return
        for first in range(0, self._training.alive.shape[2], self._part):
            yield self._ready(self._training.rows(first, self._part))

    def test(self) -> Iterator[Sequences]:
        """The published test set, in parts. Drawn as it is read."""
        return self._drawn("test", self._task.test)

    def stop(self, count: int) -> Iterator[Sequences]:
        """Sequences to decide by whether a trial ends; none of them is in the test set."""
        return self._drawn("stop", count)

    def _drawn(self, purpose: str, count: int) -> Iterator[Sequences]:
        for first in range(0, count, self._part):
            part = min(self._part, count - first)
            draws = Draws(self._seeds, purpose, first=first, count=part)
            yield self._ready(self._task.test_set(draws, self._training))

    @property
    def _part(self) -> int:
        """Sequences of each trial that are answered together when a set is judged."""
        together = min(self._together, int(self._most / self._numbers))
        return max(1, together // len(self._seeds))

    def _block_from(self, first: int, count: int) -> Sequences:
        drawn = self.fresh if self.set is None else self._picked
        return drawn(first, count).to(self._dtype, self._device)

    def _picked(self, first: int, count: int) -> Sequences:
        assert self._training is not None
        return self._training.picked(torch.from_numpy(self.order(first, count)))

    def _training_set(self) -> Sequences | None:
        if self._task.training is None:
            return None
        return self._task.training_set(Draws(self._seeds, "set", count=self._task.training))

    def _ready(self, part: Sequences) -> Sequences:
        return part.padded(CHUNK).to(self._dtype, self._device)
