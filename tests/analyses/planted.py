"""Maps whose fixed points are known, as subjects of a probe."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from scipy.optimize import brentq
from torch import Tensor

import farback as fb
from farback.analyses._analysis import Analysis
from farback.flow import Measurement
from farback.probes import StepMap

PATTERNS = torch.tensor(
    [[math.sin(2 * math.pi * k / 3), math.cos(2 * math.pi * k / 3)] for k in range(3)],
    dtype=torch.float64,
)
SHARP = 6.0


def latch(w: float) -> Callable[[Tensor, Tensor], Tensor]:
    """One tanh unit with the self-weight w."""
    return lambda a, x: w * torch.tanh(a) + x


def three_patterns(s: Tensor, x: Tensor) -> Tensor:
    """Three attractors in a plane, at 120 degrees: the mean of patterns, the nearer the heavier."""
    return torch.softmax(SHARP * s @ PATTERNS.T, -1) @ PATTERNS + x


def fixed_points_of_three_patterns() -> Tensor:
    """By symmetry all seven lie on the three axes: zeros of one function of the radius."""

    def moved(radius: float) -> float:
        state = radius * PATTERNS[:1]
        return float(three_patterns(state, torch.zeros(1, 2).double())[0] @ PATTERNS[0]) - radius

    grid = [k / 1000 + 0.0005 for k in range(-1500, 1500)]
    roots = [
        float(brentq(moved, low, high, xtol=1e-15))  # type: ignore[arg-type]
        for low, high in pairwise(grid)
        if moved(low) * moved(high) < 0
    ]
    away = [radius * PATTERNS for radius in roots if abs(radius) > 1e-9]
    return torch.cat([*away, torch.zeros(1, 2).double()])


def measured(
    step: Callable[[Tensor, Tensor], Tensor], size: int, analysis: Analysis, **asked: Any
) -> Measurement:
    """What the analysis measures of a step map with as many inputs as states, all of them zero."""
    subject = StepMap(step, start=asked.pop("start", torch.zeros(size)).double())
    inputs = asked.pop("inputs", torch.zeros(2, 6, size)).double()
    profile = fb.probe(
        subject, (inputs, None), loss=lambda s, _: s.sum(), analyses=analysis, **asked
    )
    return profile[next(iter(profile))]
