"""Draws docs/bounds.png: the error of three nets by lag, and the bounds that hold for every input.

python docs/pictures/bounds.py
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from matplotlib import pyplot
from matplotlib.axes import Axes
from torch import Tensor, nn

import farback as fb
from farback import analyses
from farback.flow import Measurement

OUT = Path(__file__).parents[1] / "bounds.png"
STEPS, ROWS = 200, 16
TOLD = {
    "closed": "whatever the input in the box",
    "met": "as long as the states stay among those met",
}
SHOWN = (
    ("bound_rows", "row sums", "#b8b8b8", "--"),
    ("bound_frobenius", "Frobenius", "#8f8f8f", ":"),
    ("bound_spectral", "spectral norm", "#c0722c", "-."),
    ("bound", "tightest", "#b3262a", "-"),
    ("measured", "measured, largest of 16 rows", "#1f4e8c", "-"),
)


def last(output: Tensor, target: None) -> Tensor:
    """The sum of the last outputs."""
    return output[:, -1].sum()


def bounded(net: nn.Module, size: float) -> Measurement:
    """The bounds under inputs drawn evenly from -size to size."""
    draw = torch.Generator().manual_seed(1)
    inputs = size * (2 * torch.rand(ROWS, STEPS, 3, generator=draw) - 1)
    profile = fb.probe(net, inputs, loss=last, analyses=analyses.Bounds(), depth="deep")
    return profile["bounds"]


def begun(kind: type[nn.RNNBase], hidden: int, share: float = 1.0) -> nn.RNNBase:
    """A layer as PyTorch starts it, its recurrent weights times `share`."""
    torch.manual_seed(0)
    net = kind(3, hidden, batch_first=True)
    with torch.no_grad():
        dict(net.named_parameters())["weight_hh_l0"].mul_(share)
    return net


def draw(axes: Axes, found: Measurement, title: str, lags: int) -> None:
    """One net: its bounds, what was measured, and the certificate."""
    for name, label, colour, style in SHOWN:
        curve = found.fields[name][: lags + 1] / math.log(10)
        axes.plot(curve, style, color=colour, label=label, linewidth=1.8)
    axes.axhline(math.log10(found.floor), color="#444444", linewidth=0.7)
    if found.certified_lag is None:
        told = "no certificate: its bounds do not fall"
    else:
        told = f"at most {found.floor:g} beyond lag {found.certified_lag},\n{TOLD[found.box]}"
        axes.axvline(found.certified_lag, color="#b3262a", linewidth=0.7)
    axes.set(title=f"{title}\n{told}", xlabel="lag (steps back)", ylim=(-14, 6), xlim=(0, lags))
    axes.grid(alpha=0.25)


def main() -> None:
    """Measure, and draw."""
    nets = (
        (begun(nn.RNN, 32), 1.0, "RNN of 32 at its start", 60),
        (begun(nn.RNN, 32, 0.75), 1.0, "the same, its recurrent weights times 0.75", 60),
        (begun(nn.LSTM, 64), 0.1, "LSTM of 64 at its start, inputs within 0.1", 180),
    )
    figure, panels = pyplot.subplots(1, len(nets), figsize=(15, 4.8), sharey=True)
    for axes, (net, size, title, lags) in zip(panels, nets, strict=True):
        draw(axes, bounded(net, size), title, lags)
    panels[0].set_ylabel("log10 of the share of the error")
    panels[0].legend(loc="lower left", fontsize=9)
    figure.tight_layout()
    figure.savefig(OUT, dpi=110)


if __name__ == "__main__":
    main()
