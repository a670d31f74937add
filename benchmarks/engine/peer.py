"""A peer: one way to train all trials of a workload, and how fast it does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from workloads import Arrays, Workload, examples, parameters, reference

TOLERANCE = 1e-4
_CALL = 0.05
"""Seconds that one call is to take at least."""


class Trainer(Protocol):
    """All trials in the midst of their training."""

    def advance(self, updates: int) -> None:
        """So many updates of every trial; comes back when they are done."""

    def gradient(self, params: Arrays, examples: np.ndarray) -> Arrays:
        """The derivatives that `advance` descends along."""


class Peer:
    """One way to train.

    Args:
        name: whose way it is.
        workload: what is trained.
        trials: how many at once.
        build: makes the trainer.
        variant: how it is set up; of the variants of a name the fastest counts.
    """

    def __init__(
        self,
        name: str,
        workload: Workload,
        trials: int,
        build: Callable[[], Trainer],
        variant: str = "",
    ) -> None:
        self.name, self.workload, self.trials, self.variant = name, workload, trials, variant
        self.compile_seconds = 0.0
        self._build = build
        self._trainer: Trainer | None = None
        self._updates = 1

    def prepare(self) -> None:
        """Build and compile, and find how many updates make a call long enough to be timed."""
        begun = time.perf_counter()
        self._trainer = self._build()
        self._trainer.advance(1)
        first = time.perf_counter() - begun
        self.compile_seconds = max(0.0, first - self._timed(1))
        while self._timed(self._updates) < _CALL:
            self._updates *= 2

    def error(self) -> float:
        """How far gradients are from the reference: the largest, relative to each parameter's."""
        params, data = parameters(self.workload, self.trials), examples(self.workload, self.trials)
        found = self._ready().gradient(params, data)
        worst = 0.0
        for trial in sorted({0, 1 % self.trials, self.trials // 2, self.trials - 1}):
            one = {name: value[trial] for name, value in params.items()}
            for name, exact in reference(self.workload, one, data[trial]).items():
                off = np.abs(np.asarray(found[name])[trial].reshape(exact.shape) - exact).max()
                worst = max(worst, float(off / np.abs(exact).max()))
        return worst

    def run(self, seconds: float) -> float:
        """Units a second over all trials, once it is warm."""
        self._ready()
        calls, begun = 0, time.perf_counter()
        while (taken := time.perf_counter() - begun) < seconds:
            self._ready().advance(self._updates)
            calls += 1
        return calls * self._updates * self.trials / taken

    def drop(self) -> None:
        """Give back the memory."""
        self._trainer = None

    def _ready(self) -> Trainer:
        if self._trainer is None:
            self.prepare()
        assert self._trainer is not None
        return self._trainer

    def _timed(self, updates: int) -> float:
        begun = time.perf_counter()
        self._ready().advance(updates)
        return time.perf_counter() - begun
