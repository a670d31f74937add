"""Where a map contracts: the norm and the spectral radius of its Jacobian, and of its products.

    (1)  Gamma(X) = the points y of X's basin at which every (M^l)'(y), l >= 1, has all eigenvalues
         inside the unit circle:  X's reduced attracting set
    (2)  two units:  radius and norm in closed form, from trace, determinant and sum of squares

The products of (1) are followed until the orbit has settled and its product P is so small that the
steps at the attractor, which may stretch an error at first, cannot bring it back to one:

    (3)  |P| sup_k |(M^k)'(X)| < 1,   |P| the Frobenius norm, the other the spectral one

Eigenvalues are taken only where the Frobenius norm leaves it open: with one or two numbers in the
state at every l, with more at every l up to 8 and then at half octaves.

Axes: M points, A attractors, P points of a cycle, N state.

Reference: Bengio, Simard and Frasconi 1994, definitions 4 and 5.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._autonomous import Autonomous
from ._settling import Basins

EXACT = 32
"""Up to so many numbers of a state, eigenvalues of many Jacobians are taken one by one."""

PATIENCE = 200
"""So many steps a larger state may take to settle before it counts as none's."""

_ROUNDS = 30
_EXTRA = 200


def spectral_radius(matrices: Float[Tensor, "M N N"]) -> Float[Tensor, " M"]:
    """The largest modulus of an eigenvalue."""
    if matrices.shape[-1] == 1:
        return matrices[:, 0, 0].abs()
    if matrices.shape[-1] > 2:
        return torch.linalg.eigvals(matrices).abs().amax(-1)
    half = matrices.diagonal(dim1=-2, dim2=-1).sum(-1) / 2
    determinant = _determinant(matrices)
    inside = half**2 - determinant
    real = half.abs() + inside.clamp(min=0).sqrt()
    return torch.where(inside >= 0, real, determinant.clamp(min=0).sqrt())  # (2)


def spectral_norm(matrices: Float[Tensor, "M N N"]) -> Float[Tensor, " M"]:
    """The largest singular value."""
    if matrices.shape[-1] == 1:
        return matrices[:, 0, 0].abs()
    if matrices.shape[-1] > 2:
        return torch.linalg.svdvals(matrices)[:, 0]
    squares, determinant = matrices.pow(2).sum((-2, -1)), _determinant(matrices)
    apart = (squares**2 - 4 * determinant**2).clamp(min=0).sqrt()
    return ((squares + apart) / 2).sqrt()  # (2)


def growth(here: Autonomous, states: Float[Tensor, "M N"]) -> tuple[Tensor, Tensor]:
    """Ln norm and ln spectral radius of J at every point."""
    if here.size > EXACT:
        return _by_power(here, states)
    matrices = [here.jacobian(piece) for piece in here.pieces(states)]
    norms = torch.cat([spectral_norm(it) for it in matrices])
    return norms.log(), torch.cat([spectral_radius(it) for it in matrices]).log()


def _by_power(here: Autonomous, states: Tensor) -> tuple[Tensor, Tensor]:
    """Both by the power iteration from one direction, a lower bound of the norm."""
    there = here.at(states)
    start = torch.ones_like(states)[None] / here.size**0.5
    v, norm = start, start.new_zeros(len(states))
    for _ in range(_ROUNDS):
        pulled = there.pull(there.push(v))
        size = pulled.norm(dim=-1, keepdim=True).clamp(min=1e-300)
        v, norm = pulled / size, size[0, :, 0].log() / 2
    v, logs = start, []
    for _ in range(2 * _ROUNDS):
        pushed = there.push(v)
        size = pushed.norm(dim=-1, keepdim=True).clamp(min=1e-300)
        v = pushed / size
        logs.append(size[0, :, 0].log())
    return norm.detach(), torch.stack(logs[_ROUNDS:]).mean(0).detach()


def reduced(
    basins: Basins, states: Float[Tensor, "M N"], which: Int[Tensor, " M"], steps: int
) -> Bool[Tensor, " M"]:
    """Whether each state lies in Gamma of the attractor that it comes to, (1)."""
    pieces = list(basins.here.pieces(states))
    groups = which.split([len(it) for it in pieces]) if pieces else []
    at_most = states.new_tensor([_stretch(basins.here, it.points) for it in basins.attractors])
    found = [_reduced(basins, s, w, at_most, steps) for s, w in zip(pieces, groups, strict=True)]
    return torch.cat(found) if found else which >= 0


def _stretch(here: Autonomous, points: Float[Tensor, "P N"]) -> float:
    """The supremum of (3) over k >= 0 and the points of a cycle, to their first k under one."""
    slopes = here.jacobian(points)
    product, most = slopes, 1.0
    for number in range(1, PATIENCE + 1):
        largest = float(spectral_norm(product).max())
        most = max(most, largest)
        if largest < 1:  # longer products are made of those before
            break
        product = slopes.roll(-number, 0) @ product
    return most


def _reduced(
    basins: Basins, states: Tensor, which: Tensor, at_most: Float[Tensor, " A"], steps: int
) -> Tensor:
    inside = which >= 0
    active = inside.nonzero()[:, 0]
    s, product = states[active], torch.eye(states.shape[1]).to(states).expand(len(active), -1, -1)
    patient = steps if states.shape[1] <= 2 else min(steps, PATIENCE)
    for number in range(1, patient + _EXTRA):
        if not len(active):
            break
        product = basins.here.jacobian(s) @ product
        s = basins.here.step(s)
        bad = torch.zeros_like(active, dtype=torch.bool)
        if states.shape[1] <= 2 or _looked_at(number):
            bad = ~_under_one(product)
        inside[active[bad]] = False
        held = basins.held(s)
        done = (held >= 0) & (product.flatten(1).norm(dim=1) * at_most[held] < 1)  # (3)
        go = ~bad & ~done
        active, s, product = active[go], s[go], product[go]
    inside[active] = False  # never certainly a contraction
    return inside


def _looked_at(number: int) -> bool:
    """Every step up to 8, then at half octaves."""
    return number <= 8 or number in {round(2 ** (half / 2)) for half in range(6, 40)}


def _under_one(products: Float[Tensor, "M N N"]) -> Bool[Tensor, " M"]:
    """Whether all eigenvalues lie inside the unit circle."""
    if products.shape[-1] <= 2:
        return spectral_radius(products) < 1
    found = products.flatten(1).norm(dim=1) < 1
    open_ = ~found
    found[open_] = spectral_radius(products[open_]) < 1 if bool(open_.any()) else False
    return found


def _determinant(matrices: Tensor) -> Tensor:
    return matrices[:, 0, 0] * matrices[:, 1, 1] - matrices[:, 0, 1] * matrices[:, 1, 0]
