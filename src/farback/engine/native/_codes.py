"""Codes: how a number of one lane is known while code is written.

A code is `base << 32 | place`: a constant, a variable, the product of two others, a mask, a whole
number that is its own place, or an element of an array. A tensor is an array of codes, and what
only moves numbers about (a view, a slice, a transpose) is numpy's work while the code is written,
and nobody's while it runs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Int64

Codes = Int64[np.ndarray, "..."]

CONSTANT, VARIABLE, PRODUCT, MASK, WHOLE, FIRST_ARRAY = range(6)
"""The bases; arrays have those from FIRST_ARRAY on."""

SHIFT = 32
PLACE = (1 << SHIFT) - 1

CONSTANTS = PLACE
"""No constant's code is larger."""

ZERO, ONE = 0, 1
"""The codes of 0 and 1, and of what is false and true."""


def products(codes: Codes) -> np.ndarray:
    """Which are products."""
    return codes >> SHIFT == PRODUCT


def steps(codes: Codes) -> tuple[int, ...] | None:
    """How far the codes go up along each axis, where that is even; 0 along an axis of one."""
    strides = []
    for axis, size in enumerate(codes.shape):
        if size == 1:
            strides.append(0)
            continue
        rises = np.diff(codes, axis=axis)
        if (rises != rises.flat[0]).any():
            return None
        strides.append(int(rises.flat[0]))
    if any(abs(it) > PLACE >> 1 for it in strides):
        return None
    return tuple(strides)


def count_up(values: np.ndarray) -> bool:
    """Whether these are whole numbers from 0 or more on, in even steps upwards."""
    rises = np.diff(values)
    whole = values[0] >= 0 and values[0] % 1 == 0 and rises[0] % 1 == 0
    return bool(whole and rises[0] > 0 and (rises == rises[0]).all())


def stretches(columns: list[Codes]) -> list[tuple[int, int]]:
    """Where the steps of any of them change, [first, end) each."""
    rises = np.stack([np.diff(it) for it in columns])
    turns = np.flatnonzero((rises[:, 1:] != rises[:, :-1]).any(0)) + 2
    ends: list[int] = []
    for turn in turns.tolist():
        # The step into a new stretch is no step of its own.
        if not ends or turn - ends[-1] > 1:
            ends.append(turn)
    return list(zip([0, *ends], [*ends, len(columns[0])], strict=True))


def parts(
    codes: Codes, *cases: tuple[np.ndarray, Callable[[Callable[..., Codes]], Codes]]
) -> Codes:
    """An array made case by case, shaped like `codes`; a case that is all keeps the shape."""
    result = np.empty(codes.shape, dtype=np.int64)
    for places, make in cases:
        if places.all():
            return make(lambda it: it)
        if places.any():
            result[places] = make(lambda it, places=places: it[places])
    return result


def literal(value: float) -> str:
    """A constant in C."""
    if value != value:
        return "SPLAT((R)NAN)"
    if value in (np.inf, -np.inf):
        return f"SPLAT((R){'-' if value < 0 else ''}INFINITY)"
    return f"SPLAT((R){value!r})"
