"""From a graph of operators to the codes of what comes out, node by node."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.fx import Node

from ._arithmetic import add_into
from ._body import FEW, Body
from ._buffers import is_buffer
from ._codes import Codes
from ._line import line_of
from ._operators import RULES
from ._trace import Traced
from ._unavailable import Unavailable


def emit(body: Body, traced: Traced, inputs: Sequence[Codes]) -> list[Codes]:
    """Write the statements of a graph; the codes of its outputs.

    Raises:
        Unavailable: an operator has no rule, and the line of the program that asks for it.
    """
    values: dict[Node, Any] = {}
    given = iter(inputs)
    for node in traced.graph.nodes:
        if node.op == "placeholder":
            values[node] = next(given)
        elif node.op == "get_attr":
            values[node] = body.constants(_constant(traced, node))
        elif node.op == "call_function":
            values[node] = _called(body, node, values, traced)
        elif node.op == "output":
            return [values[it] for it in node.args[0]]  # type: ignore
    raise AssertionError("a graph without an end")


def _constant(traced: Traced, node: Node) -> np.ndarray:
    value: Any = traced.module
    for part in str(node.target).split("."):
        value = getattr(value, part)
    return value.detach().to(torch.float64).numpy()


def _called(body: Body, node: Node, values: dict[Node, Any], traced: Traced) -> Any:
    schema = getattr(node.target, "_schema", None)
    if schema is None:  # operator.getitem on the parts of a split
        whole, place = node.args
        return values[whole][place]  # type: ignore
    name = schema.name.rpartition("::")[2]
    kinds = [str(it.type) for it in schema.arguments]
    arguments = [
        _argument(body, it, kind, values) for it, kind in zip(node.args, kinds, strict=False)
    ]
    words = {
        it.name: _argument(body, node.kwargs[it.name], str(it.type), values)
        for it in schema.arguments
        if it.name in node.kwargs and it.name not in _FORM
    }
    if name == "_to_copy":
        words["dtype"] = node.kwargs.get("dtype")
    if name == "index" and any(_is_bool(it, traced) for it in node.args[1]):  # type: ignore
        raise Unavailable(f"picking by a mask has no rule{_at(node, traced)}")
    if name == "add" and all(_is_bool(it, traced) for it in node.args[:2]):
        name = "logical_or"
    rule = RULES.get(name)
    if name == "add" and not words and (own := _own(body, node, arguments)) is not None:
        return own
    if rule is not None:
        try:
            return rule(body, *arguments, **words)
        except Unavailable:
            raise
        except Exception as error:  # used in a way that the rule was not written for
            what = f"torch's {name} as it is used here"
            raise Unavailable(f"{what} has no rule{_at(node, traced)}") from error
    raise Unavailable(f"torch's {name} has no rule{_at(node, traced)}")


def _at(node: Node, traced: Traced) -> str:
    return line_of(node.target, traced.function)


def _is_bool(value: Any, traced: Traced) -> bool:
    if isinstance(value, Node) and value.op == "get_attr":
        return getattr(traced.module, str(value.target)).dtype == torch.bool
    meta = value.meta.get("tensor_meta") if isinstance(value, Node) else None
    return getattr(meta, "dtype", None) == torch.bool


def _own(body: Body, node: Node, arguments: list[Any]) -> Codes | None:
    """A sum added to what a contraction has just made, where nobody else reads that."""
    sizes = [np.shape(it) for it in arguments]
    for place in (0, 1):
        buffer, other = arguments[place], arguments[1 - place]
        if (
            len(arguments) == 2
            and _alone(node.args[place])
            and buffer.size > FEW
            and sizes[place] == np.broadcast_shapes(*sizes)
            and is_buffer(body, buffer)
            and not body.is_mask(other).any()
        ):
            return add_into(body, buffer, other)
    return None


def _alone(node: Any) -> bool:
    """Whether a contraction, or a view of one, is read once."""
    if not isinstance(node, Node) or len(node.users) != 1:
        return False
    name = str(node.target).removeprefix("aten.").partition(".")[0]
    return name in ("mm", "bmm", "mv") or (
        name in ("view", "_unsafe_view", "reshape") and _alone(node.args[0])
    )


_FORM = {"dtype", "layout", "device", "pin_memory", "memory_format", "non_blocking", "generator"}
"""What tells how a tensor lies in memory, which is settled here."""


def _argument(body: Body, value: Any, kind: str, values: dict[Node, Any]) -> Any:
    if isinstance(value, Node):
        return values[value]
    if isinstance(value, list | tuple):
        return [_argument(body, it, "", values) for it in value]
    if isinstance(value, Tensor):
        return body.constants(value.detach().to(torch.float64).numpy())
    if value is not None and re.search("Tensor|number", kind):
        return np.array(body.constant(float(value)))
    return value
