"""The workloads in torch: trials batched by hand, autograd or a compiled gradient of it.

Eager, a Python loop over steps and over updates. Compiled, `torch.compile` of the gradient of the
unrolled loop for fixed shapes, with the loop over updates in Python. RTRL needs no autograd through
time; there blocks of steps are compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, product
from types import FunctionType

import numpy as np
import torch
from peer import Peer
from torch import Tensor
from torch._inductor import config
from torch.nn.functional import one_hot
from workloads import (
    LAG,
    LAG_RTRL,
    LATCH,
    REBER,
    Arrays,
    Workload,
    lag_strings,
    parameters,
    strings,
)

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


# The latch.

SHOWN, STEPS = LATCH.task.trainable, LATCH.task.steps


def latch_error(params: Params, noise: Tensor) -> Tensor:
    shown = params["h"].view(len(noise), 2, SHOWN)
    a = shown[:, :, 0]
    for x in (*shown.unbind(2)[1:], *noise.unbind(2)):
        a = params["w"] * torch.tanh(a) + x
    off = torch.tanh(a) - torch.tensor([LATCH.task.low, LATCH.task.high])
    return (off**2).sum() / 4


def latch_draw(trials: int) -> Tensor:
    """The noise, [N, 2, 47], where the numbers of a step lie side by side."""
    return (torch.randn(STEPS - SHOWN, trials, 2) * LATCH.task.noise).permute(1, 2, 0)


# The LSTM of 1997: strings padded to the longest of the update, and the steps in a function of
# their own, for compiling those of many steps at once would take minutes.

SYMBOLS, BLOCKS, SIZE = REBER.task.inputs, REBER.cell.blocks, REBER.cell.size
CELLS, GATES = BLOCKS * SIZE, 2 * BLOCKS
AT_ONCE = 6
"""Steps in a compiled function."""


def reber_steps(
    params: Params, s: Tensor, units: Tensor, symbols: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Steps over symbols [N, K + 1], and their errors up to the ends of the strings."""
    coded = one_hot(symbols.clamp(min=0), SYMBOLS).to(s.dtype)
    alive = (symbols >= 0).to(s.dtype)
    outputs = []
    for t in range(symbols.shape[1] - 1):
        seen = torch.cat([coded[:, t], units.detach()], 1)
        net = torch.bmm(params["hidden"], seen.unsqueeze(2)).squeeze(2)
        gates = torch.sigmoid(net[:, :GATES] + params["gate_bias"])
        given = 4 * torch.sigmoid(net[:, GATES:]) - 2
        s = s + gates[:, :BLOCKS].repeat_interleave(SIZE, 1) * given
        y = gates[:, BLOCKS:].repeat_interleave(SIZE, 1) * (2 * torch.sigmoid(s) - 1)
        units = torch.cat([y, gates], 1)
        outputs.append(y)
    y = torch.stack(outputs, 2)
    off = torch.sigmoid(torch.bmm(params["readout"], y)) - coded[:, 1:].transpose(1, 2)
    return s, units.detach(), (off**2 * alive[:, None, 1:]).sum() / 2


def reber_error(params: Params, symbols: Tensor, *, steps: Callable, at_once: int | None) -> Tensor:
    longest = int((symbols >= 0).sum(1).max()) - 1
    block = at_once or longest
    s = symbols.new_zeros(len(symbols), CELLS, dtype=torch.float32).requires_grad_()
    units = symbols.new_zeros(len(symbols), CELLS + GATES, dtype=torch.float32)
    missing = -(-longest // block) * block + 1 - symbols.shape[1]
    symbols = torch.nn.functional.pad(symbols, (0, missing), value=-1)
    errors = []
    for t in range(0, longest, block):
        s, units, error = steps(params, s, units, symbols[:, t : t + block + 1].contiguous())
        errors.append(error)
    return torch.stack(errors).sum()


class ReberDraw:
    """One string of each trial's own set."""

    def __init__(self, trials: int) -> None:
        self._strings, self._trials = torch.from_numpy(strings(trials)).long(), torch.arange(trials)

    def __call__(self) -> Tensor:
        chosen = torch.randint(self._strings.shape[1], (len(self._trials),))
        return self._strings[self._trials, chosen]


def reber(trials: int, *, way: str, threads: int) -> Loop:
    if way == "eager":
        error = partial(reber_error, steps=reber_steps, at_once=None)
    else:
        steps = whole(reber_steps)
        error = partial(reber_error, steps=steps, at_once=AT_ONCE)
    return Loop(REBER, trials, eager(error), ReberDraw(trials), threads=threads)


# Elman's net on 2a: what inputs bring is looked up for all steps before, outputs are read after.

INPUTS, HIDDEN = LAG.task.inputs, LAG.cell.hidden
SEEN = INPUTS + HIDDEN
RTRL_AT_ONCE = 10
"""Steps in a compiled function."""
LAG_STRINGS = torch.from_numpy(lag_strings()).long()


def lag_error(params: Params, last: Tensor) -> Tensor:
    trials, symbols = len(last), LAG_STRINGS[last]
    hidden, h = params["hidden"], params["hidden"].new_full((len(last), HIDDEN), LAG.cell.reset)
    places = symbols[:, None, :-1].expand(trials, HIDDEN, -1)
    driven = hidden[:, :, :INPUTS].gather(2, places).unbind(2)
    recurrent, states = hidden[:, :, INPUTS:], []
    for drive in driven:
        h = torch.sigmoid(drive + torch.bmm(recurrent, h.unsqueeze(2)).squeeze(2))
        states.append(h)
    outputs = torch.sigmoid(torch.bmm(torch.stack(states, 1), params["readout"].transpose(1, 2)))
    return ((outputs - one_hot(symbols[:, 1:], INPUTS)) ** 2).sum() / 2


def lag_rtrl_steps(
    hidden: Tensor, readout: Tensor, h: Tensor, sensitivity: Tensor, coded: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Steps over coded symbols [N, K + 1, I]: h, sensitivities, and both gradients."""
    recurrent, states = hidden[:, :, INPUTS:], [h]
    driven = torch.bmm(coded[:, :-1], hidden[:, :, :INPUTS].transpose(1, 2))
    for drive in driven.unbind(1):
        states.append(
            torch.sigmoid(drive + torch.bmm(recurrent, states[-1].unsqueeze(2)).squeeze(2))
        )
    before, after = torch.stack(states[:-1], 1), torch.stack(states[1:], 1)
    y = torch.sigmoid(torch.bmm(after, readout.transpose(1, 2)))
    error = (y - coded[:, 1:]) * y * (1 - y)
    entering = torch.bmm(error, readout)
    slopes, seen = after * (1 - after), torch.cat([coded[:, :-1], before], 2)
    dhidden = torch.zeros_like(hidden).view(len(h), 1, -1)
    for t in range(driven.shape[1]):
        own = slopes[:, t].diag_embed().unsqueeze(3) * seen[:, t, None, None]
        jacobian = slopes[:, t].unsqueeze(2) * recurrent
        sensitivity = torch.baddbmm(own.flatten(2), jacobian, sensitivity)
        dhidden = dhidden + torch.bmm(entering[:, t, None], sensitivity)
    return (
        states[-1],
        sensitivity,
        dhidden.view_as(hidden),
        torch.bmm(error.transpose(1, 2), after),
    )


def lag_rtrl_gradient(way: str) -> Gradient:
    steps, block = lag_rtrl_steps, LAG.task.delay
    if way == "compile":
        steps, block = whole(lag_rtrl_steps), RTRL_AT_ONCE

    def gradient(params: Params, last: Tensor) -> Params:
        trials, hidden, readout = len(last), params["hidden"], params["readout"]
        coded = one_hot(LAG_STRINGS[last], INPUTS).to(hidden.dtype)
        h = hidden.new_full((trials, HIDDEN), LAG.cell.reset)
        sensitivity = hidden.new_zeros(trials, HIDDEN, HIDDEN * SEEN)
        found = []
        with torch.no_grad():
            for t in range(0, LAG.task.delay, block):
                part = coded[:, t : t + block + 1].contiguous()
                h, sensitivity, *more = steps(hidden, readout, h, sensitivity, part)
                found.append(more)
        dhidden, dreadout = (torch.stack(it).sum(0) for it in zip(*found, strict=True))
        return {"hidden": dhidden, "readout": dreadout}

    return gradient


WAYS = {"eager": eager, "compile": compiled}


def latch(trials: int, *, way: str, threads: int) -> Loop:
    gradient = WAYS[way](latch_error)
    return Loop(LATCH, trials, gradient, partial(latch_draw, trials), threads=threads)


def lag(trials: int, *, way: str, threads: int) -> Loop:
    draw = partial(torch.randint, 2, (trials,))
    return Loop(LAG, trials, WAYS[way](lag_error), draw, threads=threads)


def lag_by_rtrl(trials: int, *, way: str, threads: int) -> Loop:
    draw = partial(torch.randint, 2, (trials,))
    return Loop(LAG_RTRL, trials, lag_rtrl_gradient(way), draw, threads=threads)


def peers() -> Iterator[Peer]:
    """Every workload in torch, on one thread, and where trials are many on two."""
    built = (LATCH, latch), (REBER, reber), (LAG, lag), (LAG_RTRL, lag_by_rtrl)
    for (workload, build), way in product(built, WAYS):
        for n in workload.trials:
            many = n == workload.trials[-1] or (way == "eager" and n > 1)
            for threads in (1, 2) if many else (1,):
                made = partial(build, n, way=way, threads=threads)
                yield Peer(f"torch {way}", workload, n, made, f"threads {threads}")
