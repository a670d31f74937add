"""The longer rules of operators: what becomes of codes, and which statements that takes.

A rule is given the body, the codes of its tensors and its other arguments as torch has them, and
gives the codes of what comes out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ._arithmetic import add, contract, divide, multiply, subtract
from ._body import Body
from ._codes import CONSTANTS, ONE, ZERO, Codes, parts

Rule = Callable[..., Any]

_NONE = np.array(ZERO)


def function(template: str) -> Rule:
    """A function of numbers, element by element."""
    return lambda b, *its: b.apply(template, *(b.computed(real(b, it)) for it in its))


def compared(template: str, known: np.ufunc) -> Rule:
    """A comparison, false where a number is not one; of known numbers it is known."""

    def compare(b: Body, one: Codes, other: Codes) -> Codes:
        sides = np.broadcast_arrays(*(b.computed(real(b, it)) for it in (one, other)))
        values = [b.known(it) for it in sides]
        # Numbers of a loop are compared in the loop.
        if values[0] is None or values[1] is None or (sides[0] > CONSTANTS).any():
            return b.apply(template, *sides, mask=True)
        return known(*values).astype(np.int64)

    return compare


def joined(template: str, ends: int | None = None) -> Rule:
    """A function of masks; where one is `ends`, so is the result, whatever the other."""

    def join(b: Body, *its: Codes) -> Codes:
        if ends is None:
            return b.apply(template, *(truth(b, it) for it in its), mask=True)
        one, other = np.broadcast_arrays(*its)
        end = (one == ends) | (other == ends)
        first, second = (one <= ONE) & ~end, (other <= ONE) & ~end
        return parts(
            one,
            (end, lambda at: np.full_like(at(one), ends)),
            (first, lambda at: at(other)),
            (second & ~first, lambda at: at(one)),
            (
                ~first & ~second & ~end,
                lambda at: b.apply(template, truth(b, at(one)), truth(b, at(other)), mask=True),
            ),
        )

    return join


def bitwise(template: str, ends: int | None = None) -> Rule:
    """The same, but of masks alone: the bits of whole numbers are not kept."""

    def apply(b: Body, *its: Codes) -> Codes:
        if not all((b.is_mask(it) | (it <= ONE)).all() for it in its):
            raise ValueError("whole numbers")
        return joined(template, ends)(b, *its)

    return apply


def real(b: Body, codes: Codes) -> Codes:
    """Numbers, with 1 for what is true."""
    masks = b.is_mask(codes)
    if not masks.any():
        return codes
    return parts(
        codes,
        (masks, lambda at: b.apply("SELECT({0}, SPLAT((R)1), SPLAT((R)0))", at(codes))),
        (~masks, lambda at: at(codes)),
    )


def numbers(b: Body, codes: Codes) -> Codes:
    """Numbers, with each product computed."""
    return b.computed(real(b, codes))


def truth(b: Body, codes: Codes) -> Codes:
    """Masks, true for what is not zero."""
    masks = b.is_mask(codes)
    if masks.all():
        return codes
    return parts(
        codes,
        (masks, lambda at: at(codes)),
        (~masks, lambda at: b.apply("NE({0}, SPLAT((R)0))", b.computed(at(codes)), mask=True)),
    )


def where(b: Body, mask: Codes, one: Codes, other: Codes) -> Codes:
    mask, one, other = np.broadcast_arrays(mask, one, other)
    known, same = mask <= ONE, one == other
    yes, no = (known & (mask == ONE)) | same, known & (mask == ZERO) & ~same

    def chosen(at: Rule) -> Codes:
        sides = (b.computed(real(b, at(it))) for it in (one, other))
        return b.apply("SELECT({0}, {1}, {2})", truth(b, at(mask)), *sides)

    return parts(
        mask,
        (yes, lambda at: at(one)),
        (no, lambda at: at(other)),
        (~yes & ~no, chosen),
    )


def axes_of(codes: Codes, axes: Any) -> list[int]:
    """The axes that are meant, counted from the first; all of them where none is."""
    if axes is None or (isinstance(axes, list | tuple) and not axes):
        return list(range(codes.ndim))
    given = axes if isinstance(axes, list | tuple) else [axes]
    return [axis % codes.ndim for axis in given]


def plus(b: Body, one: Codes, other: Codes, alpha: Any = None) -> Codes:
    """The sum of numbers."""
    return add(b, real(b, one), scaled(b, one, real(b, other), alpha))


def times(b: Body, one: Codes, other: Codes) -> Codes:
    """The product; of masks, what is true in both."""
    if b.is_mask(one).all() and b.is_mask(other).all():
        return b.apply("AND({0}, {1})", *np.broadcast_arrays(one, other), mask=True)
    return multiply(b, real(b, one), real(b, other))


def quotient(b: Body, one: Codes, other: Codes, rounding_mode: str | None = None) -> Codes:
    """One through other, exact or rounded down or towards 0."""
    found = divide(b, real(b, one), real(b, other))
    if rounding_mode is None:
        return found
    return b.apply({"floor": "FLOOR({0})", "trunc": "TRUNC({0})"}[rounding_mode], b.computed(found))


def copied(b: Body, codes: Codes, dtype: Any = None, **_: Any) -> Codes:
    """The same numbers in another type, of which there are three: masks, whole ones, and others."""
    if dtype is None:
        return codes
    if dtype == torch.bool:
        return truth(b, codes)
    codes = real(b, codes)
    return codes if dtype.is_floating_point else b.apply("TRUNC({0})", b.computed(codes))


def power(b: Body, base: Codes, exponent: Codes) -> Codes:
    values = b.known(exponent)
    value = float(values.flat[0]) if values is not None and values.size == 1 else None
    base, exponent = b.computed(real(b, base)), real(b, exponent)
    base = np.broadcast_to(base, np.broadcast_shapes(base.shape, exponent.shape))
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


def cut(
    b: Body, codes: Codes, axis: int = 0, first: Any = None, end: Any = None, step: int = 1
) -> Codes:
    return codes[(slice(None),) * (axis % codes.ndim) + (slice(first, end, step),)]


def slice_back(b: Body, codes: Codes, shape: Any, axis: int, *ends: Any) -> Codes:
    result = np.zeros(shape, dtype=np.int64)
    result[(slice(None),) * (axis % len(shape)) + (slice(*ends),)] = codes
    return result


def select_back(b: Body, codes: Codes, shape: Any, axis: int, place: int) -> Codes:
    result = np.zeros(shape, dtype=np.int64)
    result[(slice(None),) * (axis % len(shape)) + (place,)] = codes
    return result


def cat(b: Body, parts: Any, axis: int = 0) -> Codes:
    return np.concatenate([it for it in parts if it.size or it.ndim > 1], axis)


def split(b: Body, codes: Codes, sizes: Any, axis: int = 0) -> list[Codes]:
    size = codes.shape[axis]
    if isinstance(sizes, int):
        return np.split(codes, list(range(sizes, size, sizes)), axis)
    return np.split(codes, np.cumsum(sizes)[:-1].tolist(), axis)


def squeeze(b: Body, codes: Codes, axes: Any = None) -> Codes:
    wanted = axes_of(codes, axes) if axes is not None and codes.ndim else range(codes.ndim)
    return codes.squeeze(tuple(axis for axis in wanted if codes.shape[axis] == 1))


def expand(b: Body, codes: Codes, shape: Any, **_: Any) -> Codes:
    lead = len(shape) - codes.ndim
    sizes = [codes.shape[i - lead] if size == -1 else size for i, size in enumerate(shape)]
    return np.broadcast_to(codes, sizes)


def full(b: Body, shape: Any, value: Codes, **_: Any) -> Codes:
    return np.broadcast_to(value, tuple(shape))


def like(value: int | None = None) -> Rule:
    """Shaped like another tensor: of zeros, of ones, or of a number that is given."""

    def fill(b: Body, x: Codes, given: Codes = _NONE, **_: Any) -> Codes:
        return np.broadcast_to(given if value is None else np.array(value), x.shape)

    return fill


def new(value: int | None = None) -> Rule:
    """Of a shape that is given."""

    def fill(b: Body, x: Codes, shape: Any, given: Codes = _NONE, **_: Any) -> Codes:
        return full(b, shape, given if value is None else np.array(value))

    return fill


def scaled(b: Body, one: Codes, other: Codes, alpha: Any) -> Codes:
    return other if alpha is None else multiply(b, real(b, other), alpha)


def batched(b: Body, one: Codes, other: Codes) -> Codes:
    return np.stack(
        [contract(b, real(b, left), real(b, right)) for left, right in zip(one, other, strict=True)]
    )


def same(b: Body, codes: Codes, *_: Any, **__: Any) -> Codes:
    return codes


def clamp(b: Body, x: Codes, min: Any = None, max: Any = None) -> Codes:
    for limit, function in ((min, "MAXIMUM({0}, {1})"), (max, "MINIMUM({0}, {1})")):
        if limit is not None:
            x = b.apply(function, b.computed(real(b, x)), b.computed(limit))
    return x


def sigmoid_back(b: Body, g: Codes, y: Codes) -> Codes:
    slope = multiply(b, subtract(b, np.full_like(y, ONE), y), y)
    return multiply(b, g, slope)


def tanh_back(b: Body, g: Codes, y: Codes) -> Codes:
    return multiply(b, g, subtract(b, np.full_like(y, ONE), multiply(b, y, y)))


def scattered(place: Callable[..., Codes]) -> Rule:
    """A tensor with a part of it, `place`, replaced."""

    def scatter(b: Body, whole: Codes, part: Codes, *where: Any, **words: Any) -> Codes:
        numbers = np.arange(whole.size).reshape(whole.shape)
        result = whole.reshape(-1).copy()
        result[place(b, numbers, *where, **words)] = part
        return result.reshape(whole.shape)

    return scatter


def diagonal(b: Body, codes: Codes, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Codes:
    return codes.diagonal(offset, dim1, dim2)
