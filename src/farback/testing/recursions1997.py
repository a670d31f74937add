"""The truncated gradient of the LSTM of 1997 by its published recursions, step by step forward.

With seen(t) = everything that gates and cells see, and f', g', h' the slopes at their net inputs,

    S_in,v,m(t) = S_in,v,m(t-1) + g(net_v(t)) f'(net_in(t)) seen_m(t)                      (1)
    S_c,v,m(t)  = S_c,v,m(t-1)  + g'(net_v(t)) y_in(t) seen_m(t)                           (2)
    e_k         = f'(net_k) (d_k - y_k)                                                    (3)
    e_out       = f'(net_out) sum_v h(s_v) sum_k w_kv e_k                                  (4)
    e_s,v       = y_out h'(s_v) sum_k w_kv e_k                                             (5)
    dw_k,v = e_k y_v,  dw_out,m = e_out seen_m,  dw_in,m = sum_v e_s,v S_in,v,m,
    dw_v,m = e_s,v S_c,v,m                                                                 (6)

summed over the scored steps; the gradient is -dw. Loops over numpy arrays: slow, obvious, and with
nothing in common with the cell that is held against them.

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, 1997, appendix A.1; the outputs
read the cells of the same step, as in its experiments.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch

from ..cells.lstm1997 import LSTM1997
from ..cells.squashings._squashing import Squashing
from ..cells.squashings.identity import Identity
from ..cells.squashings.logistic import Logistic
from ..errors import WrongUsage
from ..types import Params, Sequences

Bent = Callable[[float], tuple[float, float]]
"""From a net input to the activation and the slope."""


def recursions1997(cell: LSTM1997, params: Params, sequence: Sequences) -> Params:
    """The gradient of half the squared error over one sequence, [T, I] without further axes.

    Raises:
        WrongUsage: a squashing that the paper does not have.
    """
    f, g, h = bent(cell.f), bent(cell.g), bent(cell.h)
    blocks, cells = cell.blocks, cell.blocks * cell.size
    gates = 2 * blocks if cell.output_gate else blocks
    w_gates, w_cells, w_read = _weights(cell, params, gates)
    dw_gates, dw_cells, dw_read = (np.zeros_like(w) for w in (w_gates, w_cells, w_read))
    S_in = np.zeros((cells, w_gates.shape[1]))
    S_c = np.zeros((cells, w_cells.shape[1]))
    s, y, y_gates = np.zeros(cells), np.full(cells, cell.reset), np.full(gates, cell.reset)

    for t in range(sequence.steps):
        x, one = sequence.inputs[t].double().numpy(), np.ones(1)
        seen = np.concatenate([x, y, y_gates, one] if cell.wiring == "F" else [x, one])
        seen_by_cells = seen if cell.links else np.concatenate([x, one])
        in_gates = [f(net) for net in w_gates @ seen]
        in_cells = [g(net) for net in w_cells @ seen_by_cells]
        y_gates = np.array([activation for activation, _ in in_gates])
        y_out = np.ones(cells)
        for v in range(cells):
            y_in, f_slope = in_gates[v // cell.size]
            new, g_slope = in_cells[v]
            s[v] += y_in * new
            S_in[v] += new * f_slope * seen  # (1)
            S_c[v] += g_slope * y_in * seen_by_cells  # (2)
            if cell.output_gate:
                y_out[v] = y_gates[blocks + v // cell.size]
            y[v] = y_out[v] * h(s[v])[0]

        read = np.concatenate([y, x, one] if cell.wiring == "B" else [y, one])
        e = np.zeros(len(w_read))
        for k, net in enumerate(w_read @ read):
            y_k, f_slope = f(net)
            e[k] = (
                f_slope * (float(sequence.targets[t, k]) - y_k) * float(sequence.scored[t])
            )  # (3)
            dw_read[k] += e[k] * read  # (6)
        for v in range(cells):
            back = e @ w_read[:, v]
            held, h_slope = h(s[v])
            e_s = y_out[v] * h_slope * back  # (5)
            dw_gates[v // cell.size] += e_s * S_in[v]  # (6)
            dw_cells[v] += e_s * S_c[v]  # (6)
            if cell.output_gate:
                out = blocks + v // cell.size
                dw_gates[out] += in_gates[out][1] * held * back * seen  # (4), (6)

    hidden = [dw_gates, dw_cells] if cell.links else [dw_gates]
    dw = {
        "hidden": np.concatenate(hidden)[:, :-1],
        "cells": dw_cells[:, :-1],
        "readout": dw_read[:, :cells],
        "shortcut": dw_read[:, cells:-1],
        "gate_bias": dw_gates[:, -1],
        "cell_bias": dw_cells[:, -1],
        "readout_bias": dw_read[:, -1],
    }
    return {name: torch.from_numpy(-dw[name]) for name in params}


def bent(squashing: Squashing) -> Bent:
    """A squashing with its slope, by hand.

    >>> bent(Logistic(-2, 2))(0.0)
    (0.0, 1.0)
    """
    match squashing:
        case Identity():
            return lambda net: (net, 1.0)
        case Logistic(low=low, high=high):

            def logistic(net: float) -> tuple[float, float]:
                activation = 1 / (1 + math.exp(-net))
                width = high - low
                return low + width * activation, width * activation * (1 - activation)

            return logistic
    raise WrongUsage(
        f"{squashing!r} came, expected a squashing of the paper; try Logistic or Identity."
    )


def _weights(cell: LSTM1997, params: Params, gates: int) -> tuple[np.ndarray, ...]:
    """The weights of gates, cells and outputs; the last column belongs to a unit always on."""
    found = {name: value.double().numpy() for name, value in params.items()}
    hidden, read = found["hidden"], found["readout"]
    if "shortcut" in found:
        read = np.column_stack([read, found["shortcut"]])
    parts = (
        ("gate_bias", hidden[:gates]),
        ("cell_bias", hidden[gates:] if cell.links else found["cells"]),
        ("readout_bias", read),
    )
    return tuple(np.column_stack([w, found.get(name, np.zeros(len(w)))]) for name, w in parts)
