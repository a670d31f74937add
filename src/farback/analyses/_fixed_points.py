"""The fixed points of a map, stable or not, from many starts at once.

    (1)  q(s) = |M(s) - s|^2 / 2,   its gradient (J - I)^T (M(s) - s)
    (2)  the step of Levenberg and Marquardt down q:
             ((J - I)^T (J - I) + mu |M(s) - s| I) d = -(J - I)^T (M(s) - s)
    (3)  Newton's: (J - I) d = -(M(s) - s)

From each start (2) goes down q, mu falling where q does and rising where it would not; then (3). A
fixed point is accepted where the residual is at rounding level and Newton's next step is too. What
ends where the gradient of q is zero and q is not is a slow point, kept apart. Where J - I is
singular at a point that rests, it is one of a continuum and not isolated.

Axes: M starts, F fixed points, N state.

Reference: Sussillo and Barak 2013; Golub and Sussillo 2018 (q and slow points). Levenberg 1944;
Marquardt 1963; mu by the residual: Fan and Yuan 2005.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ._autonomous import Autonomous

_DOWNHILL = 200
_DOWNHILL_LARGE = 40
_LARGE = 8
_NEWTON = 12
_MOST_SLOW = 32
_FAR = 10.0


@dataclass(frozen=True)
class Found:
    """Distinct points: fixed [F, N]; slow [S, N] with their speeds |M(s) - s|.

    `continuous` counts the starts that ended at rest on a point that is not isolated, and not
    `_FAR` times as far out as any start.
    """

    points: Float[Tensor, "F N"]
    slow: Float[Tensor, "S N"]
    speeds: Float[Tensor, " S"]
    continuous: int


def edge(states: Tensor) -> float:
    """How near to the unit circle an eigenvalue cannot be told from one on it."""
    return torch.finfo(states.dtype).eps ** 0.5


def tolerance(states: Tensor) -> float:
    """A relative distance within which two points are one."""
    return 50 * edge(states)


def fixed_points(here: Autonomous, starts: Float[Tensor, "M N"], slowest: float) -> Found:
    """All that the starts lead to; a slow point counts up to the speed `slowest`."""
    ends = torch.cat([_downhill(here, piece) for piece in here.pieces(starts)])
    ends = ends[ends.isfinite().all(1)]
    refined, isolated = newton(here, ends)
    resting = at_rest(here, ends) & ~isolated
    # beyond all starts a gate that has closed to rounding looks like rest
    near = ends.norm(dim=1) <= _FAR * float(_sizes(starts).max())
    slow = ends[~isolated & ~resting]
    speeds = (here.step(slow) - slow).norm(dim=1)
    level = _level(here, slow)
    slow, speeds = slow[level & (speeds <= slowest)], speeds[level & (speeds <= slowest)]
    slow, speeds = slow[speeds.argsort()], speeds.sort().values
    apart = distinct(slow, 1e3)[:_MOST_SLOW]
    return Found(
        points=refined[isolated][distinct(refined[isolated])],
        slow=slow[apart],
        speeds=speeds[apart],
        continuous=int((resting & near).sum()),
    )


def newton(
    here: Autonomous, states: Float[Tensor, "M N"], period: int = 1
) -> tuple[Tensor, Tensor]:
    """(3) on M^p(s) - s, and for each point whether it came to rest on an isolated one."""
    pairs = [_newton(here, piece, period) for piece in here.pieces(states)]
    if not pairs:
        return states, states.new_zeros(0, dtype=torch.bool)
    return torch.cat([point for point, _ in pairs]), torch.cat([done for _, done in pairs])


def distinct(states: Float[Tensor, "M N"], loosely: float = 1.0) -> Tensor:
    """The places of points of which no two are one; the first of each group."""
    kept: list[int] = []
    near = loosely * tolerance(states)
    for place, state in enumerate(states):
        others = states[kept]
        if not kept or bool(((others - state).norm(dim=1) > near * _size(state)).all()):
            kept.append(place)
    return torch.tensor(kept, dtype=torch.long, device=states.device)


def at_rest(here: Autonomous, states: Float[Tensor, "M N"]) -> Tensor:
    """Whether one step moves each state by no more than rounding."""
    return (here.step(states) - states).norm(dim=1) <= 1e3 * _precision(states) * _sizes(states)


def _downhill(here: Autonomous, states: Tensor) -> Tensor:
    """(2), until every start stands still."""
    s = states.clone()
    unit = torch.eye(here.size).to(s)
    mu = s.new_ones(len(s))
    active = torch.arange(len(s), device=s.device)
    residual = here.step(s) - s
    slope = here.jacobian(s) - unit
    for _ in range(_DOWNHILL if here.size <= _LARGE else _DOWNHILL_LARGE):
        speed = residual.norm(dim=1)
        gradient = torch.einsum("mij,mi->mj", slope, residual)
        damped = slope.mT @ slope + (mu * speed + 1e-300)[:, None, None] * unit
        step = -torch.linalg.solve_ex(damped, gradient)[0]
        step = torch.where(step.isfinite().all(1, keepdim=True), step, -gradient)
        tried = s[active] + step
        after = here.step(tried) - tried
        better = after.norm(dim=1) < speed
        s[active[better]] = tried[better]
        residual = torch.where(better[:, None], after, residual)
        mu = torch.where(better, mu / 4, mu * 8).clamp(1e-12, 1e12)
        still = step.norm(dim=1) <= _precision(s) * _sizes(tried)
        rests = after.norm(dim=1) <= 10 * _precision(s) * _sizes(tried)
        go = ~still & ~rests & speed.isfinite()
        if not bool(go.any()):
            break
        if bool((better & go).any()):
            slope[better & go] = here.jacobian(s[active[better & go]]) - unit
        active, residual, slope, mu = active[go], residual[go], slope[go], mu[go]
    return s


def _newton(here: Autonomous, states: Tensor, period: int) -> tuple[Tensor, Tensor]:
    s, unit = states.clone(), torch.eye(here.size).to(states)
    step = torch.full_like(s, torch.inf)
    for _ in range(_NEWTON):
        after, product = here.iterated(s, period)
        step = torch.linalg.solve_ex(product - unit, s - after)[0]
        s = s + torch.where(step.isfinite(), step, 0.0)
        if bool((step.norm(dim=1) <= _precision(s) * _sizes(s)).all()):
            break
    after, product = here.iterated(s, period)
    rests = (after - s).norm(dim=1) <= 1e3 * _precision(s) * _sizes(s)
    settled = step.norm(dim=1) <= edge(s) * _sizes(s)
    away = (s - states).norm(dim=1) <= 0.1 * _sizes(states)  # Newton far from a root jumps anywhere
    return s, rests & settled & away & _regular(product - unit)


def _regular(slope: Float[Tensor, "M N N"]) -> Tensor:
    """Whether M^p - I can be inverted well: else the point is one of a continuum."""
    finite = slope.isfinite().all(-1).all(-1)
    values = torch.linalg.svdvals(torch.where(finite[:, None, None], slope, 0.0))
    return finite & (values[:, -1] > 10 * _precision(slope) * slope.shape[-1] * values[:, 0])


def _level(here: Autonomous, states: Tensor) -> Tensor:
    """Whether the gradient of q is zero there, next to what its factors could make."""
    pulled, sizes = [], []
    for piece in here.pieces(states):
        residual = here.step(piece) - piece
        slope = here.jacobian(piece) - torch.eye(here.size).to(piece)
        pulled.append(torch.einsum("mij,mi->mj", slope, residual).norm(dim=1))
        sizes.append(slope.flatten(1).norm(dim=1).clamp(min=1.0) * residual.norm(dim=1))
    if not pulled:
        return states.new_zeros(0, dtype=torch.bool)
    return torch.cat(pulled) <= tolerance(states) * torch.cat(sizes)


def _precision(states: Tensor) -> float:
    return torch.finfo(states.dtype).eps


def _size(state: Tensor) -> float:
    return max(1.0, float(state.norm()))


def _sizes(states: Tensor) -> Tensor:
    return states.norm(dim=1).clamp(min=1.0)
