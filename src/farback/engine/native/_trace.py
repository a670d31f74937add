"""A function of tensors as a flat graph of aten operators, with names for what goes in and out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch._decomp import core_aten_decompositions, decomposition_table
from torch.func import functionalize
from torch.fx import Graph, GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from ._operators import RULES
from ._unavailable import Unavailable


@dataclass(frozen=True)
class Traced:
    """A graph, the shapes of its inputs, and the trees of both ends."""

    module: GraphModule
    inputs: tuple[tuple[int, ...], ...]
    outputs: Any
    """A tree like the function's result, of places in what the graph gives."""

    function: Callable[[], Any]
    """The function at the arguments that it was traced with."""

    @property
    def graph(self) -> Graph:
        return self.module.graph


def trace(function: Callable[..., Any], *examples: Any) -> Traced:
    """The graph of `function` at these arguments, trees of tensors.

    Raises:
        Unavailable: its control flow looks at numbers.
    """
    leaves, form = pytree.tree_flatten(examples)
    made: list[Any] = [None]

    def flat(*given: Tensor) -> list[Tensor]:
        result, made[0] = pytree.tree_flatten(function(*pytree.tree_unflatten(list(given), form)))
        return [torch.as_tensor(it) for it in result]

    def graph_of(function: Callable[..., Any]) -> GraphModule:
        copies = (it.detach().clone() for it in leaves)
        return make_fx(function, _decompositions())(*copies)

    try:
        module = graph_of(flat)
        if any(_mutates(node) for node in module.graph.nodes):
            # What was traced, which holds none of the functions that it has no rule for.
            module = graph_of(functionalize(module, remove="mutations"))
    except RuntimeError as error:
        reason = str(error).splitlines()[0].partition(". ")[0]
        if "tracing tensor" in reason or "data-dependent" in reason:
            raise Unavailable("the program looks at numbers; write torch.where") from error
        raise Unavailable(f"a function cannot be traced ({reason})") from error
    module.graph.eliminate_dead_code()
    count = made[0].num_leaves
    return Traced(
        module,
        tuple(tuple(it.shape) for it in leaves),
        pytree.tree_unflatten(list(range(count)), made[0]),
        lambda: function(*examples),
    )


def _mutates(node: Node) -> bool:
    schema = getattr(node.target, "_schema", None)
    return bool(schema is not None and schema.is_mutable)


@cache
def _decompositions() -> dict[Any, Any]:
    """Torch's own, for what has no rule here."""
    return {
        operator: rule
        for operator, rule in (decomposition_table | core_aten_decompositions()).items()
        if isinstance(operator, torch._ops.OpOverload)
        and operator._schema.name.rpartition("::")[2] not in RULES
    }
