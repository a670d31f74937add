"""What a probe costs beside the plain cell loop that gives the same adjoints and nothing else.

    python benchmarks/probe_cost.py        measures everything, and writes results/probe_cost.json

The plain loop calls nn.LSTMCell step by step, retains the gradient on every h and c, and runs one
backward pass; its parameters are frozen, so that no weight gradient is paid for. The probe runs at
standard depth with one loss time, the last step.
"""

from __future__ import annotations

import math
import sys
from functools import partial

import torch
from _measuring import peak, report_peak, seconds, side_by_side, write
from torch import nn

import farback as fb
from farback._catalogue import member, names

LONG = (250, 500, 1000, 2000, 4000, 8000, 16000)


def case(steps: int, rows: int, hidden: int, features: int = 32):
    torch.manual_seed(0)
    layer = nn.LSTM(features, hidden, batch_first=True)
    return layer, torch.randn(rows, steps, features)


def loss(output, _):
    return output[:, -1].square().mean()


def plain(layer: nn.LSTM, x: torch.Tensor):
    cell = nn.LSTMCell(layer.input_size, layer.hidden_size).requires_grad_(False)
    cell.weight_ih, cell.weight_hh = layer.weight_ih_l0, layer.weight_hh_l0
    cell.bias_ih, cell.bias_hh = layer.bias_ih_l0, layer.bias_hh_l0
    cell.requires_grad_(False)
    h = c = x.new_zeros(len(x), layer.hidden_size).requires_grad_()
    states = []
    for x_t in x.unbind(1):
        h, c = cell(x_t, (h, c))
        h.retain_grad()
        c.retain_grad()
        states.append((h, c))
    h.square().mean().backward()
    cell.requires_grad_()
    return [(h.grad, c.grad) for h, c in states]


def probe(layer: nn.LSTM, x: torch.Tensor, **options):
    return fb.probe(layer, (x, None), loss=loss, **options)


def exponent(times: dict[int, float]) -> float:
    """The slope of ln time over ln T."""
    x, y = [math.log(t) for t in times], [math.log(s) for s in times.values()]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    above = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return above / sum((a - mean_x) ** 2 for a in x)


CASES = {
    "plain": lambda: plain(*case(1000, 32, 256)),
    "probe": lambda: probe(*case(1000, 32, 256)),
    "chunked": lambda: probe(*case(20_000, 8, 64), chunk=100),
}


def main() -> None:
    layer, x = case(1000, 32, 256)
    time = side_by_side(lambda: probe(layer, x), lambda: plain(layer, x), pairs=9)
    ours, theirs = peak(__file__, "probe"), peak(__file__, "plain")
    times = {}
    for steps in LONG:
        layer, x = case(steps, 8, 64)
        probe(layer, x)
        times[steps] = min(seconds(partial(probe, layer, x)) for _ in range(3))
    write(
        "probe_cost",
        {
            "lstm_256_T_1000_B_32": {
                **time,
                "ours_peak_mib": ours["above_bare_mib"],
                "plain_peak_mib": theirs["above_bare_mib"],
                "peak_ratio": round(ours["above_bare_mib"] / theirs["above_bare_mib"], 3),
            },
            "lstm_64_B_8_by_T": {
                "seconds": {steps: round(s, 3) for steps, s in times.items()},
                "exponent": round(exponent(times), 3),
            },
            "lstm_64_T_20000_B_8_chunk_100": peak(__file__, "chunked"),
        },
    )


if __name__ == "__main__":
    for name in names("analyses"):
        member("analyses", name)
    _ = fb.probe
    if len(sys.argv) > 1:
        report_peak(CASES[sys.argv[1]])
    else:
        main()
