"""Rules for what is picked and put at places that are known while code is written."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._arithmetic import add
from ._body import Body
from ._codes import Codes
from ._rules import real


def index(b: Body, codes: Codes, places: Any) -> Codes:
    known = (slice(None) if it is None else _whole(b, it) for it in places)
    return codes[tuple(known)]


def index_put(b: Body, codes: Codes, places: Any, values: Codes, accumulate: bool = False) -> Codes:
    where = index(b, _positions(codes), places)
    return _put(b, codes, where, np.broadcast_to(values, where.shape), accumulate)


def put(b: Body, codes: Codes, places: Codes, values: Codes, accumulate: bool = False) -> Codes:
    return _put(b, codes, _whole(b, places), values, accumulate)


def gather(b: Body, codes: Codes, axis: int, places: Codes, **_: Any) -> Codes:
    return codes.reshape(-1)[_along(b, codes, axis, places)]


def scatter(b: Body, codes: Codes, axis: int, places: Codes, values: Codes) -> Codes:
    return _scattered(b, codes, axis, places, values, accumulate=False)


def scatter_add(b: Body, codes: Codes, axis: int, places: Codes, values: Codes) -> Codes:
    return _scattered(b, codes, axis, places, values, accumulate=True)


def _whole(b: Body, places: Codes) -> np.ndarray:
    known = b.known(places)
    if known is None:
        raise KeyError("places that depend on numbers")
    return known.astype(int)


def _positions(codes: Codes) -> np.ndarray:
    return np.arange(codes.size).reshape(codes.shape)


def _along(b: Body, codes: Codes, axis: int, places: Codes) -> np.ndarray:
    """Where the elements stand that are at these places of an axis, and else where they are."""
    axis %= codes.ndim
    sizes = (codes.shape[it] if it == axis else size for it, size in enumerate(places.shape))
    corner = tuple(map(slice, sizes))
    return np.take_along_axis(_positions(codes)[corner], _whole(b, places), axis)


def _scattered(
    b: Body, codes: Codes, axis: int, places: Codes, values: Codes, *, accumulate: bool
) -> Codes:
    where = _along(b, codes, axis, places)
    if values.ndim:
        values = values[tuple(map(slice, where.shape))]
    return _put(b, codes, where, np.broadcast_to(values, where.shape), accumulate)


def _put(b: Body, codes: Codes, where: np.ndarray, values: Codes, accumulate: bool) -> Codes:
    result, where, values = codes.reshape(-1).copy(), where.reshape(-1), values.reshape(-1)
    if not accumulate:
        result[where] = values
        return result.reshape(codes.shape)
    result, values = real(b, result).copy(), real(b, values)
    while len(where):
        # One value at each place; of those that come again, the next ones in the next turn.
        here, first = np.unique(where, return_index=True)
        result[here] = add(b, result[here], values[first])
        where, values = (np.delete(it, first) for it in (where, values))
    return result.reshape(codes.shape)
