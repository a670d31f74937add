"""What each operator does to intervals and to the derivatives behind them.

Axes: values have any shape; matrices have the state's axis N before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ._derivative import Known, given, joined, linear, scaled, widened
from ._interval import Interval, point
from ._slopes import FUNCTIONS, Bent, clamped

Operand = Known | float


def _known(x: Operand) -> Known:
    return x if isinstance(x, Known) else given(torch.tensor(float(x), dtype=torch.float64))


def _add(x: Operand, y: Operand, alpha: float = 1) -> Known:
    one, other = _known(x), _known(y)
    if alpha != 1:
        other = _mul(other, alpha)
    value = one.value + other.value
    shape = value.lo.shape
    parts = [[widened(term, shape) for term in it.terms] for it in (one, other)]
    return Known(value, joined(*parts))


def _neg(x: Known) -> Known:
    return Known(-x.value, scaled(x.terms, -point(torch.ones_like(x.value.lo))))


def _sub(x: Operand, y: Operand, alpha: float = 1) -> Known:
    return _add(x, _neg(_known(y)), alpha)


def _rsub(x: Operand, y: Operand, alpha: float = 1) -> Known:
    return _sub(y, x, alpha)


def _mul(x: Operand, y: Operand) -> Known:
    one, other = _known(x), _known(y)
    if one is other:
        return _square(one)
    value = one.value * other.value
    return Known(value, joined(scaled(one.terms, other.value), scaled(other.terms, one.value)))


def mixed(z: Known, a: Known, b: Known) -> Known:
    """Z a + (1 - z) b, whose value lies between a and b where z lies in [0, 1]."""
    rest = _sub(1.0, z)
    value = z.value * a.value + rest.value * b.value
    apart = a.value + -b.value
    if bool((z.value.lo >= 0).all() and (z.value.hi <= 1).all()):
        value = value.meet(a.value.hull(b.value))
    terms = joined(
        *(
            [widened(term, value.lo.shape) for term in scaled(known.terms, by)]
            for known, by in ((b, rest.value), (a, z.value), (z, apart))
        )
    )
    return Known(value, terms)


def _lerp(b: Known, a: Known, z: Operand) -> Known:
    return mixed(_known(z), a, b)


def _square(x: Known) -> Known:
    return Known(x.value.square(), scaled(x.terms, x.value + x.value))


def _pow(x: Known, exponent: float) -> Known:
    if exponent != 2:
        raise TypeError("a power other than 2")
    return _square(x)


def _div(x: Operand, y: Operand) -> Known:
    return _mul(x, _applied(FUNCTIONS["reciprocal"], _known(y)))


def _applied(function: Bent, x: Known) -> Known:
    value, slope = function(x.value)
    return Known(value, scaled(x.terms, slope))


def _mm(x: Known, y: Known) -> Known:
    value = x.value @ y.value
    left = linear(x.terms, lambda matrix: matrix @ y.value)
    right = linear(y.terms, lambda matrix: _unsqueezed(x.value) @ matrix)
    return Known(value, joined(left, right))


def _unsqueezed(x: Interval) -> Interval:
    return x.map(lambda end: end.unsqueeze(0))


def _addmm(bias: Known, x: Known, y: Known, beta: float = 1, alpha: float = 1) -> Known:
    product = _mm(x, y)
    return _add(_mul(bias, beta) if beta != 1 else bias, product, alpha)


def _sum(x: Known, dim: Sequence[int] | None = None, keepdim: bool = False) -> Known:
    rank = x.value.lo.dim()
    axes = [axis % rank for axis in (dim or range(rank))]
    return Known(
        x.value.total(axes, keepdim),
        linear(x.terms, lambda matrix: matrix.total([axis + 1 for axis in axes], keepdim)),
    )


def _mean(x: Known, dim: Sequence[int] | None = None, keepdim: bool = False) -> Known:
    total = _sum(x, dim, keepdim)
    return _div(total, x.value.lo.numel() / total.value.lo.numel())


def _clamp(x: Known, least: float | None = None, most: float | None = None) -> Known:
    low, high = -math.inf if least is None else least, math.inf if most is None else most
    return _applied(lambda value: clamped(value, low, high), x)


def _compared(x: Known, y: Operand, *, above: bool, strict: bool) -> Known:
    """1 where it holds, 0 where not, and between them where the box does not tell."""
    a, b = (x.value, _known(y).value) if above else (_known(y).value, x.value)
    sure, never = (a.lo > b.hi, a.hi <= b.lo) if strict else (a.lo >= b.hi, a.hi < b.lo)
    return Known(Interval(sure.double(), (~never).double()))


def _flat(x: Known, *, act: Callable[[Tensor], Tensor]) -> Known:
    """A staircase, level wherever autograd looks."""
    return Known(x.value.map(act))


def _where(mask: Known, x: Operand, y: Operand) -> Known:
    one, other, chosen = _known(x), _known(y), mask.value
    rest = Interval(1 - chosen.hi, 1 - chosen.lo)
    both = one.value.hull(other.value)

    def end(mine: Any, its: Any, mixed: Any) -> Any:
        return torch.where(chosen.lo > 0, mine, torch.where(chosen.hi < 1, its, mixed))

    value = Interval(
        end(one.value.lo, other.value.lo, both.lo), end(one.value.hi, other.value.hi, both.hi)
    )
    return Known(value, joined(scaled(one.terms, chosen), scaled(other.terms, rest)))


RULES: dict[str, Callable[..., Known]] = {
    "add": _add,
    "sub": _sub,
    "rsub": _rsub,
    "neg": _neg,
    "mul": _mul,
    "div": _div,
    "square": _square,
    "pow": _pow,
    "lerp": _lerp,
    "mm": _mm,
    "bmm": _mm,
    "addmm": _addmm,
    "baddbmm": _addmm,
    "sum": _sum,
    "mean": _mean,
    "clamp": _clamp,
    "hardtanh": _clamp,
    "where": _where,
    "floor": partial(_flat, act=torch.floor),
    "round": partial(_flat, act=torch.round),
    "sign": partial(_flat, act=torch.sign),
    "gt": partial(_compared, above=True, strict=True),
    "ge": partial(_compared, above=True, strict=False),
    "lt": partial(_compared, above=False, strict=True),
    "le": partial(_compared, above=False, strict=False),
    **{name: partial(_applied, function) for name, function in FUNCTIONS.items()},
}
"""By the name of the operator, on what is known of its arguments."""
