"""The reference engine: functions of one sequence, run for all trials and sequences at once.

`batched` maps a function over leading axes by torch.func.vmap. At the first call with a shape it
traces the mapped function to a flat graph of tensor operations, and replays that graph afterwards:
the same operations in the same order, without the machinery of torch.func around each.

A function whose control flow looks at numbers cannot be traced and runs mapped but untraced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

Function = Callable[..., Any]
Axes = tuple[int | None, ...]


def batched(function: Function, *levels: Axes, out: Any = 0) -> Function:
    """`function` mapped over one more leading axis per level, the outermost level first.

    Args:
        function: a pure function of trees of tensors.
        levels: for each level the axis of each argument that it maps, None where the argument is
            shared.
        out: where the outermost level's axis stands in what comes out.
    """
    mapped = function
    for level, axes in reversed(list(enumerate(levels))):
        mapped = torch.func.vmap(mapped, in_dims=axes, out_dims=0 if level else out)
    return _Traced(mapped)


class _Traced:
    """A function of tensors that is traced once for each shape of its arguments."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._graphs: dict[tuple[Any, ...], Callable[[list[Tensor]], Any]] = {}

    def __call__(self, *arguments: Any) -> Any:
        leaves, form = pytree.tree_flatten(arguments)
        key = (form, *((it.shape, it.dtype, it.device) for it in leaves))
        graph = self._graphs.get(key)
        if graph is None:
            graph = self._graphs[key] = self._trace(leaves, form)
        return graph(leaves)

    def _trace(self, leaves: list[Tensor], form: Any) -> Callable[[list[Tensor]], Any]:
        def flat(*given: Tensor) -> list[Tensor]:
            made, shape[0] = pytree.tree_flatten(
                self._function(*pytree.tree_unflatten(list(given), form))
            )
            return made

        shape: list[Any] = [None]
        traced = make_fx(flat)(*leaves)
        traced.graph.eliminate_dead_code()
        traced.recompile()
        form_out = shape[0]

        def replay(given: list[Tensor]) -> Any:
            with torch.no_grad():
                return pytree.tree_unflatten(traced.forward(*given), form_out)

        return replay


@contextmanager
def one_thread() -> Iterator[None]:
    """Run with one thread of torch, so that sums are taken in the same order on every machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
