"""Whether the loss has a cliff near the parameters: where, how steep, and where to clip.

    (1)  d = -g / |g|,   g = dE/dtheta                       the way that descent would go
    (2)  E(theta + s d),  |g(s)|,   |s| <= radius x |theta|
    (3)  d^T H d                                             the curvature along the gradient
    (4)  jump = max over neighbours on the line of |g(s)| / |g(s')|, norms below the line's median
         counting as the median
    (5)  E(theta + s d + r e),   e the direction of the sharpest curvature found, orthogonal to d

The interval in which E changes by most beyond what its slopes at both ends say is halved again and
again, so that a wall thinner than the spacing is met; the steepest place found there is one of the
neighbours in (4). A minimum, where the gradient is zero, is no jump, and a bowl has none.

Axes: s along d, r along e, both in the length of the parameters theta, all of them together.

How to read it: where a parameter crosses the boundary between two basins of the state, the sequence
ends in another attractor, and the loss steps up or down within a hair's breadth. On either side the
gradient is as usual; at the wall it is larger by orders of magnitude, and one step of descent from
there throws the parameters far away. The curvature along the gradient is as large, so the gradient
says nothing about the loss a step further. Clipping keeps the direction and bounds the step. Its
threshold should be a usual norm and not a wall's: the median over the line is given, which a wall
does not move; the source takes half to ten times a mean norm of the training so far.

All is told of the gradient that the model gives; where its code cuts the graph, that is not the
derivative of the loss.

Reference: Pascanu, Mikolov and Bengio 2013 (figure 6: one unit, E = (sigma(x_50) - 0.7)^2); Li et
al. 2018 (directions with the norms of the filters).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..errors import WrongUsage, expect
from ..flow import Finding, Measurement, Trace
from ._analysis import Analysis
from ._cliff_finding import charts, is_cliff, judged, numbers, plane
from ._terrain import (
    Direction,
    Line,
    Terrain,
    along,
    by_filter,
    length,
    line,
    refined,
    unit,
    without,
)

_SUSPECT = 0.01
"""An interval is halved where E jumps by this share of its range over the line."""


@dataclass(frozen=True)
class Cliffs(Analysis):
    """The loss along the gradient and in a plane around the parameters.

    Args:
        radius: how far to look, as a share of the norm of all parameters.
        points: places on the line; an odd number has the parameters themselves among them.
        halvings: how often at most the interval with the largest jump is halved.
        grid: places on each side of the plane; 0 leaves it out.
        krylov: products with H for the sharpest curvature; 1 takes a random second direction.
        quantile: of the gradient's norms on the line, for the clip value.
        seed: of random directions.
    """

    radius: float = 0.1
    points: int = 17
    halvings: int = 40
    grid: int = 11
    krylov: int = 3
    quantile: float = 0.5
    seed: int = 0

    depth = "deep"
    of_motion = True

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1e-12, radius=self.radius)
        expect(3, points=self.points)
        expect(1, krylov=self.krylov)
        expect(0, halvings=self.halvings, grid=self.grid, seed=self.seed)
        if not 0 <= self.quantile <= 1:
            raise WrongUsage(
                f"quantile came as {self.quantile}, and a share from 0 to 1 was expected; try 0.5."
            )

    def applies(self, trace: Trace) -> bool:
        return trace.landscape is not None

    @torch.inference_mode(False)
    def measure(self, trace: Trace) -> Measurement:
        assert trace.landscape is not None
        terrain, start = Terrain(trace.landscape), trace.landscape.parameters
        generator = torch.Generator().manual_seed(self.seed)
        _, gradient = terrain.gradient(start)
        still = not 0 < length(gradient) < math.inf
        down = by_filter(start, generator) if still else unit(tuple(-part for part in gradient))
        curvature = terrain.curvature(start, down)
        sharp = curvature.sharpest(self.krylov)
        reach = self.radius * (length(start) or 1.0)
        coarse = line(terrain, start, down, np.linspace(-reach, reach, self.points))
        fine, known = coarse, coarse.values[np.isfinite(coarse.values)]
        spread = float(known.max() - known.min())
        if coarse.jumps().max() > _SUSPECT * spread:
            fine = coarse.joined(refined(terrain, start, down, coarse, self.halvings))
        steep = _steepest(coarse, fine)
        fields = {
            "s": fine.places,
            "loss": fine.values,
            "log_gradient": _log(fine.norms),
            "slope": fine.slopes,
            "log_gradient_here": float(_log(np.array(length(gradient)))),
            "curvature": curvature.along_first(),
            "sharpest": sharp.value,
            **steep,
            "curvature_at_wall": None,
            "clip": float(np.quantile(coarse.norms[np.isfinite(coarse.norms)], self.quantile)),
            "quantile": self.quantile,
            "radius": reach,
            "parameters": sum(x.numel() for x in start),
            "method": curvature.method,
        }
        if is_cliff(fields):
            wall = along(start, (steep["wall"], down))
            there = terrain.curvature(wall, down, method=curvature.method)
            fields["curvature_at_wall"] = there.along_first()
        second = self._second(sharp.direction, start, down, generator)
        if self.grid and second is not None:
            fields |= self._plane(terrain, start, down, second[0], reach, trace)
            fields["second"] = second[1]
        return Measurement(
            name="cliffs",
            summary="Whether the loss has a cliff near the parameters, and where to clip.",
            fields=fields,
            charts=charts(fields),
            planes=(plane(fields),) if "second" in fields else (),
            numbers=numbers(fields),
            conditions=(
                "before clipping",
                f"within {self.radius:g} of the norm of all parameters",
                f"curvature by {curvature.method}",
                "a random direction, because the gradient is zero" if still else "along -gradient",
                f"{trace.dtype}; the plane in {_plain_type(trace)}",
                f"seed {self.seed}",
            ),
        )

    def judge(self, measurement: Measurement) -> Finding:
        return judged(measurement)

    def _second(
        self, sharp: Direction, start: Direction, down: Direction, generator: torch.Generator
    ) -> tuple[Direction, str] | None:
        """E of (5), and what it is; None where there is no second direction."""
        drawn = by_filter(start, generator)
        for found, name in ((sharp, "the sharpest curvature found"), (drawn, "a random direction")):
            rest = without(found, down)
            if length(rest) > 1e-3:
                return unit(rest), name
        return None

    def _plane(
        self,
        terrain: Terrain,
        start: Direction,
        down: Direction,
        second: Direction,
        reach: float,
        trace: Trace,
    ) -> dict[str, Any]:
        """(5), in the model's own arithmetic: it is a picture, and takes many values."""
        dtype = getattr(torch, _plain_type(trace))
        start, down, second = (tuple(x.to(dtype) for x in d) for d in (start, down, second))
        places = np.linspace(-reach, reach, self.grid)
        rows = [
            [terrain.value(along(start, (s, down), (r, second))) for s in places.tolist()]
            for r in places.tolist()
        ]
        return {
            "plane_s": places,
            "plane_r": places,
            "plane": np.array(rows),
            "here": np.zeros((1, 2)),
        }


def _steepest(coarse: Line, fine: Line) -> dict[str, float]:
    """(4) with the steepest place of the fine line among the neighbours, and the steeper place.

    Where E still steps between two places next to one another, that step counts as a slope.
    """
    with np.errstate(invalid="ignore"):
        secants = np.abs(np.diff(fine.values) / np.diff(fine.places))
    steep = fine.norms.copy()
    steep[:-1] = np.fmax(steep[:-1], secants)
    peak = int(np.nanargmax(steep))
    heights = fine.norms.copy()
    heights[peak] = steep[peak]
    among = np.isin(fine.places, [*coarse.places, fine.places[peak]]) & np.isfinite(heights)
    places, heights = fine.places[among], heights[among]
    floor = max(float(np.median(coarse.norms[np.isfinite(coarse.norms)])), np.finfo(float).tiny)
    logs = np.log(np.maximum(heights, floor))
    rises = np.abs(np.diff(logs))
    first = int(rises.argmax())
    larger = first if logs[first] > logs[first + 1] else first + 1
    return {
        "jump": float(rises[first]),
        "wall": float(places[larger]),
        "largest_norm": float(heights[larger]),
    }


def _plain_type(trace: Trace) -> str:
    """The model's own type, where it is one that every machine computes in."""
    return trace.model_dtype if trace.model_dtype in ("float32", "float64") else "float32"


def _log(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(values)
