"""Outer products of a gradient, put off: the factors of some steps are kept and added at once.

    g_ij += sum_t a_i(t) b_j(t)

Added step by step, each weight's gradient is loaded and stored at every step; added for some steps
together, it stays in a register meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._body import Body
from ._buffers import place
from ._codes import Codes, products, steps

_SMALLEST = 16
"""Fewer elements are added at once."""


@dataclass(frozen=True)
class Outer:
    """One outer product: where it is added, and its factors."""

    places: Codes
    """[n, m] elements of the gradient."""

    rows: Codes
    """[n]."""

    columns: Codes
    """[m]."""


def outer(body: Body, places: Codes, codes: Codes) -> Outer | None:
    """The rectangle of a gradient that is an outer product, where it is one and large enough."""
    if codes.ndim != 2 or codes.size < _SMALLEST:
        return None
    used = np.flatnonzero(codes.any(0))
    if not len(used) or used[-1] - used[0] + 1 != len(used) or len(used) * len(codes) < _SMALLEST:
        return None
    part = codes[:, used]
    if not products(part).all():
        return None
    for rows, columns in (body.factors(part), body.factors(part)[::-1]):
        if (rows == rows[:, :1]).all() and (columns == columns[:1]).all():
            return Outer(places[:, used], rows[:, 0], columns[0])
    return None


class PutOff:
    """The outer products of one function."""

    def __init__(self) -> None:
        self._made: list[Outer] = []
        self._places: dict[bytes, int] = {}
        self.factors: list[Codes] = []
        """What the function keeps at each step, one behind the other."""
        self.size = 0

    def add(self, product: Outer) -> None:
        """Put one off."""
        self._made.append(product)
        for factor in (product.rows, product.columns):
            if factor.tobytes() not in self._places:
                self._places[factor.tobytes()] = self.size
                self.factors.append(factor)
                self.size += len(factor)

    def text(self, name: str, body: Body) -> str:
        """The function that adds them, for the factors of `count` steps."""
        calls = []
        for it in self._made:
            strides = steps(it.places)
            assert strides is not None
            n, m = it.places.shape
            _, offset = place(body, it.places)
            a, b = (self._places[factor.tobytes()] for factor in (it.rows, it.columns))
            calls.append(
                f"  outer(g + {offset}, {strides[0]}, {strides[1]}, {n}, {m}, f + {a}, f + {b}, "
                f"{self.size}, count);\n"
            )
        return (
            f"enum {{ FACTORS_{name} = {self.size} }};\n"
            f"static inline void k_{name}_sum(V *restrict g, const V *restrict f, long count) {{\n"
            f"{''.join(calls)}}}\n"
        )
