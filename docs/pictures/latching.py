"""docs/latching.png: the dilemma of one latch, a = w tanh(a) + h, over its weight w.

Each point is a probe: `Latching` measures the noise survived, the critical input h* and the rate of
the error at the attractor. The lines of h* and rate are the closed forms. Run from the root:
python docs/pictures/latching.py (needs the extra `figures`).
"""

from pathlib import Path

import numpy as np
import torch
from matplotlib import pyplot
from torch import Tensor

import farback as fb
from farback import analyses
from farback.flow import Measurement

WEIGHTS = (1.03, 1.05, 1.1, 1.15, 1.25, 1.4, 1.5, 1.75, 2.0, 2.5, 3.0)


def measured(w: float) -> Measurement:
    """The latch with this weight, with nothing coming in."""

    def step(a: Tensor, x: Tensor) -> Tensor:
        return w * torch.tanh(a) + x

    latch = fb.probes.StepMap(step, start=torch.zeros(1, dtype=torch.float64))
    batch = torch.zeros(2, 20, 1, dtype=torch.float64), None
    asked = analyses.Latching(runs=2000, steps=4000)
    return fb.probe(latch, batch, loss=lambda a, _: a.sum(), analyses=asked)["latching"]


def closed_form(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """H* and the rate ln M'(a), the fixed point by iteration."""
    a = w.copy()
    for _ in range(20_000):
        a = w * np.tanh(a)
    return np.sqrt(w * (w - 1)) - np.arctanh(np.sqrt(1 - 1 / w)), np.log(w / np.cosh(a) ** 2)


def main() -> None:
    """Measure each, draw all."""
    each = [measured(w) for w in WEIGHTS]
    noise = [float(one.noise_survived.mean()) for one in each]
    critical = [float(one.critical_input.min()) for one in each]
    rates = [float(one.rate[0]) for one in each]
    figure, ax = pyplot.subplots(figsize=(7.2, 4.8), dpi=110, layout="constrained")
    ax.plot(
        *closed_form(np.linspace(1.02, 3.1, 300)), color="0.6", label="h* and rate, closed form"
    )
    ax.plot(critical, rates, "o", color="tab:blue", label="critical input h*, measured")
    ax.plot(noise, rates, "s-", color="tab:orange", label="noise at which 5 % flip in 100 steps")
    for w, x, y in zip(WEIGHTS, critical, rates, strict=True):
        place = {"xytext": (7, 2), "ha": "left"} if w > 1.6 else {"xytext": (-6, -9), "ha": "right"}
        ax.annotate(f"w = {w:g}", (x, y), textcoords="offset points", fontsize=7, **place)
    ax.set(
        xscale="log",
        xlim=(1e-3, 3),
        xlabel="what the stored bit survives",
        ylabel="rate of the error at the attractor, ln per step",
    )
    halves = ax.secondary_yaxis(
        "right", functions=(lambda r: r / np.log(2), lambda h: h * np.log(2))
    )
    halves.set_ylabel("powers of two per step")
    ax.set_title("The dilemma of one latch: the safer the bit, the shorter the error lives")
    ax.legend(loc="lower left", frameon=False, fontsize=9)
    figure.savefig(Path(__file__).parents[1] / "latching.png")


if __name__ == "__main__":
    main()
