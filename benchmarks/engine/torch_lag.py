"""Elman's net on 2a in torch, by BPTT and by RTRL.

What inputs bring is looked up for all steps before, outputs are read after.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from torch_loop import WAYS, Gradient, Loop, Params, whole
from workloads import LAG, LAG_RTRL, lag_strings

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


def lag(trials: int, *, way: str, threads: int) -> Loop:
    draw = partial(torch.randint, 2, (trials,))
    return Loop(LAG, trials, WAYS[way](lag_error), draw, threads=threads)


def lag_by_rtrl(trials: int, *, way: str, threads: int) -> Loop:
    draw = partial(torch.randint, 2, (trials,))
    return Loop(LAG_RTRL, trials, lag_rtrl_gradient(way), draw, threads=threads)
