"""The attractors of one map as places for a bit: what loses it, and what the error does there.

Axes: A attractors, S deviations, C times, T sampled steps, N state, I input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._contraction import EXACT, PATIENCE, growth, reduced
from ._critical import Loss, Pushed, smallest_loss
from ._flips import flips, survived
from ._settling import Attractor
from ._survey import Survey

FLIPPED = 0.05
"""The share of flips up to which noise counts as survived."""

MOST = 8
"""So many attractors are tried, and fewer of large states."""

_FEW = 2
_OCTAVES = np.arange(-7, 0.01, 0.5)
_RUNS = 512
_FEW_RUNS = 32
_TIMES = 16
_ROWS = 8


def held_bits(
    found: Survey,
    *,
    noises: tuple[float, ...] | None,
    times: tuple[int, ...],
    runs: int | None,
    steps: int,
    seed: int,
) -> dict[str, Any]:
    """All fields of `latching` for one path."""
    large = found.here.size > EXACT
    steps = min(steps, PATIENCE) if large else steps
    asked = runs or (_FEW_RUNS if large else _RUNS)
    every = found.attractors
    held = [n for n, it in enumerate(every) if it.period == 1][: _FEW if large else MOST]
    if len(every) < 2:
        held = []
    fields = {
        "rate": np.array([it.rate for it in every]),
        "periods": np.array([it.period for it in every], dtype=float),
        "times": np.array(times, dtype=float),
        "runs": asked,
        **_losses(found, held, large),
        **_along(found, steps, large),
    }
    if not held:
        nothing = np.array([])
        names = ("noises", "flip_rate", "flipped", "escape_time", "rate_survived")
        return {
            **fields,
            **dict.fromkeys((*names, "noise_survived", "survived_at_least"), nothing),
        }
    sigma = np.array(noises) if noises else _deviations(every, held, found.here.size)
    basins = found.basins
    each = [flips(basins, n, sigma, times, runs=asked, steps=steps, seed=seed) for n in held]
    bounds = [survived(sigma, one.rate[:, -1], FLIPPED) for one in each]
    noise = np.array([value for value, _ in bounds])
    order = noise.argsort()
    rates = np.array([every[n].rate for n in held])
    return {
        **fields,
        "noises": sigma,
        "flip_rate": np.stack([one.rate for one in each]),
        "flipped": np.stack([one.rate[:, -1] for one in each]).max(0),
        "escape_time": np.stack([one.escape for one in each]),
        "noise_survived": noise[order],
        "survived_at_least": np.array([float(more) for _, more in bounds])[order],
        "rate_survived": rates[order],
    }


def _losses(found: Survey, held: Sequence[int], large: bool) -> dict[str, Any]:
    """The smallest push on the state and on the input that loses each bit."""
    fields: dict[str, Any] = {}
    for name, on_input in (("push", False), ("input", True)):
        pushed, each = Pushed(found.here, on_input), []
        skipped = large if not on_input else not len(found.here.x)
        for number in () if skipped else held:
            toward = _nearest(found, number, 1 if large else 4)
            each.append(smallest_loss(pushed, found.basins, number, toward))
        fields |= _told(name, each)
    return fields


def _told(name: str, each: Sequence[Loss]) -> dict[str, Any]:
    directions = [it.direction.detach().cpu().double().numpy() for it in each]
    return {
        f"critical_{name}": np.array([it.size for it in each]),
        f"{name}_at_least": np.array([float(it.how == "none") for it in each]),
        f"{name}_direction": np.stack(directions) if directions else np.array([]),
        f"{name}_loses_by": [it.how for it in each],
    }


def _nearest(found: Survey, number: int, count: int) -> list[Tensor]:
    """The nearest points that stay, saddles before attractors."""
    state = found.attractors[number].points[0]
    others = [it.points[0] for n, it in enumerate(found.attractors) if n != number]
    aims = [it.state for it in found.others] + others
    return sorted(aims, key=lambda aim: float((aim - state).norm()))[:count]


def _deviations(every: Sequence[Attractor], held: Sequence[int], size: int) -> np.ndarray:
    """Half octaves below the distance of the two nearest attractors, over the root of N."""
    points = torch.stack([every[n].points[0] for n in held])
    rest = torch.cat([it.points for it in every])
    apart = torch.cdist(points, rest)
    nearest = float(apart[apart > 1e-9].min())
    return nearest / size**0.5 * 2.0**_OCTAVES


def _along(found: Survey, steps: int, large: bool) -> dict[str, Any]:
    """The share of rows that are robustly latched at some steps, and how J contracts there."""
    states = found.here.motion.states.detach()
    rows = states.shape[1]
    times = _even(len(states), 4 if large else _TIMES)
    sample = states[times][:, _even(rows, 2 if large else _ROWS)]
    flat = sample.flatten(0, 1)
    which, _ = found.basins.of(flat, steps)
    latched = reduced(found.basins, flat, which, steps).reshape(sample.shape[:2])
    log_norm, log_radius = (it.reshape(sample.shape[:2]) for it in growth(found.here, flat))
    return {
        "at": np.array(times, dtype=float),
        "latched": latched.double().mean(1).cpu().numpy(),
        "log_norm": log_norm.median(1).values.cpu().double().numpy(),
        "log_radius": log_radius.median(1).values.cpu().double().numpy(),
    }


def _even(length: int, count: int) -> list[int]:
    return sorted(set(np.linspace(0, length - 1, min(count, length)).round().astype(int).tolist()))
