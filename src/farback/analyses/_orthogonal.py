"""Directions made orthogonal, and how far they had been stretched.

    V = Q R,   R upper triangular: |R_ii| is what direction i grew by beside those before it

Of many directions Q is made from R by a triangular solve, which is twice as fast as multiplying out
the reflections, where that costs no more than a few digits of orthogonality.

Axes: K directions, M points, N state.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

_FEW = 32
"""Up to so many directions the library's own Q is the faster one."""


class Orthogonal(NamedTuple):
    """Orthonormal directions, and ln |R_ii|; -inf is a direction that was lost."""

    directions: Float[Tensor, "K M N"]
    growth: Float[Tensor, "M K"]


def orthogonal(directions: Float[Tensor, "K M N"]) -> Orthogonal:
    """The directions of each point, orthogonal from the first on."""
    columns = directions.permute(1, 2, 0)
    if len(directions) <= _FEW:
        q, r = torch.linalg.qr(columns)
        return Orthogonal(q.permute(2, 0, 1), _growth(r))
    reflections, factors = torch.geqrf(columns)
    r = reflections.triu()
    sizes = r.diagonal(dim1=-2, dim2=-1).abs()
    if bool((sizes.amin(-1) > torch.finfo(r.dtype).eps ** (1 / 3) * sizes.amax(-1)).all()):
        q = torch.linalg.solve_triangular(r, columns, upper=True, left=False)
    else:
        q = torch.linalg.householder_product(reflections, factors)
    return Orthogonal(q.permute(2, 0, 1), _growth(r))


def started(
    count: int, points: int, size: int, *, like: Tensor, seed: int
) -> Float[Tensor, "K M N"]:
    """Orthonormal directions to begin with: the unit vectors if all, else random ones."""
    if count == size:
        units = torch.eye(size, dtype=like.dtype, device=like.device)
        return units.unsqueeze(1).expand(size, points, size)
    draw = torch.Generator().manual_seed(seed)
    drawn = torch.randn(count, points, size, generator=draw, dtype=torch.float64)
    return orthogonal(drawn.to(like)).directions


def _growth(r: Float[Tensor, "M K K"]) -> Float[Tensor, "M K"]:
    return r.diagonal(dim1=-2, dim2=-1).abs().double().log()
