"""A step over a whole box of states and inputs: where it leads, and its Jacobian there.

The step is traced once, at one point, into a graph of torch's operators; the graph is then walked
with intervals in the place of numbers, and with the derivative beside each (_derivative.py). What
comes out holds for every point of the box in exact arithmetic. An operator without a rule ends the
walk, and says which one it was.

    (1)  z a + (1 - z) b and b + z (a - b) lie between a and b where z lies in [0, 1]: a mixture is
         met as one, for its two z (or b) would not know of each other as intervals

What a step makes of its parameters alone is taken as it was computed.

Axes: N state, I input; the graph is that of one row.

Reference: Moore 1966 (natural interval extension, and its derivative by the chain rule).
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor
from torch.func import functionalize
from torch.fx import GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx

from ..flow.motion import Motion
from ._derivative import Known, given, joined, moved, the_state
from ._interval import Interval
from ._rules import RULES, mixed

_ALSO = {"_unsafe_view": "view", "squeeze_": "squeeze"}
_MOVES = {
    "alias",
    "cat",
    "clone",
    "constant_pad_nd",
    "expand",
    "flip",
    "gather",
    "index",
    "index_select",
    "lift_fresh_copy",
    "permute",
    "repeat",
    "reshape",
    "roll",
    "select",
    "slice",
    "split",
    "split_with_sizes",
    "squeeze",
    "stack",
    "t",
    "transpose",
    "unbind",
    "unsqueeze",
    "view",
}
_ONLY_SHAPE = {"zeros_like", "ones_like", "full_like", "new_zeros", "new_ones", "new_full"}


class NoRule(Exception):
    """Why a step cannot be enclosed."""


@dataclass(frozen=True)
class Enclosure:
    """The graph of a step, ready to be walked over boxes."""

    graph: GraphModule

    def leads(self, states: Interval, inputs: Interval) -> Interval:
        """Where the box leads: [1, N] from states [1, N] and inputs [1, I]."""
        return self._walked(the_state(states, derive=False), Known(inputs)).value

    def derived(self, states: Interval, inputs: Interval) -> Known:
        """The same, with the Jacobian over the box."""
        return self._walked(the_state(states, derive=True), Known(inputs))

    def _walked(self, *arguments: Known) -> Known:
        found: dict[Node, Any] = {}
        waiting = iter(arguments)
        for node in self.graph.graph.nodes:
            if node.op == "placeholder":
                found[node] = next(waiting)
            elif node.op == "get_attr":
                found[node] = given(getattr(self.graph, cast(str, node.target)))
            elif node.op == "call_function":
                found[node] = _applied(node, found)
            elif node.op == "output":
                (last,) = node.args if isinstance(node.args[0], Node) else node.args[0]
                return found[last]
        raise NoRule("its graph gives nothing")


def enclosure(motion: Motion) -> Enclosure:
    """The step of a motion as a graph.

    Raises:
        NoRule: the step cannot be traced.
    """
    state, x = motion.states[0, :1].detach(), motion.inputs[0, :1].detach()
    try:
        with torch.no_grad():
            return Enclosure(make_fx(functionalize(motion.step))(state, x))
    except Exception as error:  # the user's own code, under a tracer
        raise NoRule(f"its step cannot be traced ({type(error).__name__})") from error


def _applied(node: Node, found: dict[Node, Any]) -> Any:
    name = _name(node)
    if node.target is operator.getitem:
        return found[cast(Node, node.args[0])][node.args[1]]
    read = [found[it] for it in node.all_input_nodes]
    if name in _ONLY_SHAPE or all(_is_number(it) for it in read):
        return _computed(node, found)
    if name in _MOVES:
        return _moved(node, found)
    if name == "_to_copy":
        if _floating(node.all_input_nodes[0]) and not _floating(node):
            raise NoRule("it turns its state into whole numbers or truth values")
        return found[node.all_input_nodes[0]]
    if name == "detach":
        return Known(found[node.all_input_nodes[0]].value)
    rule = RULES.get(name)
    if rule is None:
        raise NoRule(f"its operator {name} has no interval rule")
    mixture = _mixture(node) if name == "add" and len(node.args) == 2 and not node.kwargs else None
    if mixture is not None:
        return mixed(*(found[it] for it in mixture))
    arguments = [_looked_up(it, found) for it in node.args]
    try:
        return rule(*arguments, **{key: _looked_up(it, found) for key, it in node.kwargs.items()})
    except (TypeError, ZeroDivisionError) as error:
        raise NoRule(f"its operator {name} has no interval rule for this use") from error


def _name(node: Node) -> str:
    schema = getattr(node.target, "_schema", None)
    name = schema.name.removeprefix("aten::") if schema is not None else str(node.target)
    return _ALSO.get(name, name)


def _is_number(known: Any) -> bool:
    return isinstance(known, Known) and known.value.is_point and not known.terms


def _looked_up(argument: Any, found: dict[Node, Any]) -> Any:
    if isinstance(argument, Node):
        return found[argument]
    return argument


def _computed(node: Node, found: dict[Node, Any]) -> Any:
    """An operator on numbers, as torch computes it."""
    result = _called(node, lambda it: _as_before(it, found[it].value.lo))
    parts = result if isinstance(result, Sequence) else [result]
    known = [given(part) for part in parts]
    return known if isinstance(result, Sequence) else known[0]


def _as_before(node: Node, value: Tensor) -> Tensor:
    """Whole numbers and truth values as such, where an index is meant; every float in float64."""
    kind = node.meta["val"].dtype
    return value if kind.is_floating_point else value.to(kind)


def _called(node: Node, value: Any) -> Any:
    args = torch.fx.map_arg(node.args, value)
    kwargs = torch.fx.map_arg({k: v for k, v in node.kwargs.items() if k != "dtype"}, value)
    called = torch.ops.aten.squeeze if _name(node) == "squeeze" else cast(Any, node.target)
    return called(*args, **kwargs)


def _moved(node: Node, found: dict[Node, Any]) -> Any:
    """An operator that only puts entries elsewhere: the same for values, slopes and matrices."""
    name, known = _name(node), [found[it] for it in node.all_input_nodes]
    movable = [n for n in range(len(known)) if _floating(node.all_input_nodes[n])]
    if name == "constant_pad_nd" and any(node.args[2:]):
        raise NoRule("it pads its state with something else than zero")
    if any(n not in movable and not _is_number(it) for n, it in enumerate(known)):
        raise NoRule(f"its operator {name} puts truth values elsewhere that depend on the state")

    def act(*tensors: Tensor) -> Any:
        own = dict(zip((node.all_input_nodes[n] for n in movable), tensors, strict=True))
        if name == "view":
            return tensors[0].reshape(cast(Any, node.args[1]))
        return _called(
            node, lambda it: own[it] if it in own else _as_before(it, found[it].value.lo)
        )

    lo = act(*(known[n].value.lo for n in movable))
    hi = act(*(known[n].value.hi for n in movable))
    if not isinstance(lo, Sequence):
        return Known(Interval(lo, hi), _moved_terms(act, known, movable))
    return [
        Known(Interval(a, b), _moved_terms(partial(_one_of, act, n), known, movable))
        for n, (a, b) in enumerate(zip(lo, hi, strict=True))
    ]


def _one_of(act: Any, number: int, *tensors: Tensor) -> Tensor:
    return act(*tensors)[number]


def _moved_terms(act: Any, known: Sequence[Known], movable: Sequence[int]) -> tuple[Any, ...]:
    """The terms of each argument, with zeros in the place of the others."""
    found = []
    for n in movable:
        before = [torch.zeros_like(known[m].value.lo) for m in movable if m < n]
        behind = [torch.zeros_like(known[m].value.lo) for m in movable if m > n]

        def alone(tensor: Tensor, before: Any = before, behind: Any = behind) -> Tensor:
            return act(*before, tensor, *behind)

        found.append(moved(known[n].terms, alone))
    return joined(*found)


def _floating(node: Node) -> bool:
    return bool(node.meta["val"].dtype.is_floating_point)


def _mixture(node: Node) -> tuple[Node, Node, Node] | None:
    """(z, a, b) where the sum is z a + (1 - z) b, or b + z (a - b), as (1) has it."""
    for one, other in (node.args, node.args[::-1]):
        if not (isinstance(one, Node) and isinstance(other, Node)) or _name(other) != "mul":
            continue
        for z, rest in (other.args, other.args[::-1]):
            if not isinstance(z, Node) or not isinstance(rest, Node):
                continue
            apart = _name(rest) == "sub" and not rest.kwargs and rest.args[1] is one
            if apart and isinstance(rest.args[0], Node):
                return z, rest.args[0], one
            for kept, b in (one.args, one.args[::-1]) if _name(one) == "mul" else ():
                if _is_rest(kept, z) and isinstance(b, Node):
                    return z, rest, b
    return None


def _is_rest(a: Any, z: Node) -> bool:
    """Whether a = 1 - z."""
    if not isinstance(a, Node) or a.kwargs:
        return False
    return (_name(a) == "rsub" and a.args == (z, 1)) or (_name(a) == "sub" and a.args == (1, z))
