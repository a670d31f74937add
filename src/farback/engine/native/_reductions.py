"""The rules of what is taken along axes: sums, the largest, means, softmax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ._arithmetic import add, divide, in_chains, multiply, run, subtract, total
from ._body import Body
from ._codes import Codes
from ._rules import Rule, axes_of, real


def summed(b: Body, codes: Codes, axes: Any = None, keep: bool = False, **_: Any) -> Codes:
    codes = real(b, codes)
    for axis in sorted(axes_of(codes, axes), reverse=True):
        codes = total(b, codes, axis)
        codes = np.expand_dims(codes, axis) if keep else codes
    return codes


def folded(
    template: str, begin: str, *, of: Callable[[Body, Codes], Codes], mask: bool = False
) -> Rule:
    """Pairs along some axes, one after another: a largest, a conjunction.

    Args:
        template: a pair.
        begin: what changes nothing in a pair.
        of: numbers or masks.
        mask: which of them.
    """

    def fold(b: Body, codes: Codes, axes: Any = None, keep: bool = False, **_: Any) -> Codes:
        codes = of(b, codes)
        for axis in sorted(axes_of(codes, axes), reverse=True):
            parts = [np.take(codes, place, axis) for place in range(codes.shape[axis])]
            made = run(b, begin, template, codes, axis, mask=mask)
            if made is None:
                made = in_chains(parts, lambda x, y: b.apply(template, x, y, mask=mask))
            codes = made
            codes = np.expand_dims(codes, axis) if keep else codes
        return codes

    return fold


def argmax(b: Body, codes: Codes, axis: int | None = None, keep: bool = False) -> Codes:
    if axis is None:
        codes, axis = codes.reshape(-1), 0
    codes = b.computed(real(b, codes))
    parts = [np.take(codes, place, axis) for place in range(codes.shape[axis])]
    best, found = parts[0], np.zeros_like(parts[0])
    for place, part in enumerate(parts[1:], 1):
        larger = b.apply("GT({0}, {1})", part, best, mask=True)
        here = np.full_like(found, b.constant(place))
        found = b.apply("SELECT({0}, {1}, {2})", larger, here, found)
        best = b.apply("SELECT({0}, {1}, {2})", larger, part, best)
    return np.expand_dims(found, axis) if keep else found


def log_softmax(b: Body, codes: Codes, axis: int, half: bool = False) -> Codes:
    """Each less the largest, less the logarithm of the sum of their powers."""
    if not codes.ndim:
        return log_softmax(b, codes[None], 0)[0]
    codes = b.computed(real(b, codes))
    largest = np.expand_dims(_largest(b, codes, axis), axis)
    shifted = subtract(b, codes, largest)
    powers = b.apply("EXP({0})", shifted)
    return subtract(b, shifted, np.expand_dims(b.apply("LOG({0})", total(b, powers, axis)), axis))


def log_softmax_back(b: Body, g: Codes, result: Codes, axis: int, *_: Any) -> Codes:
    """G - exp(result) sum g."""
    whole = np.expand_dims(b.computed(total(b, g, axis)), axis)
    return subtract(b, g, multiply(b, b.apply("EXP({0})", b.computed(result)), whole))


def softmax(b: Body, codes: Codes, axis: int, half: bool = False) -> Codes:
    """exp(x - max) over its sum."""
    if not codes.ndim:
        return softmax(b, codes[None], 0)[0]
    codes = b.computed(real(b, codes))
    largest = np.expand_dims(_largest(b, codes, axis), axis)
    powers = b.apply("EXP({0})", subtract(b, codes, largest))
    return divide(b, powers, np.expand_dims(total(b, powers, axis), axis))


def softmax_back(b: Body, g: Codes, result: Codes, axis: int, *_: Any) -> Codes:
    """Result (g - sum g result)."""
    whole = b.computed(total(b, multiply(b, g, result), axis))
    return multiply(b, result, subtract(b, g, np.expand_dims(whole, axis)))


def _largest(b: Body, codes: Codes, axis: int) -> Codes:
    parts = [np.take(codes, place, axis) for place in range(codes.shape[axis])]
    return in_chains(parts, lambda x, y: b.apply("MAXIMUM({0}, {1})", x, y))


def mean(b: Body, codes: Codes, axes: Any = None, keep: bool = False, **_: Any) -> Codes:
    """The sum by the count."""
    count = int(np.prod([codes.shape[axis] for axis in axes_of(codes, axes)]))
    return divide(b, summed(b, codes, axes, keep), np.array(b.constant(count)))


def variance(
    b: Body, codes: Codes, axes: Any = None, correction: Any = 1, keepdim: bool = False, **_: Any
) -> Codes:
    """The squares of what is off the mean, summed, by the count less the correction."""
    off = b.computed(subtract(b, real(b, codes), mean(b, codes, axes, True)))
    count = int(np.prod([codes.shape[axis] for axis in axes_of(codes, axes)]))
    given = b.known(np.asarray(correction)) if isinstance(correction, np.ndarray) else correction
    rest = count - float(1.0 if given is None else given)
    return divide(b, summed(b, multiply(b, off, off), axes, keepdim), np.array(b.constant(rest)))


def cumulated(b: Body, codes: Codes, axis: int, **_: Any) -> Codes:
    """Running sums."""
    parts: list[Codes] = []
    codes = real(b, codes)
    for place in range(codes.shape[axis]):
        part = np.take(codes, place, axis)
        parts.append(add(b, parts[-1], part) if parts else part)
    return np.stack(parts, axis)


def largest(b: Body, codes: Codes, axis: int, keep: bool = False) -> list[Codes]:
    """The largest along an axis, and where it stands."""
    value = _largest(b, b.computed(real(b, codes)), axis)
    return [np.expand_dims(value, axis) if keep else value, argmax(b, codes, axis, keep)]
