"""One-hot inputs: the number of the symbol instead of a vector of zeros and a one.

A product with such a vector picks a column of the weights, and its gradient falls on that column
alone. Where all lanes show the same symbol, the column is one vector; else each lane has its own.
"""

from __future__ import annotations

import numpy as np

from ._body import Body
from ._buffers import contiguous, place
from ._codes import PRODUCT, SHIFT, ZERO, Codes, products, steps

_SHORTEST = 12
"""As short a vector is multiplied faster than it is looked up."""


def hot_run(body: Body, vector: Codes) -> tuple[int, int] | None:
    """Where the elements of the one-hot input stand in a vector, whole and in their order."""
    hot = body.hot
    if hot is None or len(hot) < _SHORTEST:
        return None
    places = np.flatnonzero(vector == hot[0])
    if len(places) != 1:
        return None
    first = int(places[0])
    end = first + len(hot)
    return (first, end) if np.array_equal(vector[first:end], hot) else None


def gathered(body: Body, weights: Codes, vector: Codes) -> Codes:
    """The column of `weights` that the symbol picks."""
    weights = contiguous(body, weights)
    strides = steps(weights)
    assert strides is not None
    name, offset = place(body, weights)
    result = body.buffer(len(weights))
    body.say(
        f"for (int i = 0; i < {len(weights)}; i++) {body.indexed(result, ['i'])} = "
        f"gather({name} + {offset} + {strides[0]} * i, {strides[1]}, symbol);"
    )
    return body.marked(result, "gathered", of=(weights,))


def scatter(body: Body, columns: Codes, factors: Codes) -> None:
    """Add `factors` to the column of `columns` that the symbol picks."""
    strides = steps(columns)
    assert strides is not None
    factors = contiguous(body, factors)
    name, offset = place(body, columns)
    body.say(
        f"for (int i = 0; i < {len(factors)}; i++) "
        f"scatter({name} + {offset} + {strides[0]} * i, {strides[1]}, symbol, "
        f"{body.indexed(factors, ['i'])});"
    )


def scattered(body: Body, places: Codes, codes: Codes) -> Codes:
    """What is left to add to `places` when the columns of a one-hot input have had their part."""
    made = products(codes)
    if body.hot is None or codes.ndim != 2 or not made.any():
        return codes
    one, other = body.factors(np.where(made, codes, PRODUCT << SHIFT))
    one, other = np.where(made, one, ZERO), np.where(made, other, ZERO)
    for factors, vector in ((one, other), (other, one)):
        run = hot_run(body, vector[0])
        if run is None:
            continue
        first, end = run
        own = factors[:, first : first + 1]
        same = (vector[:, first:end] == vector[0, first:end]).all()
        if same and (factors[:, first:end] == own).all():
            scatter(body, places[:, first:end], own[:, 0])
            rest = codes.copy()
            rest[:, first:end] = ZERO
            return rest
    return codes
