"""Judging trials: tallies over a set, and over the last sequences that they learned from."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor

from ..problem import Trials, answer
from ..tasks._criterion import Tally
from ..types import Params, Sequences


def examine(
    net: Trials, params: Params, parts: Iterable[Sequences], *, allowed: float = math.inf
) -> Tally:
    """Let every trial answer a set.

    Args:
        net: the problem.
        params: each trial's parameters.
        parts: the set, in parts.
        allowed: stop when each trial has more wrong answers than this; the tally then covers what
            was asked until then.
    """
    trials = len(next(iter(params.values())))
    wrong, error, count = np.zeros(trials, dtype=np.int64), np.zeros(trials), 0
    for part in parts:
        right, off = graded(net, answer(net, params, part), part)
        wrong += (~right).sum(1)
        error += off.sum(1)
        count += right.shape[1]
        if (wrong > allowed).all():
            break
    return Tally(wrong, error / max(count, 1), count)


def graded(
    net: Trials, outputs: Float[Tensor, "T R B O"], sequences: Sequences
) -> tuple[Bool[np.ndarray, "R B"], Float[np.ndarray, "R B"]]:
    """Which sequences were answered rightly, and the error of each."""
    # Outputs may end with the longest sequence, before the padding does.
    asked = sequences.between(0, len(outputs))
    right = net.task.right(outputs, asked)
    return right.cpu().numpy(), net.task.error(outputs, asked).cpu().numpy().astype(float)


class Last:
    """The last `size` sequences of each trial, as it answered them before learning from them."""

    def __init__(self, trials: int, size: int) -> None:
        self._wrong = np.zeros((trials, size), dtype=bool)
        self._error = np.zeros((trials, size))
        self._seen = 0

    def add(self, right: Bool[np.ndarray, "R B"], error: Float[np.ndarray, "R B"]) -> None:
        """Take in what a step of learning answered."""
        size, count = self._wrong.shape[1], right.shape[1]
        fresh = min(size, count)
        places = (self._seen + np.arange(count - fresh, count)) % size
        self._wrong[:, places] = ~right[:, count - fresh :]
        self._error[:, places] = error[:, count - fresh :]
        self._seen += count

    def tally(self) -> Tally:
        """What was seen; before `size` sequences there is not enough, and nothing is solved."""
        size = self._wrong.shape[1]
        if self._seen < size:
            short = np.full(len(self._wrong), math.inf)
            return Tally(np.full(len(self._wrong), size), short, self._seen)
        return Tally(self._wrong.sum(1), self._error.mean(1), size)

    def measures(self, row: int) -> dict[str, float]:
        """One trial's wrong answers, of how many, and its mean error over them."""
        seen = min(self._seen, self._wrong.shape[1])
        return {
            "last_wrong": float(self._wrong[row, :seen].sum()),
            "last_count": float(seen),
            "last_error": float(self._error[row, :seen].mean()),
        }
