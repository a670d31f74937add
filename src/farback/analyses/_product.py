"""The spectrum of a product of Jacobians, in logs, so that nothing under- or overflows.

    P = J_q ... J_2 J_1
    (1)  singular values: V <- orth(P^T orth(P V));  ln sigma_i = sum over steps of ln |R_ii|
    (2)  eigenvalues:     V <- orth(P V);            ln |lambda_i| the same, in the last round

A short product whose values lie within half of the digits of each other is formed, and the library
gives its spectrum. Any other is never formed: directions go through its factors one by one, twice
as many as are asked for, orthogonal again after each. A round of (1) brings value i nearer by
(sigma_{i+1} / sigma_i)^2, and the values of a long product lie far apart. Rounds end when no value
asked for moves by more than `_SETTLED`. Directions of (2) that still turn into one another in the
last round have eigenvalues of one modulus, as a complex pair has, or nearly one. The volume that
they span grows by the product of their eigenvalues: each is given the mean of their logs. A
defective pair hardly turns, and its values come together only like one over the rounds.

Axes: K directions, B rows, N state.

Reference: subspace iteration as in Golub and Van Loan 2013; through the factors of a product,
Bojanczyk, Ewerbring, Luk and Van Dooren 1991.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ..flow.motion import Differential
from ._orthogonal import orthogonal, started

_SHORT = 16
_ROUNDS = 6
_SETTLED = 1e-6
_TURNED = 1e-3


def singular_values(
    factors: Sequence[Differential], count: int, like: Float[Tensor, "B N"], *, seed: int
) -> Float[Tensor, "B K"]:
    """Ln of the largest `count` singular values of the product, from the largest (1)."""
    formed = _formed(factors, like)
    if formed is not None:
        values = torch.linalg.svdvals(formed)[:, :count]
        if _near(values):
            return values.double().log()
    directions = started(min(2 * count, like.shape[1]), *like.shape, like=like, seed=seed)
    before = growth = torch.full((len(like), count), -torch.inf, dtype=torch.float64)
    for _ in range(_ROUNDS):
        directions, _ = _through(factors, directions)
        directions, grown = _through(factors, directions, back=True)
        growth = grown.sort(-1, descending=True).values[:, :count]
        if _moved(growth, before) <= _SETTLED:
            break
        before = growth
    return growth


def eigenvalues(
    factors: Sequence[Differential], count: int, like: Float[Tensor, "B N"], *, seed: int
) -> Float[Tensor, "B K"]:
    """Ln of the largest `count` moduli of the product's eigenvalues, from the largest (2)."""
    formed = _formed(factors, like)
    if formed is not None:
        moduli = torch.linalg.eigvals(formed).abs().sort(-1, descending=True).values[:, :count]
        if _near(moduli):
            return moduli.double().log()
    before = after = started(min(2 * count, like.shape[1]), *like.shape, like=like, seed=seed)
    growth = torch.zeros(len(like), len(after), dtype=torch.float64)
    for _ in range(_ROUNDS):
        before, (after, growth) = after, _through(factors, after)
    return _shared(growth, before, after).sort(-1, descending=True).values[:, :count]


def _shared(
    growth: Float[Tensor, "B K"], before: Float[Tensor, "K B N"], after: Float[Tensor, "K B N"]
) -> Float[Tensor, "B K"]:
    """Each row's growth, with the mean over neighbours that turn into one another."""
    overlap = torch.einsum("kbn,lbn->bkl", before, after)
    turns = overlap.diagonal(offset=-1, dim1=-2, dim2=-1).abs() > _TURNED
    group = torch.nn.functional.pad((~turns).cpu().cumsum(-1), (1, 0))
    sums, sizes = (
        torch.zeros_like(growth).scatter_add(-1, group, it)
        for it in (growth, torch.ones_like(growth))
    )
    return (sums / sizes).gather(-1, group)


def _formed(factors: Sequence[Differential], like: Tensor) -> Float[Tensor, "B N N"] | None:
    """The product itself, where it is short."""
    if len(factors) > _SHORT:
        return None
    size = like.shape[1]
    directions = started(size, *like.shape, like=like, seed=0)
    for factor in factors:
        directions = factor.push(directions)
    return directions.permute(1, 2, 0) if bool(torch.isfinite(directions).all()) else None


def _near(values: Float[Tensor, "B K"]) -> bool:
    """Whether the library has computed even the smallest to half of its digits."""
    return bool((values[:, -1] > torch.finfo(values.dtype).eps ** 0.5 * values[:, 0]).all())


def _through(
    factors: Sequence[Differential], directions: Tensor, *, back: bool = False
) -> tuple[Tensor, Float[Tensor, "B K"]]:
    growth = torch.zeros(directions.shape[1], len(directions), dtype=torch.float64)
    order: Iterable[Differential] = reversed(factors) if back else factors
    for factor in order:
        moved = factor.pull(directions) if back else factor.push(directions)
        directions, grown = orthogonal(moved)
        growth += grown.cpu()
    return directions, growth


def _moved(now: Tensor, before: Tensor) -> float:
    """The largest change of a log that is not a true zero in both."""
    return float(torch.where(now == before, 0.0, (now - before).abs()).max())
