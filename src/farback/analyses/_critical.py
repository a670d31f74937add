"""The smallest constant push that takes an attractor away: what disturbance a stored bit stands.

    (1)  s = M(s) + G u,   u = h d,  |d| = 1        the fixed point under a constant push
    (2)  h(d): the first h along the branch of (1) at which an eigenvalue of J reaches the unit
         circle; at +1 two fixed points meet in a fold and are gone
    (3)  n = G^T p,  p^T (J - I) = 0                 the normal of the folds' surface there
    (4)  h* = min over d of h(d), at which d is parallel to n

The branch is followed by its arc length, so that a fold is an ordinary point of it, and h(d) is as
exact as the rounding. First directions lead to other attractors and saddles, and the softest way;
from the best two of them d becomes n again and again, as long as h falls. Below h* the push is also
switched on at once and off again: where the state has gone to another attractor by then it was
kicked out, and the least such h counts.

G is the identity where the push is added to the state, and dF/dx, by central differences, where it
is added to the input.

Axes: N state, D the push's numbers (N or I), M rows.

Reference: Bengio, Simard and Frasconi 1994 (u bounded). Keller 1977 (arc length). Dobson 1993 (3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from scipy.optimize import brentq
from torch import Tensor

from ._autonomous import Autonomous
from ._contraction import EXACT
from ._settling import Basins

_STEPS = 200
_ROUNDS = 25
_FEW_ROUNDS = 2
_REFINED = 2
_TRIES = 32
_HELD = 500
_FARTHEST = 100.0


@dataclass(frozen=True)
class Loss:
    """At which push an attractor is lost, in which direction, and how.

    `how` is 'fold', 'flip' (an eigenvalue at -1), 'rotation' (a pair on the circle), 'kick', or
    'none' where nothing happens up to that size.
    """

    size: float
    direction: Float[Tensor, " D"]
    how: str


@dataclass(frozen=True)
class Pushed:
    """The maps of (1): here with the push on the input or on the state."""

    here: Autonomous
    on_input: bool

    def by(self, push: Float[Tensor, "*M D"]) -> Autonomous:
        """The map under a constant push."""
        if self.on_input:
            return replace(self.here, x=self.here.x + push)
        return replace(self.here, kick=push)

    def response(self, state: Float[Tensor, " N"], push: Float[Tensor, " D"]) -> Tensor:
        """G [N, D] at that state and push."""
        if not self.on_input:
            return torch.eye(len(state)).to(state)
        width = float(torch.finfo(state.dtype).eps) ** (1 / 3)
        moves = width * torch.eye(len(push)).to(push)
        there = state.expand(2 * len(push), -1)
        after = self.by(torch.cat([push + moves, push - moves])).step(there)
        return ((after[: len(push)] - after[len(push) :]) / (2 * width)).T


def smallest_loss(
    pushed: Pushed, basins: Basins, number: int, toward: Sequence[Float[Tensor, " N"]]
) -> Loss:
    """(4) for the fixed point that is attractor `number`, trying first to push it to others."""
    state = basins.attractors[number].points[0]
    first = [_follow(pushed, state, d) for d in _directions(pushed, state, toward)]
    first.sort(key=lambda it: it[0].size)
    refined = [_along_normals(pushed, state, *it) for it in first[:_REFINED]]
    if not refined:
        zero = pushed.here.x if pushed.on_input else state
        return Loss(_farthest(state), torch.zeros_like(zero), "none")
    return _kicked(pushed, basins, number, min(refined, key=lambda it: it.size))


def lost_along(pushed: Pushed, state: Float[Tensor, " N"], d: Float[Tensor, " D"]) -> Loss:
    """(2): h(d), by following the branch from the unpushed attractor."""
    return _follow(pushed, state, d)[0]


def _along_normals(pushed: Pushed, state: Tensor, found: Loss, there: Tensor) -> Loss:
    """(3) until h falls no further."""
    blend = 1.0
    for _ in range(_ROUNDS if len(state) <= EXACT else _FEW_ROUNDS):
        if found.how != "fold" or len(found.direction) == 1:
            break
        slope = pushed.by(found.size * found.direction).jacobian(there[None])[0]
        left = torch.linalg.svd(slope - torch.eye(len(state)).to(state))[0][:, -1]
        normal = pushed.response(there, found.size * found.direction).T @ left
        normal = normal / normal.norm() * (1 if float(normal @ found.direction) >= 0 else -1)
        turned = found.direction + blend * (normal - found.direction)
        turned = turned / turned.norm()
        if float((turned - found.direction).norm()) < 1e-5:
            break
        tried, tried_there = _follow(pushed, state, turned)
        if tried.size < found.size:
            fell = found.size - tried.size
            found, there = tried, tried_there
            if fell < 1e-9 * found.size:
                break
        else:
            blend /= 2
            if blend < 0.05:
                break
    return found


def _follow(pushed: Pushed, start: Tensor, d: Tensor) -> tuple[Loss, Tensor]:
    """The branch of (1) by arc length, to the first loss of stability."""
    unit, most = torch.eye(len(start)).to(start), _farthest(start)
    point = torch.cat([start, start.new_zeros(1)])
    tangent = torch.cat([torch.zeros_like(start), start.new_ones(1)])
    tangent = _tangent(pushed, point, d, tangent, unit)
    length = 0.05 * max(1.0, float(start.norm()))

    def outside(point: Tensor) -> float:
        slope = pushed.by(point[-1] * d).jacobian(point[None, :-1])[0]
        return float(torch.linalg.eigvals(slope).abs().max()) - 1

    for _ in range(_STEPS):
        ahead = _corrected(pushed, point, tangent, length, d, unit)
        if ahead is None:
            length /= 3
            if length < 1e-10:
                break
            continue
        turned = _tangent(pushed, ahead, d, tangent, unit)
        if float(turned @ tangent) < 0.9 and length > 1e-6:
            length /= 2
            continue
        if outside(ahead) >= 0:
            return _at_the_loss(pushed, point, ahead, tangent, length, d, outside)
        point, tangent = ahead, turned
        length = min(1.5 * length, 0.2 * max(1.0, float(point.norm())))
        if abs(float(point[-1])) > most:
            break
    return Loss(most, d, "none"), start


def _at_the_loss(
    pushed: Pushed,
    point: Tensor,
    ahead: Tensor,
    tangent: Tensor,
    length: float,
    d: Tensor,
    outside: Callable[[Tensor], float],
) -> tuple[Loss, Tensor]:
    unit = torch.eye(len(point) - 1).to(point)

    def at(part: float) -> Tensor:
        if part in (0.0, length):
            return ahead if part else point
        there = _corrected(pushed, point, tangent, part, d, unit)
        return point if there is None else there

    def beyond(part: float) -> float:
        return outside(at(part))

    part = float(brentq(beyond, 0.0, length, xtol=1e-11, rtol=1e-11))  # type: ignore[arg-type]
    there = at(part)
    slope = pushed.by(there[-1] * d).jacobian(there[None, :-1])[0]
    values = torch.linalg.eigvals(slope)
    first = values[values.abs().argmax()]
    how = "rotation" if abs(float(first.imag)) > 1e-6 else "fold" if first.real > 0 else "flip"
    return Loss(float(there[-1]), d, how), there[:-1]


def _corrected(
    pushed: Pushed, point: Tensor, tangent: Tensor, length: float, d: Tensor, unit: Tensor
) -> Tensor | None:
    """The point of the branch at that arc length ahead, by Newton's iteration; None if it fails."""
    guess = point + length * tangent
    for _ in range(8):
        moved = pushed.by(guess[-1] * d)
        residual = moved.step(guess[None, :-1])[0] - guess[:-1]
        ahead = tangent @ (guess - point) - length
        matrix = _bordered(pushed, guess, d, tangent, unit)
        step, info = torch.linalg.solve_ex(matrix, -torch.cat([residual, ahead[None]]))
        if int(info) or not bool(step.isfinite().all()):
            return None
        guess = guess + step
        if float(step.norm()) <= 1e-8 * max(1.0, float(guess.norm())):  # the next would be 1e-16
            return guess
    return None


def _bordered(pushed: Pushed, point: Tensor, d: Tensor, tangent: Tensor, unit: Tensor) -> Tensor:
    """The Jacobian of (1) by state and h, with the tangent as its last row."""
    push = point[-1] * d
    slope = pushed.by(push).jacobian(point[None, :-1])[0] - unit
    column = pushed.response(point[:-1], push) @ d
    return torch.cat([torch.cat([slope, column[:, None]], 1), tangent[None]])


def _tangent(pushed: Pushed, point: Tensor, d: Tensor, before: Tensor, unit: Tensor) -> Tensor:
    last = torch.zeros_like(point)
    last[-1] = 1.0
    found = torch.linalg.solve(_bordered(pushed, point, d, before, unit), last)
    return found / found.norm()


def _directions(pushed: Pushed, state: Tensor, toward: Sequence[Tensor]) -> list[Tensor]:
    """The pushes that to first order lead to others, and the softest way forth and back."""
    push = torch.zeros_like(pushed.here.x) if pushed.on_input else torch.zeros_like(state)
    response = pushed.response(state, push)
    away = torch.eye(len(state)).to(state) - pushed.here.jacobian(state[None])[0]
    soft = torch.linalg.svd(away)[0][:, -1]
    wanted = [*(away @ (aim - state) for aim in toward), soft, -soft]
    found: list[Tensor] = []
    for want in wanted:
        d = response.T @ want
        if float(d.norm()) < 1e-12:
            continue
        d = d / d.norm()
        if all(float((d - other).norm()) > 1e-6 for other in found):
            found.append(d)
    return found


def _kicked(pushed: Pushed, basins: Basins, number: int, found: Loss) -> Loss:
    """The least h below that loss at which a push switched on at once kicks the state out."""
    state = basins.attractors[number].points[0]
    low, high, how = 0.0, found.size, found.how
    for _ in range(6):
        sizes = torch.linspace(low, high, _TRIES + 2)[1:-1].to(state)
        moved = pushed.by(sizes[:, None] * found.direction)
        s = state.expand(_TRIES, -1)
        for _ in range(_HELD):
            s = moved.step(s)
        which, _ = basins.of(s, 2 * _HELD)
        gone = ((which != number) & (which >= 0)).nonzero()[:, 0]
        if not len(gone):
            break
        how, first = "kick", int(gone[0])
        low, high = (low if not first else float(sizes[first - 1])), float(sizes[first])
    return replace(found, size=high, how=how)


def _farthest(state: Tensor) -> float:
    return _FARTHEST * max(1.0, float(state.norm()))
