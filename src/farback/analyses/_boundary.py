"""How far a state is from the boundary of its basin.

From each state rays go out: to each other attractor and to each saddle, and along evenly spaced
directions (in one and two dimensions) or random ones. Along a ray the first of some distances at
which another attractor is come to is bracketed, and the nearest brackets are halved. The least over
the rays is an upper bound of the true distance; with one number in the state it is the distance
itself, up to the spacing of the first search.

Axes: M states, R rays, N state.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ._settling import Basins

_HALVINGS = 30


def distances(
    basins: Basins,
    states: Float[Tensor, "M N"],
    which: Int[Tensor, " M"],
    aims: Float[Tensor, "F N"],
    *,
    rays: int,
    shells: int,
    steps: int,
    seed: int,
) -> Float[Tensor, " M"]:
    """The least distance found at which a state would come to another attractor.

    Where none is found it is how far was searched: to the furthest attractor.
    """
    unit = _directions(states.shape[1], rays, seed).to(states)
    toward = aims[None] - states[:, None]
    toward = toward / toward.norm(dim=-1, keepdim=True).clamp(min=1e-12)
    out = torch.cat([unit.expand(len(states), -1, -1), toward], 1)
    reach = torch.stack([it.distance(states) for it in basins.attractors]).amax(0)[:, None]
    low, high = torch.zeros_like(out[..., 0]), torch.full_like(out[..., 0], torch.inf)

    def other(radius: Tensor) -> Tensor:
        points = states[:, None] + radius[..., None] * out
        found, _ = basins.of(points.flatten(0, 1), steps)
        found = found.reshape(radius.shape)
        return (found >= 0) & (found != which[:, None])

    for shell in range(1, shells + 1):
        radius = (reach * shell / shells).expand_as(low)
        crossed = other(radius) & high.isinf()
        high = torch.where(crossed, radius, high)
        low = torch.where(high.isinf(), radius, low)
    nearest = (high <= high.amin(1, keepdim=True)) & high.isfinite()
    place, ray = nearest.nonzero(as_tuple=True)
    low, high, start, out, own = (
        low[nearest],
        high[nearest],
        states[place],
        out[place, ray],
        which[place],
    )
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        found, _ = basins.of(start + middle[:, None] * out, steps)
        over = (found >= 0) & (found != own)
        low, high = torch.where(over, low, middle), torch.where(over, middle, high)
    return reach[:, 0].scatter_reduce(0, place, high, "amin")


def _directions(size: int, rays: int, seed: int) -> Float[Tensor, "R N"]:
    if size == 1:
        return torch.tensor([[1.0], [-1.0]])
    if size == 2:
        angles = torch.arange(rays, dtype=torch.float64) * (2 * math.pi / rays)
        return torch.stack([angles.cos(), angles.sin()], 1)
    drawn = torch.randn(
        rays, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    return drawn / drawn.norm(dim=1, keepdim=True)
