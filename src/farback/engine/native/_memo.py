"""Dear results that one function keeps and another takes over, instead of computing them again.

The pass back needs what the pass forward had: the activations. Both functions are traced apart; a
result is the same in both where it was made by the same operations from the same arrays. A mark is
a number that is equal for such results.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ._codes import CONSTANT, PLACE, PRODUCT, SHIFT, Codes

DEAR = frozenset(
    f"{name}({{0}})" for name in ("SIGMOID", "TANH", "EXP", "EXPM1", "LOG", "SIN", "COS", "ERF")
)
"""The operations whose results are worth a place in memory."""


class Products(Protocol):
    """What knows constants and the factors of products: a body."""

    def known(self, codes: Codes) -> np.ndarray | None: ...

    def factors(self, codes: Codes) -> tuple[Codes, Codes]: ...


class Memo:
    """What the function that comes first could keep."""

    def __init__(self) -> None:
        self.made: dict[int, tuple[Codes, list[int]]] = {}
        """By its mark, a result and the marks of its elements."""
        self.known: dict[int, int] = {}
        """The marks of what is taken over, by the codes of its places."""

    def recall(self, mark: int) -> Codes | None:
        """What is kept under this mark."""
        return None


class Recalled(Memo):
    """What the function that comes later takes over.

    Args:
        first: the memo of the first function.
    """

    def __init__(self, first: Memo) -> None:
        super().__init__()
        self._first = first
        self.kept = 0
        """The code of the first element of the array where things are kept."""
        self.wanted: list[Codes] = []
        """In the first function's codes, in the order of their places."""
        self._places: dict[int, Codes] = {}
        self.size = 0

    def recall(self, mark: int) -> Codes | None:
        if mark not in self._first.made:
            return None
        if mark not in self._places:
            codes, marks = self._first.made[mark]
            places = self.kept + self.size + np.arange(codes.size).reshape(codes.shape)
            self._places[mark] = places
            self.known.update(zip(places.ravel().tolist(), marks, strict=True))
            self.wanted.append(codes)
            self.size += codes.size
        return self._places[mark]


class Marks:
    """The marks of one function's numbers."""

    def __init__(self, memo: Memo) -> None:
        self.memo = memo
        self._marks: dict[int, int] = {}

    def array(self, base: int, mark: int) -> None:
        """An array is known by this."""
        self._marks[base] = mark

    def number(self, body: Products, code: int, template: str, operands: tuple[int, ...]) -> None:
        """A variable is known by its operation and operands."""
        self._marks[code] = hash((template, *(self._of(body, it) for it in operands)))

    def of(self, body: Products, codes: Codes) -> int:
        """The mark of a tensor."""
        return hash(tuple(self._of(body, it) for it in np.asarray(codes).ravel().tolist()))

    def note(self, body: Products, mark: int, codes: Codes) -> None:
        """Take notice of a dear result."""
        self.memo.made[mark] = codes, [self._of(body, it) for it in codes.ravel().tolist()]

    def _of(self, body: Products, code: int) -> int:
        base, place = code >> SHIFT, code & PLACE
        if code in self.memo.known:
            return self.memo.known[code]
        if base == CONSTANT:
            return hash((CONSTANT, str(body.known(np.array(code)))))
        if base == PRODUCT:
            factors = body.factors(np.array(code))
            return hash((PRODUCT, *(self._of(body, int(it)) for it in factors)))
        if code in self._marks:
            return self._marks[code]
        # An array without a mark is like no other.
        return hash((self._marks.get(base, id(self) + base), place))
