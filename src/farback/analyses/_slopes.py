"""Functions of one number: their values, and their slopes, over an interval.

A rising function is met at the ends of the interval. The slope of tanh and of the logistic function
is largest at the number nearest to zero, and smallest at an end. At a corner (relu at 0) autograd's
choice lies between the slopes on its two sides. Where a value overflowed to NaN, every slope that
the function has is possible.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ._interval import EPS, Interval, between

_LIBRARY = 16 * EPS
Bent = Callable[[Interval], tuple[Interval, Interval]]


def _bell(x: Interval, slope: Callable[[Tensor], Tensor], most: float) -> Interval:
    """A slope that falls away from zero to both sides."""
    low = torch.minimum(slope(x.lo), slope(x.hi)) - _LIBRARY
    return Interval(low.clamp(min=0), (slope(x.nearest_zero()) + _LIBRARY).clamp(max=most))


def _tanh(x: Interval) -> tuple[Interval, Interval]:
    return x.rising(torch.tanh, -1, 1), _bell(x, lambda z: 1 - z.tanh().square(), 1)


def _sigmoid(x: Interval) -> tuple[Interval, Interval]:
    def slope(z: Tensor) -> Tensor:
        return z.sigmoid() * (-z).sigmoid()

    return x.rising(torch.sigmoid, 0, 1), _bell(x, slope, 0.25)


def _relu(x: Interval) -> tuple[Interval, Interval]:
    return x.map(torch.relu), Interval((x.lo > 0).double(), (~(x.hi < 0)).double())


def _exp(x: Interval) -> tuple[Interval, Interval]:
    value = x.rising(torch.exp, 0, math.inf)
    return value, value


def _abs(x: Interval) -> tuple[Interval, Interval]:
    value = Interval(x.nearest_zero().abs(), x.largest)
    least = torch.where(x.lo >= 0, x.lo.sign(), -1.0)
    return value, Interval(least, torch.where(x.hi <= 0, x.hi.sign(), 1.0))


def _reciprocal(x: Interval) -> tuple[Interval, Interval]:
    if bool(((x.lo <= 0) & (x.hi >= 0)).any()):
        raise ZeroDivisionError("a division by what may be zero")
    ends = between(1 / x.lo, 1 / x.hi)
    value = Interval(ends.lo - _LIBRARY * ends.lo.abs(), ends.hi + _LIBRARY * ends.hi.abs())
    return value, -value.square()


def _sqrt(x: Interval) -> tuple[Interval, Interval]:
    if bool((x.lo <= 0).any()):
        raise ZeroDivisionError("a root of what may be zero or less")
    value = x.rising(torch.sqrt, 0, math.inf)
    return value, _reciprocal(value + value)[0]


def _wave(x: Interval, act: Callable[[Tensor], Tensor]) -> Interval:
    """Sin or cos: nowhere steeper than 1, and so no further from the middle than the argument."""
    mid, rad = act(x.mid), x.rad + _LIBRARY * (1 + x.largest)
    return Interval((mid - rad).clamp(min=-1), (mid + rad).clamp(max=1))


def _sin(x: Interval) -> tuple[Interval, Interval]:
    return _wave(x, torch.sin), _wave(x, torch.cos)


def _cos(x: Interval) -> tuple[Interval, Interval]:
    return _wave(x, torch.cos), -_wave(x, torch.sin)


FUNCTIONS: dict[str, Bent] = {
    "tanh": _tanh,
    "sigmoid": _sigmoid,
    "relu": _relu,
    "exp": _exp,
    "abs": _abs,
    "reciprocal": _reciprocal,
    "sin": _sin,
    "cos": _cos,
    "sqrt": _sqrt,
}
"""By the name of the operator: values and slopes."""


def clamped(x: Interval, least: float, most: float) -> tuple[Interval, Interval]:
    """Values and slopes of min(max(x, least), most)."""
    inside = (x.lo > least) & (x.hi < most)
    outside = (x.hi < least) | (x.lo > most)
    slope = Interval(inside.double(), (~outside).double())
    return x.map(lambda end: end.clamp(least, most)), slope
