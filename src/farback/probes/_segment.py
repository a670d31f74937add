"""The user's own code between two recurrent calls, and the error pulled through it.

Every recurrent call hands out tensors that are leaves, and cuts those that it takes. What lies
between is ordinary autograd graph: a dropout, a norm, an attention, nothing at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ..flow.scaled import NOTHING, Scaled, total
from ._products import through


def sources(tensor: Tensor, known: Mapping[int, Any]) -> list[Tensor]:
    """The leaves, among those known by id, on which `tensor` depends."""
    if tensor.grad_fn is None:
        return [tensor] if id(tensor) in known else []
    found: dict[int, Tensor] = {}
    seen, ahead = set(), [tensor.grad_fn]
    while ahead:
        node = ahead.pop()
        if node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)
        if leaf is not None and id(leaf) in known:
            found[id(leaf)] = leaf
        ahead += [following for following, _ in node.next_functions if following is not None]
    return list(found.values())


class Ledger:
    """The errors that have arrived at each handed-out tensor so far, [K, *shape], scaled."""

    def __init__(self, draws: int, rescale: bool):
        self.draws = draws
        self.rescale = rescale
        self._arrived: dict[int, Scaled] = {}

    def take(self, leaf: Tensor) -> Scaled | None:
        """What has arrived at `leaf`; its place is emptied."""
        return self._arrived.pop(id(leaf), None)

    def pull(self, given: Tensor, leaves: list[Tensor], error: Scaled) -> None:
        """Send the error at `given` through the user's code to the leaves it came from."""
        if given.grad_fn is None:
            self._add(given, error)
            return
        cut = _slice_of(given)
        if cut is not None and len(leaves) == 1:
            self._add_slice(leaves[0], *cut, error)
            return
        sent = through([given], leaves, [error], rescale=self.rescale)
        for leaf, part in zip(leaves, sent, strict=True):
            self._add(leaf, part)

    def _add(self, leaf: Tensor, error: Scaled) -> None:
        held = self._arrived.get(id(leaf))
        if held is not None:
            error = total(held, error, rescale=self.rescale)
        self._arrived[id(leaf)] = error

    def _add_slice(self, leaf: Tensor, dim: int, index: int, error: Scaled) -> None:
        held = self._arrived.get(id(leaf))
        if held is None:
            shape = (self.draws, *leaf.shape)
            mantissa = error.mantissa.new_zeros(shape)
            exponent = error.exponent.new_full(shape[:-1], NOTHING if self.rescale else 0)
            held = self._arrived[id(leaf)] = Scaled(mantissa, exponent)
        place = (slice(None),) * (dim + 1) + (index,)
        here = Scaled(held.mantissa[place], held.exponent[place])
        held.mantissa[place], held.exponent[place] = total(here, error, rescale=self.rescale)


def _slice_of(given: Tensor) -> tuple[int, int] | None:
    """(dim, index) when `given` is one step taken from a leaf: x[:, t] or x.unbind(1)[t].

    Autograd would fill a whole sequence with zeros for each such step, so that T steps cost T^2.
    """
    node: Any = given.grad_fn
    (after, _), *others = node.next_functions or ((None, 0),)
    leaf = getattr(after, "variable", None)
    if leaf is None or others:
        return None
    if node.name() == "SelectBackward0":
        index = _signed(node._saved_index)
    elif node.name() == "UnbindBackward0":
        index = given.output_nr
    else:
        return None
    dim = _signed(node._saved_dim) % leaf.dim()
    return (dim, index % leaf.shape[dim]) if dim < leaf.dim() - 1 else None


def _signed(number: int) -> int:
    """Autograd stores a negative index as an unsigned 64-bit number."""
    return number - 2**64 if number >= 2**63 else number
