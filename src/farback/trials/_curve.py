"""Learning curves: the mean error and the share of wrong answers between two marks."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float


class Curve:
    """The curves of R trials, with a point about every `every` sequences."""

    def __init__(self, trials: int, every: int) -> None:
        self._every, self._marked = every, 0
        self._points: list[tuple[int, np.ndarray, np.ndarray]] = []
        self._loss, self._wrong = np.zeros(trials), np.zeros(trials)
        self._seen = 0

    def add(self, loss: Float[np.ndarray, "R B"], right: Bool[np.ndarray, "R B"]) -> None:
        """Take in a step of learning."""
        # One after another, so that the sum does not depend on how many come at once.
        self._loss = np.cumsum(np.concatenate([self._loss[:, None], loss], 1), 1)[:, -1]
        self._wrong += (~right).sum(1)
        self._seen += right.shape[1]

    def mark(self, presented: int, *, ended: bool) -> None:
        """Set a point, where one is due."""
        if presented - self._marked < self._every and not ended:
            return
        self._points.append((presented, self._loss / self._seen, self._wrong / self._seen))
        self._loss, self._wrong = np.zeros_like(self._loss), np.zeros_like(self._wrong)
        self._marked, self._seen = presented, 0

    def of(self, row: int, until: int) -> dict[str, list[float]]:
        """One trial's columns; the last point is its end, due or not."""
        points = [it for it in self._points if it[0] <= until]
        if self._marked < until:
            points.append((until, self._loss / self._seen, self._wrong / self._seen))
        return {
            "sequences": [float(it[0]) for it in points],
            "loss": [float(it[1][row]) for it in points],
            "wrong": [float(it[2][row]) for it in points],
        }
