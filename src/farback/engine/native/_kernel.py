"""A kernel: one traced function as a C function of arrays.

Each argument is an array of vectors by its name, and so is each result, which is set or added to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from ._arithmetic import FEW_PRODUCTS, sums
from ._body import FEW, HOT, Body
from ._buffers import elements, gather_up, settle, spread
from ._codes import SHIFT, Codes
from ._description import Net
from ._emit import emit
from ._fusion import fused
from ._hot import scattered
from ._memo import Marks
from ._outer import PutOff, outer
from ._rules import real
from ._tiles import tiled
from ._trace import Traced
from ._unavailable import Unavailable


@dataclass(frozen=True)
class Kernel:
    """The text of a function, and the vectors of working memory that it needs."""

    text: str
    work: int


class Writer:
    """The writing of one kernel.

    Args:
        name: the function's, without the k_ before it.
        parameters: the arrays it is given, in their order, with their sizes; "x" comes with the
            symbol.
        hot: whether the input x is one-hot.
        marks: where results are told from one another.
    """

    def __init__(
        self,
        name: str,
        parameters: dict[str, int],
        *,
        hot: bool = False,
        marks: Marks | None = None,
    ) -> None:
        self.body = Body(marks)
        self.name, self._parameters = name, parameters
        self._arrays: dict[str, Codes] = {}
        self._read: set[str] = set()
        """Arrays that are copied to, since other things stand there before or stay elsewhere."""
        for parameter, size in parameters.items():
            spelled = HOT if hot and parameter == "x" else parameter
            self._arrays[parameter] = self.body.array(spelled, size)
        if hot and "x" in parameters:
            self.body.hot = self._arrays["x"]

    def array(self, name: str, shapes: Sequence[tuple[int, ...]]) -> list[Codes]:
        """The elements of an array as tensors of these shapes, one behind the other."""
        sizes = [int(np.prod(shape)) for shape in shapes]
        ends = np.cumsum([0, *sizes])
        flat = self._arrays[name]
        return [
            flat[first:end].reshape(shape)
            for (first, end), shape in zip(pairwise(ends), shapes, strict=True)
        ]

    def run(self, traced: Traced, *given: list[Codes]) -> list[Codes]:
        """The codes of what the function gives for arguments laid one behind the other."""
        return emit(self.body, traced, [it for group in given for it in group])

    def set(self, name: str, values: Sequence[Codes]) -> None:
        """Write values to an array, one behind the other; what stands there already is left."""
        if name not in self._read:
            values = self._settled(name, values)
        if not values:
            return
        flat = np.concatenate([real(self.body, it).reshape(-1) for it in values])
        places = self._arrays[name]
        assert flat.shape == places.shape, (name, flat.shape, places.shape)
        moved = flat != places
        # Nothing may be read from where something was written.
        flat = np.where(moved, self.body.computed(flat), flat)
        if moved.any():
            self.body.loop(places[moved], "{0}", [flat[moved]])

    def _settled(self, name: str, values: Sequence[Codes]) -> Sequence[Codes]:
        """Have whole buffers stand where they would be copied to."""
        flat = np.concatenate([real(self.body, it).reshape(-1) for it in values])
        places = self._arrays[name]
        bases = flat >> SHIFT
        turns = np.flatnonzero(np.diff(bases)) + 1
        for part, own in zip(np.split(flat, turns), np.split(places, turns), strict=True):
            if len(part) > FEW and settle(self.body, part, int(own[0])):
                again = np.isin(flat, part)
                flat[again] = own[0] + flat[again] - part[0]
        return [flat]

    def keep(self, name: str, values: Sequence[Codes]) -> None:
        """Write values to an array that is as large as they are, one behind the other."""
        if values:
            size = sum(it.size for it in values)
            self._arrays[name] = int(self._arrays[name][0]) + np.arange(size)
            self._read.add(name)
            self.set(name, values)

    def replace(self, **arrays: Sequence[Codes]) -> None:
        """Set arrays that were read from, as if all at one moment."""
        read = np.concatenate([self._arrays[name] for name in arrays])
        settled: dict[str, list[Codes]] = {}
        for name, values in arrays.items():
            places = self.array(name, [it.shape for it in values])
            settled[name] = [
                self._apart(codes, own, read) for codes, own in zip(values, places, strict=True)
            ]
        self._read.update(settled)
        for name, values in settled.items():
            self.set(name, values)

    def _apart(self, codes: Codes, own: Codes, read: Codes) -> Codes:
        """Copies of what stands where something else will be written."""
        codes = real(self.body, self.body.computed(codes))
        moved = np.isin(codes, read) & (codes != own)
        if not moved.any():
            return codes
        result = codes.copy()
        result[moved] = self.body.apply("{0}", codes[moved])
        return result

    def add(self, name: str, values: Sequence[Codes], later: PutOff | None = None) -> None:
        """Add values to an array, one behind the other; outer products may be put off."""
        shapes = [it.shape for it in values]
        for places, codes in zip(self.array(name, shapes), values, strict=True):
            if later is None and self._gathered_up(places, codes, values):
                continue
            codes = scattered(self.body, places, real(self.body, codes))
            product = None if later is None else outer(self.body, places, codes)
            if later is not None and product is not None:
                later.add(product)
            else:
                for sum in sums(self.body, places, codes):
                    self._each(*sum)

    def _gathered_up(self, places: Codes, codes: Codes, values: Sequence[Codes]) -> bool:
        """Whether what is to be added now is added where it is made."""
        flat = np.concatenate([it.reshape(-1) for it in values])
        bases = elements(self.body, flat) >> SHIFT
        alone = int((bases == int(codes.flat[0]) >> SHIFT).sum()) == codes.size
        return alone and gather_up(self.body, codes.reshape(-1), int(places.flat[0]))

    def _each(self, places: Codes, template: str, operands: tuple[Codes, ...]) -> None:
        if places.size > FEW_PRODUCTS:
            self.body.loop(places, template, [spread(self.body, it) for it in operands])
            return
        flat = (np.broadcast_to(it, places.shape).flat for it in operands)
        columns = zip(places.flat, *flat, strict=True)
        for place, *others in columns:
            names = (self.body.name(int(it)) for it in others)
            self.body.say(f"{self.body.name(int(place))} = {template.format(*names)};")

    def done(self, results: Sequence[str]) -> Kernel:
        """The function; `results` are the arrays that it writes to."""
        signature = []
        for parameter in self._parameters:
            const = "" if parameter in results else "const "
            signature.append(f"{const}V *restrict {parameter}")
            if parameter == "x":
                signature.append("Symbol symbol")
        lines = "\n  ".join(tiled(fused(self.body.lines)))
        head = f"static inline void k_{self.name}({', '.join([*signature, 'V *restrict work'])})"
        return Kernel(f"{head} {{\n  {lines}\n}}\n", self.body.work)


def alike(example: Any, tree: Any) -> Any:
    """The tree with its names in the order of the example's.

    Raises:
        Unavailable: it has others.
    """
    if isinstance(example, dict):
        if not isinstance(tree, dict) or example.keys() != tree.keys():
            raise Unavailable(f"a tree of {list(tree)} came where {list(example)} were expected")
        return {name: alike(it, tree[name]) for name, it in example.items()}
    if isinstance(example, tuple | list) and isinstance(tree, tuple | list):
        made = [alike(one, other) for one, other in zip(example, tree, strict=True)]
        return type(example)(*made) if hasattr(example, "_fields") else type(example)(made)
    return tree


def shapes_of(tree: object) -> list[tuple[int, ...]]:
    """The shapes of a tree's tensors, in their order."""
    return [tuple(it.shape) for it in pytree.tree_leaves(tree)]


def size_of(tree: object) -> int:
    """How many numbers a tree holds."""
    return sum(int(torch.as_tensor(it).numel()) for it in pytree.tree_leaves(tree))


def given(writer: Writer, net: Net, state: Tensor, x: Tensor) -> tuple[list[Codes], ...]:
    """Parameters, state and input as a kernel's arguments."""
    return (
        writer.array("p", shapes_of(net.params)),
        writer.array("s", [state.shape]),
        writer.array("x", [x.shape]),
    )


def examples(net: Net) -> tuple[Tensor, Tensor, Tensor]:
    """A state, an input and an output to trace with."""
    state = net.start(net.params)
    x, output = (state.new_zeros(size) for size in (net.inputs, net.outputs))
    return state, x, output


def weighed(net: Net, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """The error of one step; nothing where it is not scored, whatever the output."""
    return torch.where(weight > 0, net.loss(output, target) * weight, 0)
