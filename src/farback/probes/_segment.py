"""The user's own code between two recurrent calls, and the error pulled through it.

Every recurrent call hands out tensors that are leaves, and cuts those that it takes. What lies
between is ordinary autograd graph: a dropout, a norm, an attention, nothing at all. A
vector-Jacobian product is linear, so an error whose parts differ by thousands of powers of two is
sent through in **bands** of similar size, each near one, and the results are added with their
exponents.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ..flow.scaled import NOTHING, Scaled, add, at, normalise, scaled

_WIDTH = {torch.float64: 400, torch.float32: 48, torch.bfloat16: 48, torch.float16: 6}


def working(dtype: torch.dtype) -> torch.dtype:
    """The arithmetic in which errors at a tensor of `dtype` are held: never a half precision."""
    return torch.float64 if dtype == torch.float64 else torch.float32


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
        parts: list[list[Scaled]] = [[] for _ in leaves]
        for k in range(self.draws):
            for part, sent in zip(parts, self._through(given, leaves, error, k), strict=True):
                part.append(sent)
        for leaf, part in zip(leaves, parts, strict=True):
            mantissa = torch.stack([sent.mantissa for sent in part])
            self._add(leaf, Scaled(mantissa, torch.stack([sent.exponent for sent in part])))

    def _through(self, given: Tensor, leaves: list[Tensor], error: Scaled, k: int) -> list[Scaled]:
        """One loss time's error, band by band."""
        totals: list[Scaled] | None = None
        mine = Scaled(error.mantissa[k], error.exponent[k])
        for band, top in self._bands(mine, given.dtype):
            pulled = torch.autograd.grad(
                given, leaves, band.to(given.dtype), retain_graph=True, materialize_grads=True
            )
            sent = [self._scaled(part.to(error.mantissa.dtype), top) for part in pulled]
            if totals is None:
                totals = sent
            else:
                totals = [normalise(*add(a, b)) for a, b in zip(totals, sent, strict=True)]
        if totals is None:
            empty = [torch.zeros_like(leaf, dtype=error.mantissa.dtype) for leaf in leaves]
            return [self._scaled(part, 0) for part in empty]
        return totals

    def _bands(self, error: Scaled, dtype: torch.dtype) -> Iterator[tuple[Tensor, int]]:
        if not self.rescale:
            yield error.mantissa, 0
            return
        yield from bands(error, dtype)

    def _scaled(self, values: Tensor, top: int) -> Scaled:
        if not self.rescale:
            return Scaled(values, values.new_zeros(values.shape[:-1], dtype=torch.int64))
        mantissa, exponent = scaled(values)
        return Scaled(mantissa, torch.where(exponent == NOTHING, NOTHING, exponent + top))

    def _add(self, leaf: Tensor, error: Scaled) -> None:
        held = self._arrived.get(id(leaf))
        self._arrived[id(leaf)] = error if held is None else self._sum(held, error)

    def _add_slice(self, leaf: Tensor, dim: int, index: int, error: Scaled) -> None:
        held = self._arrived.get(id(leaf))
        if held is None:
            shape = (self.draws, *leaf.shape)
            mantissa = error.mantissa.new_zeros(shape)
            exponent = error.exponent.new_full(shape[:-1], NOTHING if self.rescale else 0)
            held = self._arrived[id(leaf)] = Scaled(mantissa, exponent)
        place = (slice(None),) * (dim + 1) + (index,)
        total = self._sum(Scaled(held.mantissa[place], held.exponent[place]), error)
        held.mantissa[place], held.exponent[place] = total

    def _sum(self, one: Scaled, other: Scaled) -> Scaled:
        if not self.rescale:
            return Scaled(one.mantissa + other.mantissa, one.exponent)
        return normalise(*add(one, other))


def bands(error: Scaled, dtype: torch.dtype) -> Iterator[tuple[Tensor, int]]:
    """Split an error by size: tensors near one, zeros elsewhere, each with its exponent."""
    rest = error.exponent
    while (top := int(rest.max())) > NOTHING // 2:
        inside = rest > top - _WIDTH.get(dtype, 48)
        whole = at(Scaled(error.mantissa, torch.where(inside, error.exponent, NOTHING)), top)
        yield whole, top
        rest = torch.where(inside, NOTHING, rest)


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
