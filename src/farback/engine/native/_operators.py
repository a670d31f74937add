"""The operators: what each one emits, in a line.

A rule is given the body, the codes of its tensors and its other arguments as torch has them, and
gives the codes of what comes out. What only moves numbers about is numpy. Operators without a rule
are first taken apart by torch's own decompositions; what is left is refused by name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ._arithmetic import add, contract, divide, multiply, subtract, total
from ._body import ONE, ZERO, Body, Codes

aten = torch.ops.aten
Rule = Callable[..., Any]


def _function(template: str) -> Rule:
    """A function of numbers, element by element."""
    return lambda b, *its: b.apply(template, *(b.computed(real(b, it)) for it in its))


def _compared(template: str) -> Rule:
    """A comparison, false where a number is not one."""
    return lambda b, *its: b.apply(template, *(b.computed(real(b, i)) for i in its), mask=True)


def _joined(template: str) -> Rule:
    """A function of masks."""
    return lambda b, *its: b.apply(template, *(_mask(b, it) for it in its), mask=True)


def real(b: Body, codes: Codes) -> Codes:
    """Numbers, with 1 for what is true."""
    masks = b.is_mask(codes)
    if not masks.any():
        return codes
    return b.parts(
        codes,
        (masks, lambda at: b.apply("SELECT({0}, SPLAT((R)1), SPLAT((R)0))", at(codes))),
        (~masks, lambda at: at(codes)),
    )


def _mask(b: Body, codes: Codes) -> Codes:
    """Masks, true for what is not zero."""
    masks = b.is_mask(codes)
    if masks.all():
        return codes
    return b.parts(
        codes,
        (masks, lambda at: at(codes)),
        (~masks, lambda at: b.apply("NE({0}, SPLAT((R)0))", b.computed(at(codes)), mask=True)),
    )


def _where(b: Body, mask: Codes, one: Codes, other: Codes) -> Codes:
    mask, one, other = np.broadcast_arrays(mask, one, other)
    known, same = mask <= ONE, one == other
    yes, no = (known & (mask == ONE)) | same, known & (mask == ZERO) & ~same

    def chosen(at: Rule) -> Codes:
        sides = (b.computed(real(b, at(it))) for it in (one, other))
        return b.apply("SELECT({0}, {1}, {2})", _mask(b, at(mask)), *sides)

    return b.parts(
        mask,
        (yes, lambda at: at(one)),
        (no, lambda at: at(other)),
        (~yes & ~no, chosen),
    )


def _sum(b: Body, codes: Codes, axes: Any = None, keep: bool = False, **_: Any) -> Codes:
    codes = real(b, codes)
    for axis in sorted(_axes(codes, axes), reverse=True):
        codes = total(b, codes, axis)
        codes = np.expand_dims(codes, axis) if keep else codes
    return codes


def _folded(template: str, *, of: Callable[[Body, Codes], Codes], mask: bool = False) -> Rule:
    """Pairs along some axes, one after another: a largest, a conjunction."""

    def fold(b: Body, codes: Codes, axes: Any = None, keep: bool = False, **_: Any) -> Codes:
        codes = of(b, codes)
        for axis in sorted(_axes(codes, axes), reverse=True):
            parts = [np.take(codes, place, axis) for place in range(codes.shape[axis])]
            codes = parts[0]
            for part in parts[1:]:
                codes = b.apply(template, codes, part, mask=mask)
            codes = np.expand_dims(codes, axis) if keep else codes
        return codes

    return fold


def _axes(codes: Codes, axes: Any) -> list[int]:
    if axes is None or (isinstance(axes, list | tuple) and not axes):
        return list(range(codes.ndim))
    given = axes if isinstance(axes, list | tuple) else [axes]
    return [axis % codes.ndim for axis in given]


def _argmax(b: Body, codes: Codes, axis: int | None = None, keep: bool = False) -> Codes:
    if axis is None:
        codes, axis = codes.reshape(-1), 0
    codes = b.computed(codes)
    parts = [np.take(codes, place, axis) for place in range(codes.shape[axis])]
    best, found = parts[0], np.zeros_like(parts[0])
    for place, part in enumerate(parts[1:], 1):
        larger = b.apply("GT({0}, {1})", part, best, mask=True)
        here = np.full_like(found, b.constant(place))
        found = b.apply("SELECT({0}, {1}, {2})", larger, here, found)
        best = b.apply("SELECT({0}, {1}, {2})", larger, part, best)
    return np.expand_dims(found, axis) if keep else found


def _power(b: Body, base: Codes, exponent: Codes) -> Codes:
    values = b.known(exponent)
    value = float(values.flat[0]) if values is not None and values.size == 1 else None
    base = b.computed(base)
    match value:
        case 0.0:
            return np.full_like(base, ONE)
        case 1.0:
            return base
        case 2.0:
            return multiply(b, base, base)
        case 3.0:
            return multiply(b, multiply(b, base, base), base)
        case -1.0:
            return divide(b, np.array(ONE), base)
        case 0.5:
            return b.apply("SQRT({0})", base)
        case _:
            return b.apply("POW({0}, {1})", *np.broadcast_arrays(base, exponent))


def _slice(
    b: Body, codes: Codes, axis: int = 0, first: Any = None, end: Any = None, step: int = 1
) -> Codes:
    return codes[(slice(None),) * (axis % codes.ndim) + (slice(first, end, step),)]


def _slice_back(b: Body, codes: Codes, shape: Any, axis: int, *cut: Any) -> Codes:
    result = np.zeros(shape, dtype=np.int64)
    result[(slice(None),) * (axis % len(shape)) + (slice(*cut),)] = codes
    return result


def _select_back(b: Body, codes: Codes, shape: Any, axis: int, place: int) -> Codes:
    result = np.zeros(shape, dtype=np.int64)
    result[(slice(None),) * (axis % len(shape)) + (place,)] = codes
    return result


def _cat(b: Body, parts: Any, axis: int = 0) -> Codes:
    return np.concatenate([it for it in parts if it.size or it.ndim > 1], axis)


def _split(b: Body, codes: Codes, sizes: Any, axis: int = 0) -> list[Codes]:
    size = codes.shape[axis]
    if isinstance(sizes, int):
        return np.split(codes, list(range(sizes, size, sizes)), axis)
    return np.split(codes, np.cumsum(sizes)[:-1].tolist(), axis)


def _squeeze(b: Body, codes: Codes, axes: Any = None) -> Codes:
    wanted = _axes(codes, axes) if axes is not None and codes.ndim else range(codes.ndim)
    return codes.squeeze(tuple(axis for axis in wanted if codes.shape[axis] == 1))


def _expand(b: Body, codes: Codes, shape: Any, **_: Any) -> Codes:
    lead = len(shape) - codes.ndim
    sizes = [codes.shape[i - lead] if size == -1 else size for i, size in enumerate(shape)]
    return np.broadcast_to(codes, sizes)


def _full(b: Body, shape: Any, value: Codes, **_: Any) -> Codes:
    return np.broadcast_to(value, tuple(shape))


def _like(value: int | None = None) -> Rule:
    """Shaped like another tensor: of zeros, of ones, or of a number that is given."""
    return lambda b, x, given=None, **_: np.broadcast_to(given if value is None else value, x.shape)


def _new(value: int | None = None) -> Rule:
    """Of a shape that is given."""
    return lambda b, x, shape, given=None, **_: _full(b, shape, given if value is None else value)


def _scaled(b: Body, one: Codes, other: Codes, alpha: Any) -> Codes:
    return other if alpha is None else multiply(b, real(b, other), alpha)


def _batched(b: Body, one: Codes, other: Codes) -> Codes:
    return np.stack([contract(b, left, right) for left, right in zip(one, other, strict=True)])


def _index(b: Body, codes: Codes, places: Any) -> Codes:
    known = [None if it is None else b.known(it) for it in places]
    if any(it is None and place is not None for it, place in zip(known, places, strict=True)):
        raise KeyError
    return codes[tuple(slice(None) if it is None else it.astype(int) for it in known)]


def _same(b: Body, codes: Codes, *_: Any, **__: Any) -> Codes:
    return codes


def _clamp(b: Body, x: Codes, min: Any = None, max: Any = None) -> Codes:
    for limit, function in ((min, "MAXIMUM({0}, {1})"), (max, "MINIMUM({0}, {1})")):
        if limit is not None:
            x = b.apply(function, b.computed(real(b, x)), b.computed(limit))
    return x


def _sigmoid_back(b: Body, g: Codes, y: Codes) -> Codes:
    slope = multiply(b, subtract(b, np.full_like(y, ONE), y), y)
    return multiply(b, g, slope)


def _tanh_back(b: Body, g: Codes, y: Codes) -> Codes:
    return multiply(b, g, subtract(b, np.full_like(y, ONE), multiply(b, y, y)))


RULES: dict[str, Rule] = {
    # Arithmetic.
    "add": lambda b, x, y, alpha=None: add(b, real(b, x), _scaled(b, x, real(b, y), alpha)),
    "sub": lambda b, x, y, alpha=None: subtract(b, real(b, x), _scaled(b, x, real(b, y), alpha)),
    "rsub": lambda b, x, y, alpha=None: subtract(b, y, _scaled(b, y, x, alpha)),
    "mul": lambda b, x, y: multiply(b, real(b, x), real(b, y)),
    "div": lambda b, x, y: divide(b, real(b, x), real(b, y)),
    "neg": lambda b, x: subtract(b, np.zeros_like(x), x),
    "pow": _power,
    "mv": lambda b, m, v: contract(b, m, v[:, None])[:, 0],
    "mm": contract,
    "bmm": _batched,
    "dot": lambda b, x, y: contract(b, x[None], y[:, None])[0, 0],
    "sum": _sum,
    # Functions of one number.
    "abs": _function("ABS({0})"),
    "exp": _function("EXP({0})"),
    "expm1": _function("EXPM1({0})"),
    "log": _function("LOG({0})"),
    "sqrt": _function("SQRT({0})"),
    "rsqrt": _function("RSQRT({0})"),
    "reciprocal": lambda b, x: divide(b, np.full_like(x, ONE), x),
    "sigmoid": _function("SIGMOID({0})"),
    "tanh": _function("TANH({0})"),
    "relu": _function("RELU({0})"),
    "sign": _function("SIGN({0})"),
    "floor": _function("FLOOR({0})"),
    "sin": _function("SIN({0})"),
    "cos": _function("COS({0})"),
    "tan": _function("TAN({0})"),
    "sinh": _function("SINH({0})"),
    "cosh": _function("COSH({0})"),
    "asin": _function("ASIN({0})"),
    "acos": _function("ACOS({0})"),
    "atan": _function("ATAN({0})"),
    "erf": _function("ERF({0})"),
    "log1p": _function("LOG1P({0})"),
    "maximum": _function("MAXIMUM({0}, {1})"),
    "minimum": _function("MINIMUM({0}, {1})"),
    "clamp": _clamp,
    "clamp_min": lambda b, x, min: _clamp(b, x, min=min),
    "clamp_max": lambda b, x, max: _clamp(b, x, max=max),
    # Derivatives of functions.
    "sigmoid_backward": _sigmoid_back,
    "tanh_backward": _tanh_back,
    "threshold_backward": lambda b, g, x, limit: _where(
        b, b.apply("LE({0}, {1})", b.computed(x), limit, mask=True), np.zeros_like(x), g
    ),
    # Comparisons, and what is made of them.
    "lt": _compared("LT({0}, {1})"),
    "le": _compared("LE({0}, {1})"),
    "gt": _compared("GT({0}, {1})"),
    "ge": _compared("GE({0}, {1})"),
    "eq": _compared("EQ({0}, {1})"),
    "ne": _compared("NE({0}, {1})"),
    "isnan": lambda b, x: b.apply("NE({0}, {0})", b.computed(x), mask=True),
    "isinf": lambda b, x: b.apply("EQ(ABS({0}), SPLAT((R)INFINITY))", b.computed(x), mask=True),
    "isfinite": lambda b, x: b.apply("LT(ABS({0}), SPLAT((R)INFINITY))", b.computed(x), mask=True),
    "logical_not": _joined("NOT({0})"),
    "bitwise_not": _joined("NOT({0})"),
    "logical_and": _joined("AND({0}, {1})"),
    "bitwise_and": _joined("AND({0}, {1})"),
    "logical_or": _joined("OR({0}, {1})"),
    "bitwise_or": _joined("OR({0}, {1})"),
    "where": _where,
    "all": _folded("AND({0}, {1})", of=_mask, mask=True),
    "any": _folded("OR({0}, {1})", of=_mask, mask=True),
    "amax": _folded("MAXIMUM({0}, {1})", of=lambda b, x: b.computed(real(b, x))),
    "amin": _folded("MINIMUM({0}, {1})", of=lambda b, x: b.computed(real(b, x))),
    "argmax": _argmax,
    # What moves numbers about.
    "alias": _same,
    "clone": _same,
    "contiguous": _same,
    "detach": _same,
    "lift_fresh_copy": _same,
    "_to_copy": _same,
    "view": lambda b, x, shape: x.reshape(shape),
    "_unsafe_view": lambda b, x, shape: x.reshape(shape),
    "reshape": lambda b, x, shape: x.reshape(shape),
    "expand": _expand,
    "permute": lambda b, x, axes: x.transpose(axes),
    "transpose": lambda b, x, one, other: x.swapaxes(one, other),
    "t": lambda b, x: x.T,
    "unsqueeze": lambda b, x, axis: np.expand_dims(x, axis),
    "squeeze": _squeeze,
    "select": lambda b, x, axis, place: np.take(x, place, axis),
    "slice": _slice,
    "slice_backward": _slice_back,
    "select_backward": _select_back,
    "cat": _cat,
    "stack": lambda b, parts, axis=0: np.stack(parts, axis),
    "split": _split,
    "split_with_sizes": _split,
    "unbind": lambda b, x, axis=0: list(np.moveaxis(x, axis, 0)),
    "flip": lambda b, x, axes: np.flip(x, axes),
    "diagonal": lambda b, x, offset=0, one=0, other=1: x.diagonal(offset, one, other),
    "index": _index,
    # Constants.
    "zeros": lambda b, shape, **_: _full(b, shape, np.array(ZERO)),
    "ones": lambda b, shape, **_: _full(b, shape, np.array(ONE)),
    "full": _full,
    "zeros_like": _like(ZERO),
    "ones_like": _like(ONE),
    "full_like": _like(),
    "new_zeros": _new(ZERO),
    "new_ones": _new(ONE),
    "new_full": _new(),
    "scalar_tensor": _same,
    "eye": lambda b, n, m=None, **_: b.constants(np.eye(n, m)),
    "arange": lambda b, *ends, **_: b.constants(np.arange(*(b.known(it) for it in ends))),
}
"""By the operator's name without its overload."""
