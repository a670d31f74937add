"""The user's own recurrent cells, found by running the forward once and watching.

A cell is a module that is called again with something that came from its own earlier call: by the
graph, or, where the state was detached on the way, by its values. Of nested ones the outermost is
taken. A block that is applied again in depth (its output keeps the whole time axis) is no cell.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils import _pytree

from ..errors import unknown
from ._tape import is_floating

RECURRENT = (nn.RNNBase, nn.RNNCellBase)
"""What needs no finding."""


def find_cells(model: nn.Module, run: Callable[[], Any], steps: int) -> list[str]:
    """The names of the modules that act as cells while `run` calls the model."""
    candidates = _candidates(model)
    if len(candidates) < sum(1 for _ in model.modules()) - 1 and not _loops(candidates, run, steps):
        return []
    watched = {module: _Watch(steps) for module in candidates}
    kept: list[Tensor] = []

    def after(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        watch = watched.get(module)
        if watch is not None and not watch.fed_back:
            watch.see(args, kwargs, output, kept)

    hooks = [module.register_forward_hook(after, with_kwargs=True) for module in watched]
    try:
        with torch.enable_grad():
            run()
    finally:
        for handle in hooks:
            handle.remove()
    names = {module: name for name, module in model.named_modules()}
    found = [names[module] for module, watch in watched.items() if watch.fed_back]
    return [name for name in found if not any(name.startswith(f"{outer}.") for outer in found)]


def _candidates(model: nn.Module) -> list[nn.Module]:
    """All modules but the model itself and PyTorch's recurrent ones, with all around or in them."""
    known = [name for name, module in model.named_modules() if isinstance(module, RECURRENT)]
    return [
        module
        for name, module in model.named_modules()
        if name and not any(_within(name, other) or _within(other, name) for other in known)
    ]


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith(f"{outer}.")


def _loops(candidates: Sequence[nn.Module], run: Callable[[], Any], steps: int) -> bool:
    """Whether any of the modules is called about once a step, told without building a graph."""
    calls: Counter[nn.Module] = Counter()

    def count(module: nn.Module, args: Any) -> None:
        calls[module] += 1

    hooks = [module.register_forward_pre_hook(count) for module in candidates]
    try:
        with torch.no_grad():
            run()
    finally:
        for handle in hooks:
            handle.remove()
    return any(number >= max(2, steps - 1) for number in calls.values())


def named_cells(model: nn.Module, cells: str | Sequence[str]) -> list[str]:
    """The modules named by the user.

    Raises:
        WrongUsage: the model has no module of that name.
    """
    wanted = [part.strip() for part in cells.split(",")] if isinstance(cells, str) else list(cells)
    known = dict(model.named_modules())
    for name in wanted:
        if name not in known or not name:
            raise unknown("module", name, [n for n in known if n])
    return wanted


class _Watch:
    """What one module took and gave so far."""

    def __init__(self, steps: int):
        self.steps = steps
        self.fed_back = False
        self.earlier: list[Tensor] = []

    def see(self, args: Any, kwargs: Any, output: Any, kept: list[Tensor]) -> None:
        taken = [x for x in _pytree.tree_leaves((args, kwargs)) if is_floating(x)]
        given = [x for x in _pytree.tree_leaves(output) if is_floating(x)]
        if any(self._has_time(x) for x in given):
            return
        if self.earlier:
            self.fed_back = any(self._comes_from_earlier(x) for x in taken)
        self.earlier = given
        kept += given

    def _has_time(self, x: Tensor) -> bool:
        return x.dim() > 2 and self.steps in x.shape[:2]

    def _comes_from_earlier(self, x: Tensor) -> bool:
        nodes = {y.grad_fn for y in self.earlier if y.grad_fn is not None}
        if nodes and x.grad_fn is not None and _reaches(x.grad_fn, nodes):
            return True
        return any(x.shape == y.shape and torch.equal(x, y) and bool(x.any()) for y in self.earlier)


def _reaches(start: Any, nodes: set[Any]) -> bool:
    seen, ahead = set(), [start]
    while ahead:
        node = ahead.pop()
        if node in nodes:
            return True
        if node in seen:
            continue
        seen.add(node)
        ahead += [following for following, _ in node.next_functions if following is not None]
    return False
