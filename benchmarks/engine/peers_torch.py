"""The workloads in torch: trials batched by hand, autograd or a compiled gradient of it.

Eager, a Python loop over steps and over updates. Compiled, `torch.compile` of the gradient of the
unrolled loop for fixed shapes, with the loop over updates in Python. RTRL needs no autograd through
time; there blocks of steps are compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import torch
from peer import Peer
from torch import Tensor
from torch.nn.functional import one_hot
from torch_lag import lag, lag_by_rtrl
from torch_loop import WAYS, Loop, Params, eager, whole
from workloads import LAG, LAG_RTRL, LATCH, REBER, strings

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


def latch(trials: int, *, way: str, threads: int) -> Loop:
    gradient = WAYS[way](latch_error)
    return Loop(LATCH, trials, gradient, partial(latch_draw, trials), threads=threads)


def peers() -> Iterator[Peer]:
    """Every workload in torch, on one thread, and where trials are many on two."""
    built = (LATCH, latch), (REBER, reber), (LAG, lag), (LAG_RTRL, lag_by_rtrl)
    for (workload, build), way in product(built, WAYS):
        for n in workload.trials:
            many = n == workload.trials[-1] or (way == "eager" and n > 1)
            for threads in (1, 2) if many else (1,):
                made = partial(build, n, way=way, threads=threads)
                yield Peer(f"torch {way}", workload, n, made, f"threads {threads}")
