"""Torch functions, each emitted as a kernel, all of them compiled as one C source."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.fx import Graph, GraphModule
from torch.utils import _pytree as pytree

from farback.engine.native._cache import build
from farback.engine.native._kernel import Writer
from farback.engine.native._lanes import aligned
from farback.engine.native._trace import Traced, trace

LANES = 2
SMALL, LARGE, SQUARE = (3, 4), (5, 14), (5, 5)
HEADERS = files("farback.engine.native")
HEAD = "".join((HEADERS / name).read_text(encoding="utf-8") for name in ("lanes.h", "functions.h"))
CALL = "void call_f{0}(const V *given, V *out, V *work) {{ k_f{0}(given, out, work); }}\n"

Function = Callable[..., Any]
Arrays = list[np.ndarray]


class Kernels:
    """Graphs as C, in float64, for the arguments of `LANES` calls side by side."""

    def __init__(self, graphs: Mapping[str, tuple[Traced, Sequence[Tensor]]]) -> None:
        self._shapes = {
            name: [it.shape for it in graph.module(*(it.clone() for it in given))]
            for name, (graph, given) in graphs.items()
        }
        self._numbers = {name: number for number, name in enumerate(graphs)}
        written = [self._written(name, *graphs[name]) for name in graphs]
        texts = [kernel.text + CALL.format(place) for place, kernel in enumerate(written)]
        self._library = build(HEAD + "".join(texts), defines={"LANES": LANES, "DOUBLE": 1})
        self._work = aligned((max(it.work for it in written) + 1, LANES), np.dtype(float))

    def _written(self, name: str, graph: Traced, given: Sequence[Tensor]) -> Any:
        sizes = [sum(it.numel() for it in its) for its in (given, graph.module(*given))]
        arrays = dict(zip(("given", "out"), sizes, strict=True))
        writer = Writer(f"f{self._numbers[name]}", arrays)
        made = writer.run(graph, writer.array("given", [tuple(it.shape) for it in given]))
        assert [it.shape for it in made] == [tuple(it) for it in self._shapes[name]], name
        writer.set("out", made)
        return writer.done(["out"])

    def call(self, name: str, lanes: Sequence[Sequence[Tensor]]) -> list[Arrays]:
        """What a function gives for the arguments of each lane."""
        flat = [np.concatenate([it.numpy().astype(float).ravel() for it in its]) for its in lanes]
        given = aligned((len(flat[0]), LANES), np.dtype(float))
        given[:] = np.stack(flat, axis=1)
        shapes = self._shapes[name]
        ends = np.cumsum([it.numel() for it in shapes])
        out = aligned((int(ends[-1]), LANES), np.dtype(float))
        function = getattr(self._library, f"call_f{self._numbers[name]}")
        function(*(ctypes.c_void_p(it.ctypes.data) for it in (given, out, self._work)))
        parts = np.split(out, ends[:-1])
        return [
            [part[:, lane].reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
            for lane in range(LANES)
        ]


def check(kernels: Kernels, name: str, function: Function, lanes: Sequence[list[Tensor]]) -> None:
    """The kernel gives what the function gives, in each lane."""
    for found, given in zip(kernels.call(name, lanes), lanes, strict=True):
        expected = [it.detach().numpy().astype(float) for it in flat(function)(*given)]
        for mine, theirs in zip(found, expected, strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)


def flat(function: Function) -> Callable[..., list[Tensor]]:
    """The function with a list of tensors for its result."""
    return lambda *given: [torch.as_tensor(it) for it in pytree.tree_leaves(function(*given))]


def with_gradient(function: Function) -> Function:
    """The function's results, and what an adjoint of them gives to its arguments."""

    def weighed(*given: Tensor) -> tuple[Tensor, list[Tensor]]:
        results = flat(function)(*given)
        total = given[0].new_zeros(())
        for it in results:
            weights = (torch.arange(it.numel(), dtype=it.dtype) + 0.5).sin().reshape(it.shape)
            total = total + (it * weights).sum()
        return total, results

    def both(*given: Tensor) -> list[Tensor]:
        places = tuple(range(len(given)))
        slopes, results = torch.func.grad(weighed, places, has_aux=True)(*given)
        return [*results, *slopes]

    return both


def traced(function: Function, given: Sequence[Tensor]) -> tuple[Traced, Sequence[Tensor]]:
    """The function's graph, with its arguments."""
    return trace(flat(function), *given), given


def alone(
    operator: Any, arguments: Function, given: Sequence[Tensor]
) -> tuple[Traced, Sequence[Tensor]]:
    """A graph of one operator that torch would take apart while it traces."""
    graph = Graph()
    nodes = [graph.placeholder(f"given{place}") for place in range(len(given))]
    graph.output([graph.call_function(operator, arguments(*nodes))])
    apart = trace(flat(lambda *its: operator(*arguments(*its))), *given)
    return replace(apart, module=GraphModule(torch.nn.Module(), graph)), given


def names(graph: Traced) -> set[str]:
    """The operators of a graph."""
    schemas = (getattr(node.target, "_schema", None) for node in graph.graph.nodes)
    return {it.name.removeprefix("aten::") for it in schemas if it is not None}


def smooth(function: Function, *shapes: tuple[int, ...], values: Any = None) -> tuple[Any, ...]:
    """A case with its gradient, and with the values of another function."""
    slopes = with_gradient(function)
    both = slopes if values is None else lambda *given: [*slopes(*given), values(*given)]
    return both, *(shapes or (SMALL, LARGE))
