"""Numbers known to lie between two bounds, and arithmetic that never loses one.

    (1)  [a] + [b] = [a_lo + b_lo, a_hi + b_hi]
    (2)  [a] [b] = [min, max] of the four products of their ends
    (3)  [A] [B] = mid A mid B +- (|mid A| rad B + rad A (|mid B| + rad B))   matrices

Every result is rounded outward. (1) and (2) are one correctly rounded operation, and go to the next
number of the type. A sum of n products is off by at most n eps times the sum of their moduli;
(3) takes n + 4. Library functions (exp, tanh, ...) are taken as right to 16 eps of their value.

Axes: any shape; both ends have the same one.

Reference: Moore 1966; midpoint and radius of matrices, Rump 1999.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

EPS = torch.finfo(torch.float64).eps
_TINY = torch.finfo(torch.float64).tiny
_LIBRARY = 16 * EPS


@dataclass(frozen=True)
class Interval:
    """All numbers from `lo` to `hi`, in float64."""

    lo: Tensor
    hi: Tensor

    @property
    def mid(self) -> Tensor:
        """The middle; `rad` covers what its rounding loses."""
        return self.lo / 2 + self.hi / 2

    @property
    def rad(self) -> Tensor:
        """At least the distance from the middle to either end."""
        mid = self.mid
        return up(torch.maximum(self.hi - mid, mid - self.lo))

    @property
    def largest(self) -> Tensor:
        """The largest modulus."""
        return torch.maximum(self.lo.abs(), self.hi.abs())

    @property
    def is_point(self) -> bool:
        """Whether it holds one number at each place."""
        return bool((self.lo == self.hi).all())

    def __add__(self, other: Interval) -> Interval:
        return Interval(down(self.lo + other.lo), up(self.hi + other.hi))

    def __neg__(self) -> Interval:
        return Interval(-self.hi, -self.lo)

    def __mul__(self, other: Interval) -> Interval:  # (2)
        a, b = torch.broadcast_tensors(self.lo, other.lo)
        if other.is_point and bool((other.lo == 1).all()):  # exact, and so a thin matrix stays thin
            return Interval(a, self.hi.expand_as(a))
        if self.is_point and bool((self.lo == 1).all()):
            return Interval(b, other.hi.expand_as(b))
        ends = [x * y for x in (self.lo, self.hi) for y in (other.lo, other.hi)]
        low = torch.minimum(torch.minimum(*ends[:2]), torch.minimum(*ends[2:]))
        high = torch.maximum(torch.maximum(*ends[:2]), torch.maximum(*ends[2:]))
        zero = (self.lo == 0) & (self.hi == 0) | (other.lo == 0) & (other.hi == 0)
        return Interval(torch.where(zero, 0.0, down(low)), torch.where(zero, 0.0, up(high)))

    def __matmul__(self, other: Interval) -> Interval:  # (3)
        a, b = self.mid.abs(), other.mid.abs()
        mid = self.mid @ other.mid
        wide = a @ other.rad + self.rad @ (b + other.rad)
        lost = (self.mid.shape[-1] + 4) * EPS * (a @ b + wide) + _TINY
        return around(mid, up(wide + lost))

    def map(self, act: Callable[[Tensor], Tensor]) -> Interval:
        """The same rearrangement of both ends."""
        return Interval(act(self.lo), act(self.hi))

    def square(self) -> Interval:
        """All x x, which are not negative."""
        ends = torch.stack([self.lo * self.lo, self.hi * self.hi])
        least = torch.where((self.lo <= 0) & (self.hi >= 0), 0.0, down(ends.amin(0)).clamp(min=0))
        return Interval(least, up(ends.amax(0)))

    def total(self, axes: list[int], keep: bool) -> Interval:
        """The sum over axes."""
        mid, rad = self.mid.sum(axes, keep), self.rad.sum(axes, keep)
        count = self.lo.numel() / max(mid.numel(), 1)
        lost = (count + 4) * EPS * (self.mid.abs().sum(axes, keep) + rad) + _TINY
        return around(mid, up(rad + lost))

    def rising(self, act: Callable[[Tensor], Tensor], least: float, most: float) -> Interval:
        """A rising library function with values in [least, most]."""
        low, high = act(self.lo), act(self.hi)
        low, high = low - _LIBRARY * low.abs() - _TINY, high + _LIBRARY * high.abs() + _TINY
        return Interval(low.clamp(min=least), high.clamp(max=most))

    def nearest_zero(self) -> Tensor:
        """The number of the interval that is nearest to zero."""
        return torch.clamp(torch.zeros_like(self.lo), self.lo, self.hi)

    def hull(self, other: Interval) -> Interval:
        """The smallest interval that holds both."""
        return Interval(torch.minimum(self.lo, other.lo), torch.maximum(self.hi, other.hi))

    def meet(self, other: Interval) -> Interval:
        """What lies in both."""
        return Interval(torch.maximum(self.lo, other.lo), torch.minimum(self.hi, other.hi))

    def holds(self, other: Interval) -> bool:
        """Whether all of `other` lies inside."""
        return bool(((self.lo <= other.lo) & (other.hi <= self.hi)).all())


def point(value: Tensor) -> Interval:
    """One number at each place."""
    wide = value.detach().cpu().to(torch.float64)
    return Interval(wide, wide)


def between(least: Tensor, most: Tensor) -> Interval:
    """From `least` to `most`, of any two such numbers in either order."""
    return Interval(torch.minimum(least, most), torch.maximum(least, most))


def around(mid: Tensor, rad: Tensor) -> Interval:
    """Mid +- rad."""
    return Interval(down(mid - rad), up(mid + rad))


def up(x: Tensor) -> Tensor:
    """The next number above."""
    return torch.nextafter(x, x.new_tensor(torch.inf))


def down(x: Tensor) -> Tensor:
    """The next number below."""
    return torch.nextafter(x, x.new_tensor(-torch.inf))
