"""The basins of one map in numbers: classes and contraction on a grid, and the batch's distances.

Axes: X and Y of the grid, A attractors, T sampled steps, B sampled rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._autonomous import spaced, visited
from ._boundary import distances
from ._contraction import EXACT, PATIENCE, growth, reduced
from ._plane import Section, by_coordinates, by_survey
from ._settling import Attractor
from ._survey import Survey

DRAWN = 4
"""So many rows of the batch are drawn as trajectories."""

_RESOLUTION = ((2, 128), (8, 64))
_COARSE = 32
_ON_A_LINE = 1001
_TIMES = 16
_FEW_TIMES = 6
_DIGITS = 5


def basin_map(
    found: Survey,
    *,
    coordinates: tuple[int, int] | None,
    resolution: int | None,
    rows: int,
    steps: int,
    seed: int,
) -> dict[str, Any]:
    """All fields of `basins` for one path."""
    size = found.here.size
    steps = steps if size <= EXACT else min(steps, PATIENCE)
    if size == 1:
        drawn = _on_a_line(found, resolution or _ON_A_LINE, steps)
    else:
        finest = next((fine for n, fine in _RESOLUTION if size <= n), _COARSE)
        fine = resolution or finest
        if coordinates is None:
            section = by_survey(found, fine)
        else:
            section = by_coordinates(found, coordinates, fine)
        drawn = _on_a_plane(found, section, steps)
    return {
        "classes": [_told(n, it) for n, it in enumerate(found.attractors)],
        **drawn,
        **_along(found, rows, steps, seed),
    }


def _on_a_line(found: Survey, resolution: int, steps: int) -> dict[str, Any]:
    seen = [visited(found.here.motion), *(it.points for it in found.attractors)]
    seen = torch.cat([*seen, *(it.state[None] for it in found.others)])
    low, high = float(seen.min()), float(seen.max())
    margin = 0.35 * max(0.5, high - low)
    x = torch.linspace(low - margin, high + margin, resolution, dtype=seen.dtype)
    grid = x[:, None].to(seen)
    which, fields = _at(found, grid, steps)
    return {"x": _array(x), "x_label": "state", "about": "the state line", "which": which, **fields}


def _on_a_plane(found: Survey, section: Section, steps: int) -> dict[str, Any]:
    which, fields = _at(found, section.grid(), steps)
    shape = (len(section.y), len(section.x))
    places = {
        "attractors": [it.points for it in found.attractors],
        "saddles": [it.state[None] for it in found.saddles],
        "repellers": [it.state[None] for it in found.others if it.kind == "repeller"],
    }
    states = found.here.motion.states.detach()
    for n, row in enumerate(_rows(found, DRAWN), 1):
        places[f"trajectory_{n}"] = [states[:, row]]
    for name in ("log_norm", "log_radius", "gamma"):
        if name in fields:
            fields[name] = fields[name].reshape(shape)
    return {
        "x": _array(section.x),
        "y": _array(section.y),
        "x_label": section.labels[0],
        "y_label": section.labels[1],
        "about": section.about,
        "which": which.reshape(shape),
        **fields,
        **{
            name: _array(section.within(torch.cat(it))) if it else np.zeros((0,))
            for name, it in places.items()
        },
    }


def _at(found: Survey, grid: Tensor, steps: int) -> tuple[np.ndarray, dict[str, Any]]:
    """The class of each point of the grid, and how its Jacobians contract."""
    which, _ = found.basins.of(grid, steps)
    log_norm, log_radius = growth(found.here, grid)
    fields: dict[str, Any] = {
        "log_norm": _array(log_norm).round(_DIGITS),
        "log_radius": _array(log_radius).round(_DIGITS),
        "share": np.array(
            [float((which == n).double().mean()) for n in range(len(found.attractors))]
        ),
    }
    if found.here.size <= EXACT:
        inside = reduced(found.basins, grid, which, steps)
        fields["gamma"] = np.where(inside.cpu().numpy(), 1.0, -1.0)
        fields["gamma_share"] = float(inside.double().mean())
    else:
        fields["gamma_share"] = float(((which >= 0) & (log_norm < 0)).double().mean())
    return _array(which), fields


def _along(found: Survey, rows: int, steps: int, seed: int) -> dict[str, Any]:
    """How near the states of the batch are to a boundary, and whose basins they are in."""
    states = found.here.motion.states.detach()
    every = spaced(visited(found.here.motion), _TIMES * rows)
    which, _ = found.basins.of(every, steps)
    visits = np.array([float((which == n).double().mean()) for n in range(len(found.attractors))])
    if len(found.attractors) < 2:
        nothing = np.array([])
        return {"visits": visits, "times": nothing, "middle": nothing, "nearest": nothing}
    large = found.here.size > EXACT
    count = min(_FEW_TIMES if large else _TIMES, len(states))
    times = torch.linspace(0, len(states) - 1, count).round().long()
    sample = states[times][:, _rows(found, min(rows, DRAWN) if large else rows)]
    flat = sample.flatten(0, 1)
    which, _ = found.basins.of(flat, steps)
    aims = [it.points[0] for it in found.attractors] + [it.state for it in found.saddles]
    away = distances(
        found.basins,
        flat,
        which,
        torch.stack(aims[: 4 if large else 8]),
        rays=4 if large else 64,
        shells=6 if large else 12,
        steps=steps,
        seed=seed,
    ).reshape(sample.shape[:2])
    return {
        "visits": visits,
        "times": _array(times),
        "middle": _array(away.median(1).values),
        "nearest": _array(away.amin(1)),
    }


def _rows(found: Survey, count: int) -> list[int]:
    """Rows of the batch, evenly spaced."""
    batch = found.here.motion.states.shape[1]
    return sorted(set(torch.linspace(0, batch - 1, min(count, batch)).round().long().tolist()))


def _told(number: int, attractor: Attractor) -> str:
    if attractor.period > 1:
        return f"cycle {number + 1} of {attractor.period}"
    entries = attractor.points[0].tolist()
    at = ", ".join(f"{entry:.2g}" for entry in entries[:2])
    return f"attractor {number + 1} at ({at}{', ...' if len(entries) > 2 else ''})"


def _array(values: Tensor) -> np.ndarray:
    return values.detach().cpu().double().numpy()
