"""The reference engine: functions of one sequence, run for all trials and sequences at once.

`batched` maps a function over leading axes by torch.func.vmap. At the first call with a shape it
traces the mapped function to a flat graph of tensor operations, and replays that graph afterwards:
the same operations in the same order, without the machinery of torch.func around each.

A function whose control flow looks at numbers can be neither mapped nor traced, and is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from ..errors import InputRefused
from ._graph import simplify

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
    """A function of tensors and dictionaries of them, traced once for each shape of them."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._graphs: dict[tuple[Any, ...], Function] = {}

    def __call__(self, *arguments: Any) -> Any:
        leaves: list[Tensor] = []
        form = tuple(_flatten(arguments, leaves))
        # A graph holds views that suit the strides it was traced with.
        key = form, *((it.shape, it.stride(), it.dtype, it.device) for it in leaves)
        graph = self._graphs.get(key)
        if graph is None:
            graph = self._graphs[key] = self._trace(arguments)
        if torch.is_grad_enabled():
            with torch.no_grad():
                return graph(leaves)
        return graph(leaves)

    def _trace(self, arguments: tuple[Any, ...]) -> Function:
        leaves, form = pytree.tree_flatten(arguments)
        made: list[Any] = [None]

        def flat(*given: Tensor) -> list[Tensor]:
            leaves_out, made[0] = pytree.tree_flatten(
                self._function(*pytree.tree_unflatten(list(given), form))
            )
            return leaves_out

        # The same tensor given twice would be traced as one argument.
        try:
            traced = make_fx(flat)(*(it.detach() for it in leaves))
        except RuntimeError as error:
            if not str(error).startswith("vmap: "):
                raise
            reason = str(error).removeprefix("vmap: ").partition(". ")[0]
            raise InputRefused(
                f"A function cannot be run for many trials at once ({reason}); write steps, losses "
                "and updates in pure torch whose control flow looks at no number, as with "
                "torch.where, and see farback.testing."
            ) from error
        simplify(traced.graph)
        traced.recompile()
        run, form_out = traced.forward, made[0]
        if form_out == pytree.tree_structure(0):
            return lambda given: run(*given)[0]
        return lambda given: pytree.tree_unflatten(run(*given), form_out)


def _flatten(tree: Any, leaves: list[Tensor]) -> Iterator[Any]:
    """Lay the tensors of a tree into `leaves`, in pytree's order; yields what tells its form.

    Does what pytree.tree_flatten does, for the trees that come here, in a tenth of the time.
    """
    if isinstance(tree, dict):
        yield tuple(tree)
        for value in tree.values():
            yield from _flatten(value, leaves)
    elif isinstance(tree, tuple):
        yield len(tree)
        for value in tree:
            yield from _flatten(value, leaves)
    else:
        leaves.append(tree)


@contextmanager
def running() -> Iterator[None]:
    """Without autograd, and with one thread of torch: sums are taken in the same order anywhere.

    Small nets are faster so; tensors made inside must be cloned before autograd can follow them.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)
