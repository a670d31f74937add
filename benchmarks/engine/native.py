"""farback's native engine, as `fb.train` uses it: the program that it compiles for a workload.

The strings of Reber and of 2a are sets that the program chooses from; the latch's sequences it
draws by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from peer import Peer
from workloads import ALL, LATCH, REBER, Arrays, Workload, _sequences, lag_strings, parameters

from farback.draws import Draws
from farback.engine import _machine
from farback.engine.native._lanes import Compiled
from farback.engine.native._memory import Laid, Streamed, laid
from farback.learners import Descent
from farback.learners.gradients import BPTT, RTRL
from farback.learners.updates import SGD
from farback.problem import Problem
from farback.tasks._task import one_hot, sequences
from farback.trials._compiled import native
from farback.trials._feed import Feed
from farback.types import Sequences

_LARGE = 2.0**20
"""A rate that leaves nothing of the parameters in what is taken off them."""

GRADIENTS = {"BPTT": BPTT(), "RTRL": RTRL()}


def peers() -> Iterator[Peer]:
    for workload in ALL:
        for trials in workload.trials:
            for lanes in (1,) if trials == 1 else _widths():
                yield Peer(
                    "farback native",
                    workload,
                    trials,
                    lambda workload=workload, trials=trials, lanes=lanes: Native(
                        workload, trials, lanes
                    ),
                    f"{lanes} lanes",
                )


def _widths() -> tuple[int, ...]:
    whole = _machine.lanes("float32")
    return whole, whole // 2


class Native:
    """All trials of a workload in the lanes of one program."""

    def __init__(self, workload: Workload, trials: int, lanes: int) -> None:
        self._workload, self._trials = workload, trials
        self._batch = 2 if workload is LATCH else 1
        self._compiled = self._program(workload.lr, lanes)
        params = parameters(workload, trials)
        self._names, self._shapes = list(params), [it.shape[1:] for it in params.values()]
        self._params = self._compiled.packed(list(params.values()), range(trials))
        self._memory = self._compiled.packed([], range(trials))
        self._rows = self._compiled.lanes_of(np.arange(trials))
        self._data, self._first = self._sequences(), 0
        self._keys = None if workload is LATCH else Draws(range(trials), "order").keys

    def advance(self, updates: int) -> None:
        self._compiled.train(
            self._params,
            self._memory,
            self._rows,
            self._data,
            first=self._first,
            count=updates,
            batch=self._batch,
            keys=self._keys,
            threads=_machine.threads(),
        )
        self._first += updates * self._batch

    def gradient(self, params: Arrays, examples: np.ndarray) -> Arrays:
        """What a step with a large rate takes off, by the rate."""
        compiled = self._program(_LARGE, self._compiled.lanes)
        data = laid(_padded(self._workload, examples), torch.float32)
        packed = compiled.packed(list(params.values()), range(self._trials))
        after = compiled.packed(list(params.values()), range(self._trials))
        memory = compiled.packed([], range(self._trials))
        compiled.train(after, memory, self._rows, data, first=0, count=1, batch=self._batch)
        leaves = [np.zeros((self._trials, *shape), np.float32) for shape in self._shapes]
        found = compiled.unpacked((packed - after) / _LARGE, leaves, np.arange(self._trials))
        return dict(zip(self._names, found, strict=True))

    def _program(self, lr: float, lanes: int) -> Compiled:
        problem = Problem(self._workload.cell, self._workload.task)
        learner = Descent(GRADIENTS[self._workload.gradient], SGD(lr=lr), batch=self._batch)
        return Compiled(native(problem, learner, torch.float32).program, torch.float32, lanes)

    def _sequences(self) -> Laid | Streamed:
        """What the program draws itself for the latch, and sets to choose from for the others."""
        task, seeds = self._workload.task, range(self._trials)
        if self._workload is LATCH:
            assert self._compiled.program.stream is not None
            return self._compiled.program.stream.of(seeds, "training")
        if self._workload is REBER:
            return laid(Feed(task, seeds, torch.float32, "cpu").set, torch.float32)
        both = np.repeat(np.arange(2)[None], self._trials, axis=0)
        return laid(_strings(lag_strings()[both], task.inputs), torch.float32)


def _padded(workload: Workload, examples: np.ndarray) -> Sequences:
    """One update's sequences of every trial, [T, N, B, ...]."""
    if workload is LATCH:
        every = [list(_sequences(workload, it)) for it in examples]
        inputs, targets, scored = (
            torch.stack([torch.stack([row[place] for row in rows], 1) for rows in every], 1)
            for place in range(3)
        )
        alive = torch.ones(scored.shape, dtype=torch.bool)
        return Sequences(inputs, targets, targets, scored.double(), alive)
    symbols = examples if workload is REBER else lag_strings()[examples]
    return _strings(symbols[:, None], workload.task.inputs)


def _strings(symbols: np.ndarray, count: int) -> Sequences:
    """[N, B, T + 1] symbols, padded with -1, each to be followed by the next."""
    moved = np.moveaxis(symbols, 2, 0)
    alive = moved[1:] >= 0
    coded = [one_hot(np.maximum(it, 0), count, alive) for it in (moved[:-1], moved[1:])]
    return sequences(*coded, scored=alive, alive=alive)
