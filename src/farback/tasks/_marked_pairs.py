"""Sequences of pairs, a value and a marker, of which two are marked: adding and multiplication.

Of T to T + T/10 pairs, one of the first ten is marked (its value is X1), then one of the pairs 2 to
T/2 that is still unmarked (X2). Markers are 1 on marked pairs, -1 on the first and on the last, 0
elsewhere. Where the first pair is drawn for X1, X1 becomes the operation's neutral number: shown,
the pair is marked and has that value; not shown, it keeps its -1 and its value. Either way the
pairs marked by 1 make the answer.

Inputs are [T, R, B, 2]: value, marker.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ..draws import Draws
from ..errors import WrongUsage
from ._task import Lag

_VALUE, _MARKER = 0, 1
_EARLY = 10
SHORTEST = 6


def refuse(task: str, length: int) -> None:
    """Refuse a length that has no room for two marks.

    Raises:
        WrongUsage: it is too short.
    """
    if length < SHORTEST:
        raise WrongUsage(
            f"{task} came with length {length}, expected at least {SHORTEST}; try "
            f"{task}(length=100)."
        )


def early(length: int) -> int:
    """How many pairs X1 is drawn among."""
    return min(_EARLY, length // 2)


def drawn(
    draws: Draws, *, length: int, low: float, neutral: float, first_pair: bool, shown: bool
) -> tuple[Float[np.ndarray, "T R B 2"], Int64[np.ndarray, "R B"]]:
    """Inputs and lengths.

    Args:
        draws: the numbers.
        length: T.
        low: values are uniform in [low, 1].
        neutral: X1 where it is drawn at the first pair.
        first_pair: whether it may be drawn there.
        shown: whether that pair then shows its mark and X1.
    """
    lengths = length + draws.integers(high=length // 10 + 1)
    skipped = 0 if first_pair else 1
    first = skipped + draws.integers(high=early(length) - skipped)
    second = 1 + draws.integers(high=length // 2 - 1 - (first > 0))
    second += (first > 0) & (second >= first)  # the pair of X1 is passed over
    steps = int(lengths.max())
    step = np.arange(steps)[:, None, None]
    marks = np.where((step == first) | (step == second), 1.0, 0.0)
    values = draws.uniform(steps, low=low, high=1.0)
    at_first = shown & (first == 0)
    marks[0] = np.where(at_first, 1.0, -1.0)
    values[0] = np.where(at_first, neutral, values[0])
    marks[step == lengths - 1] = -1.0
    return np.stack([values, marks], axis=-1), lengths


def lag(length: int, *, first_pair: bool, shown: bool) -> Lag:
    """From the first pair marked by 1 to the end."""
    latest = length // 2 if first_pair and not shown else early(length)
    earliest = 1 if first_pair and shown else 2
    return Lag(length - latest, length + length // 10 - earliest)


def values(inputs: Float[Tensor, "T *batch 2"]) -> Float[Tensor, "T *batch"]:
    """The first components."""
    return inputs[..., _VALUE]


def marked(inputs: Float[Tensor, "T *batch 2"]) -> Bool[Tensor, "T *batch"]:
    """The pairs whose marker is 1."""
    return inputs[..., _MARKER] == 1


def unmarked(inputs: Float[Tensor, "T *batch 2"]) -> Bool[Tensor, "T *batch"]:
    """The pairs whose marker is 0, up to the end."""
    ends = inputs[..., _MARKER] == -1
    before_the_last = ends.flip(0).cumsum(0).flip(0) > 0
    return (inputs[..., _MARKER] == 0) & before_the_last
