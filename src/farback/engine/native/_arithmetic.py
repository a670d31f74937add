"""Sums, products and contractions, with what is known to be zero or one left out.

A product that is added to something becomes one fused operation. What is multiplied by a certain
zero is left out, so that a net whose derivatives are sparse is compiled as one; an infinite number
times such a zero is 0 here and not NaN, but it stays infinite where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import reduce

import numpy as np

from ._body import FEW, Body
from ._buffers import contiguous
from ._codes import CONSTANTS, MASK, ONE, SHIFT, VARIABLE, ZERO, Codes, parts, products
from ._hot import gathered, hot_run, scattered

FEW_PRODUCTS = 400
"""A contraction of as many products is written out, one statement each."""

_ROWS = 4
"""A matrix of fewer rows is narrow."""

_TOGETHER = 8
"""Rows of a matrix that are taken together, so that their sums do not wait for one another."""

_CHAINS = 4
"""Chains of a long sum."""

_UNROLLED = 160
"""Products in the body of a loop over columns."""


def multiply(body: Body, one: Codes, other: Codes) -> Codes:
    """One times other, as products to be computed where they are used."""
    values = body.known(one), body.known(other)
    if values[0] is not None and values[1] is not None:
        return body.constants(values[0] * values[1])
    one, other = _regrouped(body, *np.broadcast_arrays(one, other)) or (one, other)
    # Before they are spread: each is computed once.
    one, other = np.broadcast_arrays(body.computed(one), body.computed(other))
    zero = (one == ZERO) | (other == ZERO)
    left, right = ~zero & (other == ONE), ~zero & (one == ONE) & (other != ONE)
    return parts(
        one,
        (zero, lambda at: np.zeros_like(at(one))),
        (left, lambda at: at(one)),
        (right, lambda at: at(other)),
        (~zero & ~left & ~right, lambda at: body.product(at(one), at(other))),
    )


def _regrouped(body: Body, one: Codes, other: Codes) -> tuple[Codes, Codes] | None:
    """(a b) c as (a c) b, where there are far fewer different pairs of a and c than products."""
    if products(other).all():
        one, other = other, one
    if one.size <= FEW or not products(one).all() or products(other).any():
        return None
    for a, b in (factors := body.factors(one), factors[::-1]):
        pairs = np.stack([a.ravel(), other.ravel()], axis=1)
        each, places = np.unique(pairs, axis=0, return_inverse=True)
        if len(each) * 4 <= one.size and not (each <= CONSTANTS).any():
            made = body.apply("{0} * {1}", each[:, 0], each[:, 1])
            return made[places.reshape(-1)].reshape(one.shape), b
    return None


def add(body: Body, one: Codes, other: Codes) -> Codes:
    """One plus other."""
    fused = "FMA({0}, {1}, {2})"
    return _sum(body, one, other, np.add, (fused, fused, "{0} + {1}"))


def sums(body: Body, places: Codes, codes: Codes) -> Iterator[tuple[Codes, str, tuple[Codes, ...]]]:
    """What adds `codes` to what stands at `places`: an operation for products, one for the rest."""
    made = products(codes)
    if made.all():
        yield places, "FMA({0}, {1}, {2})", (*body.factors(codes), places)
        return
    if made.any():
        yield places[made], "FMA({0}, {1}, {2})", (*body.factors(codes[made]), places[made])
    rest = ~made & (codes != ZERO)
    if rest.any():
        yield places[rest], "{0} + {1}", (places[rest], codes[rest])


def add_into(body: Body, buffer: Codes, other: Codes) -> Codes:
    """`buffer`, which nobody else reads, with other added to what stands there."""
    rows = buffer.reshape(-1, buffer.shape[-1]) if buffer.ndim else buffer.reshape(1, 1)
    added = np.broadcast_to(other, buffer.shape).reshape(rows.shape)
    for places, codes in zip(rows, added, strict=True):
        for sum in sums(body, places, scattered(body, places[None], codes[None])[0]):
            body.loop(*sum)
    return body.marked(buffer, object(), of=())


def subtract(body: Body, one: Codes, other: Codes) -> Codes:
    """One minus other."""
    fused = "FMA({0}, {1}, -({2}))", "FMA(-({0}), {1}, {2})"
    return _sum(body, one, other, np.subtract, (*fused, "{0} - {1}"))


def _sum(
    body: Body, one: Codes, other: Codes, known: np.ufunc, templates: tuple[str, str, str]
) -> Codes:
    """A sum or a difference; the templates are for a product first, second, and for neither."""
    one, other = np.broadcast_arrays(one, other)
    values = body.known(one), body.known(other)
    if values[0] is not None and values[1] is not None:
        return body.constants(known(*values))
    left = other == ZERO
    right = (one == ZERO) & ~left if known is np.add else np.zeros_like(left)
    rest = ~left & ~right
    second = rest & products(other)
    first = rest & ~second & products(one)
    return parts(
        one,
        (left, lambda at: at(one)),
        (right, lambda at: at(other)),
        (second, lambda at: _fused(body, templates[1], at(other), at(one))),
        (first, lambda at: _fused(body, templates[0], at(one), at(other))),
        (rest & ~second & ~first, lambda at: body.apply(templates[2], at(one), at(other))),
    )


def divide(body: Body, one: Codes, other: Codes) -> Codes:
    """One through other."""
    one, other = np.broadcast_arrays(one, other)
    values = body.known(other)
    if values is not None and np.isin(np.abs(np.frexp(values)[0]), 0.5).all():
        return multiply(body, one, body.constants(1 / values))  # a power of two: exact
    return body.apply("{0} / {1}", body.computed(one), body.computed(other))


def _fused(body: Body, template: str, made: Codes, addends: Codes) -> Codes:
    return body.apply(template, *body.factors(made), body.computed(addends))


def in_chains(parts: list[Codes], pair: Callable[[Codes, Codes], Codes]) -> Codes:
    """All parts put together by pairs, in a few chains that do not wait for one another."""
    count = _CHAINS if len(parts) >= _CHAINS**2 else 1
    return reduce(pair, [reduce(pair, parts[first::count]) for first in range(count)])


def run(
    body: Body, begin: str, pair: str, codes: Codes, axis: int, *, mask: bool = False
) -> Codes | None:
    """Some long rows along an axis, each put together by a loop; None where that cannot be."""
    rows = np.moveaxis(codes, axis, -1)
    shape, size = rows.shape[:-1], rows.shape[-1]
    if size <= FEW or codes.size > _ROWS * size:
        return None
    made = [_run(body, begin, pair, row, mask) for row in rows.reshape(-1, size)]
    return None if None in made else np.array(made, dtype=np.int64).reshape(shape)


def _run(body: Body, begin: str, pair: str, codes: Codes, mask: bool) -> int | None:
    made = bool(products(codes).all())
    texts = [body.indexed(it, ["i0"]) for it in (body.factors(codes) if made else [codes])]
    if None in texts:
        return None
    place, kind = next(body.names), "M" if mask else "V"
    value = ("FMA({1}, {2}, {0})" if made else pair).format(f"sum{place}", *texts)
    body.say(f"{kind} sum{place} = {begin};")
    body.say(f"for (int i0 = 0; i0 < {len(codes)}; i0++) sum{place} = {value};")
    body.say(f"const {kind} v{place} = sum{place};")
    code = (MASK if mask else VARIABLE) << SHIFT | place
    if body.marks is not None:
        body.marks.number(body, code, pair, tuple(codes.tolist()))
    return code


def total(body: Body, codes: Codes, axis: int) -> Codes:
    """The sum along one axis."""
    made = run(body, "SPLAT((R)0)", "{0} + {1}", codes, axis)
    if made is not None:
        return made
    if codes.size <= FEW_PRODUCTS or codes.shape[axis] <= _ROWS:
        if not codes.shape[axis]:
            return np.zeros_like(codes.sum(axis))
        parts = [np.take(codes, place, axis) for place in range(codes.shape[axis])]
        return in_chains(parts, lambda one, other: add(body, one, other))
    rows = np.moveaxis(codes, axis, -1)
    flat = rows.reshape(-1, rows.shape[-1], 1)
    ones = np.full((1, rows.shape[-1]), ONE)
    return np.stack([contract(body, ones, it)[0, 0] for it in flat]).reshape(rows.shape[:-1])


def contract(body: Body, one: Codes, other: Codes) -> Codes:
    """The product of two matrices, [i, k] and [k, j]."""
    if one.shape[1] == 1:
        return multiply(body, one, other)
    if (np.count_nonzero(one, axis=1) == 1).all():
        # Each row is one row of the other, by a factor; most of it may never be used.
        factors, places = one[one != ZERO], np.nonzero(one)[1]
        return multiply(body, factors[:, None], other[places])
    if (np.count_nonzero(other, axis=0) == 1).all():
        factors, places = other.T[other.T != ZERO], np.nonzero(other.T)[1]
        return multiply(body, one[:, places], factors[None])
    one, other = body.computed(one), body.computed(other)
    few = np.count_nonzero(one) <= _UNROLLED and other.shape[1] > _ROWS
    if one.shape[0] == 1 and other.shape[1] > 1 and not few:
        return contract(body, other.T, one.T).T
    shape = len(one), other.shape[1]
    if not one.any() or not other.any():
        return np.zeros(shape, dtype=np.int64)
    run = hot_run(body, other[:, 0]) if other.shape[1] == 1 else None
    count = int(((one != ZERO).sum(0) * (other != ZERO).sum(1)).sum())
    if run is not None:
        first, end = run
        rest = [k for k in range(len(other)) if not first <= k < end]
        begun = gathered(body, one[:, first:end], other[first:end, 0])[:, None]
        if not rest:
            return begun
        return _added(body, begun, one[:, rest], other[rest])
    if count <= FEW_PRODUCTS:
        return _added(body, np.zeros(shape, dtype=np.int64), one, other)
    if few:
        return _by_columns(body, one, other)
    if np.count_nonzero(other) <= _UNROLLED and shape[0] > _ROWS and shape[1] > 1:
        return _by_columns(body, other.T, one.T).T
    return _by_rows(body, one, other)


def _added(body: Body, begun: Codes, one: Codes, other: Codes) -> Codes:
    """`begun` and the products, one after another; by loops where they are many."""
    if one.size * other.shape[1] > FEW_PRODUCTS:
        return add(body, _by_rows(body, one, other), begun)
    parts = [multiply(body, one[:, k : k + 1], other[k : k + 1]) for k in range(one.shape[1])]

    def pair(one: Codes, other: Codes) -> Codes:
        return add(body, one, other)

    if begun.size < _ROWS:
        return add(body, begun, in_chains(parts, pair))
    return reduce(pair, parts, begun)


def _by_columns(body: Body, one: Codes, other: Codes) -> Codes:
    """A loop over columns, with all products of a column written out."""
    result = body.buffer(len(one) * other.shape[1]).reshape(len(one), other.shape[1])
    if body.indexed(other, ["k", "j"]) is None:
        other = contiguous(body, other)
    body.say('_Pragma("GCC unroll 2")')
    body.say(f"for (int j = 0; j < {other.shape[1]}; j++) {{")
    columns = [body.indexed(row, ["j"]) for row in other]
    used = [k for k in range(len(other)) if one[:, k].any()]
    for k in used:
        body.say(f"const V c{k} = {columns[k]};")
    for i, row in enumerate(one):
        text = ""
        for k in np.flatnonzero(row).tolist():
            factor = body.name(int(row[k]))
            text = f"FMA({factor}, c{k}, {text})" if text else f"{factor} * c{k}"
        body.say(f"{body.indexed(result[i], ['j'])} = {text or 'SPLAT((R)0)'};")
    body.say("}")
    return body.marked(result, "columns", of=(one, other))


def _by_rows(body: Body, one: Codes, other: Codes) -> Codes:
    """Loops over rows, some at a time, and along them."""
    rows, inner, columns = *one.shape, other.shape[1]
    one, other = contiguous(body, one), contiguous(body, other)
    result = body.buffer(rows * columns).reshape(rows, columns)
    whole = rows - rows % _TOGETHER
    for first, end, together in ((0, whole, _TOGETHER), (whole, rows, 1)):
        if first == end:
            continue
        body.say(f"for (int i = {first}; i < {end}; i += {together})")
        body.say(f"for (int j = 0; j < {columns}; j++) {{")
        sums = ", ".join(f"s{r} = SPLAT((R)0)" for r in range(together))
        body.say(f"V {sums};")
        body.say(f"for (int k = 0; k < {inner}; k++) {{")
        body.say(f"const V c = {body.indexed(other, ['k', 'j'])};")
        for r in range(together):
            body.say(f"s{r} = FMA({body.indexed(one, [f'(i + {r})', 'k'])}, c, s{r});")
        body.say("}")
        for r in range(together):
            body.say(f"{body.indexed(result, [f'(i + {r})', 'j'])} = s{r};")
        body.say("}")
    return body.marked(result, "rows", of=(one, other))
