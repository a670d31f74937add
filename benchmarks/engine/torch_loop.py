"""Training in torch: a Python loop of updates of all trials, and gradients eager or compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from types import FunctionType

import numpy as np
import torch
from torch import Tensor
from torch._inductor import config
from workloads import Arrays, Workload, parameters

config.force_disable_caches = True  # compile times are of a first compilation

Params = dict[str, Tensor]
Gradient = Callable[[Params, Tensor], Params]
"""From the parameters, [N, ...] each, and the examples of all trials."""


class Loop:
    """A Python loop of updates."""

    def __init__(
        self,
        workload: Workload,
        trials: int,
        gradient: Gradient,
        draw: Callable[[], Tensor],
        *,
        threads: int,
    ) -> None:
        given = parameters(workload, trials)
        self._params = {name: torch.from_numpy(it) for name, it in given.items()}
        self._gradient, self._draw = gradient, draw
        self._lr, self._threads = workload.lr, threads

    def advance(self, updates: int) -> None:
        with running(self._threads):
            for _ in range(updates):
                found = self._gradient(self._params, self._draw())
                torch._foreach_add_(
                    list(self._params.values()),
                    [found[name] for name in self._params],
                    alpha=-self._lr,
                )

    def gradient(self, params: Arrays, examples: np.ndarray) -> Arrays:
        given = {name: torch.from_numpy(it) for name, it in params.items()}
        with running(self._threads):
            data = torch.from_numpy(examples)
            found = self._gradient(given, data if data.is_floating_point() else data.long())
        return {name: it.numpy() for name, it in found.items()}


@contextmanager
def running(threads: int) -> Iterator[None]:
    """Some threads, and no denormal numbers: sensitivities of RTRL die out through them."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
        torch.set_num_threads(before)


def eager(error: Callable[[Params, Tensor], Tensor]) -> Gradient:
    """The gradient of all trials' errors together, which is each one's own."""

    def gradient(params: Params, examples: Tensor) -> Params:
        leaves = {name: it.detach().requires_grad_() for name, it in params.items()}
        found = torch.autograd.grad(error(leaves, examples), list(leaves.values()))
        return dict(zip(leaves, found, strict=True))

    return gradient


def compiled(error: Callable[[Params, Tensor], Tensor]) -> Gradient:
    """The same as one compiled function."""
    derivative = whole(lambda params, examples: torch.func.grad(error)(params, examples))

    def gradient(params: Params, examples: Tensor) -> Params:
        with torch.no_grad():
            return derivative(params, examples)

    return gradient


def whole(function: Callable) -> Callable:
    """One graph of it, compiled for itself: torch keeps graphs by code, not by threads."""
    code = function.__code__.replace(co_name=f"{function.__name__.strip('<>')}_{next(_COPIES)}")
    copy = FunctionType(code, function.__globals__, code.co_name, None, function.__closure__)
    return torch.compile(copy, fullgraph=True, dynamic=False)


_COPIES = count()


WAYS = {"eager": eager, "compile": compiled}
