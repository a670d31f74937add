"""docs/basins.png: the basins of a net of two tanh units that has learned the latch problem.

Trained by farback's own descent on the latch problem of Bengio and Frasconi; then the mean input,
and 16 new sequences. Run from the root: python docs/pictures/basins.py (needs the extra `figures`).
"""

from pathlib import Path

import numpy as np
from matplotlib import pyplot
from matplotlib.axes import Axes

import farback as fb
from farback import analyses, cells, learners, tasks
from farback.cells.squashings.tanh import Tanh
from farback.flow import Measurement
from farback.learners import gradients, updates
from farback.trials import Moment
from farback.types import Params

CELL = cells.FullyRecurrent(
    hidden=1, squashing=Tanh(), hidden_bias=True, output_bias=True, width=1.0
)
TASK = tasks.Bengio1994Latch(steps=20)
SEED = 4
COLOURS = np.array([[0.83, 0.89, 0.96], [0.99, 0.91, 0.82]])


def trained() -> tuple[Params, int]:
    """The parameters of the trial, and the sequences that it took."""
    last: list[Params] = []

    def watch(moment: Moment) -> None:
        last[:] = [moment.of(SEED)]

    learner = learners.Descent(gradients.BPTT(), updates.SGD(lr=0.1))
    runs = fb.train(
        CELL, TASK, learner, seeds=[SEED], sequences=20_000, progress=False, watch=watch
    )
    (run,) = runs
    assert run.outcome == "solved"
    return last[0], run.sequences


def draw(ax: Axes, found: Measurement) -> None:
    """Colour for each basin, darker in its reduced attracting set, with lines, points and paths."""
    colours = COLOURS[found.which.astype(int)]
    colours = np.where(found.gamma[..., None] > 0, 0.86 * colours, colours)
    extent = (found.x[0], found.x[-1], found.y[0], found.y[-1])
    ax.imshow(colours, origin="lower", extent=extent, aspect="auto", interpolation="nearest")
    ax.contour(found.x, found.y, found.gamma, [0], colors="0.35", linewidths=1, linestyles="--")
    ax.contour(found.x, found.y, found.log_norm, [0], colors="tab:red", linewidths=1.2)
    ax.plot([], [], "--", color="0.35", linewidth=1, label="edge of the reduced attracting sets")
    ax.plot([], [], color="tab:red", linewidth=1.2, label="norm of the Jacobian is one")
    for number in range(1, 5):
        path = getattr(found, f"trajectory_{number}")
        ax.plot(*path.T, ".-", color="0.15", linewidth=0.6, markersize=3)
    ax.plot([], [], ".-", color="0.15", linewidth=0.6, label="four sequences")
    ax.plot(*found.attractors.T, "o", color="black", markersize=9, label="attractors")
    if len(found.saddles):
        ax.plot(*found.saddles.T, "X", color="tab:purple", markersize=9, label="saddle")
    ax.set(xlabel="hidden unit", ylabel="output unit")


def main() -> None:
    """Train, measure, draw."""
    params, sequences = trained()
    net = fb.probes.LaboratoryCell(CELL, TASK, params)
    asked = [analyses.Basins(resolution=400), analyses.Attractors()]
    profile = fb.probe(net, net.batch(16), loss=net.loss, depth="deep", analyses=asked)
    found, still = profile["basins"], profile["attractors"]
    figure, ax = pyplot.subplots(figsize=(7.2, 5.6), dpi=110, layout="constrained")
    draw(ax, found)
    rates = ", ".join(f"{rate:+.2f}" for rate in still.rate[: len(found.classes)])
    ax.set_title(
        f"Basins of two tanh units that hold a bit (the latch problem, solved after {sequences} "
        f"sequences)\nrate of the error at the attractors: {rates} a step; "
        f"nearest to a boundary at the end: {found.nearest[-1]:.2f}",
        fontsize=9,
    )
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, fontsize=8, frameon=False)
    figure.savefig(Path(__file__).parents[1] / "basins.png")


if __name__ == "__main__":
    main()
