"""Where orbits settle: the stable points and cycles that starts come to, and which to which.

Starts are iterated together. Where an orbit returns to itself after p steps (the least p), Newton's
iteration on M^p(s) - s makes the point exact; it is an attractor where all eigenvalues of the
Jacobian of M^p lie inside the unit circle. An orbit is taken to belong to an attractor once it is
near to it: within a hundredth of the way to the next point that is known to stay. That is no proof:
where the Jacobian there stretches an error a hundredfold before it shrinks, it may still leave.

Axes: M starts, A attractors, N state, P points of a cycle.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._autonomous import Autonomous
from ._fixed_points import at_rest, distinct, edge, newton, tolerance

_BLOCK = 50
_RETURN = 1e-4
_NEAR = 1e-2
_PIECE = 2**16
_HUGE = 1e12


@dataclass(frozen=True)
class Attractor:
    """A stable fixed point or cycle: its points in order [P, N], and the eigenvalues of M^P."""

    points: Float[Tensor, "P N"]
    eigenvalues: Tensor

    @property
    def period(self) -> int:
        """P; 1 is a fixed point."""
        return len(self.points)

    @property
    def rate(self) -> float:
        """How fast the error fades there: ln of the spectral radius, per step."""
        return float(self.eigenvalues.abs().max().double().log()) / self.period

    def distance(self, states: Float[Tensor, "M N"]) -> Float[Tensor, " M"]:
        """From each state to the nearest point."""
        return torch.stack([(states - point).norm(dim=1) for point in self.points]).amin(0)


@dataclass(frozen=True)
class Settled:
    """The attractors, and of the starts how many came to each, stayed on the way, or escaped."""

    attractors: tuple[Attractor, ...]
    counts: tuple[int, ...]
    wandering: int
    escaped: int


@dataclass(frozen=True)
class Basins:
    """The attractors of a map with the distance within which each holds an orbit."""

    here: Autonomous
    attractors: tuple[Attractor, ...]
    near: tuple[float, ...]

    def of(
        self, states: Float[Tensor, "M N"], steps: int
    ) -> tuple[Int[Tensor, " M"], Int[Tensor, " M"]]:
        """Which attractor each state comes to (-1: to none within so many steps), and when."""
        if not self.attractors:
            nowhere = torch.full((len(states),), -1, device=states.device)
            return nowhere, torch.full_like(nowhere, steps)
        pairs = [self._of(piece, steps) for piece in states.split(_PIECE)]
        return torch.cat([which for which, _ in pairs]), torch.cat([when for _, when in pairs])

    def _of(self, states: Tensor, steps: int) -> tuple[Tensor, Tensor]:
        which = torch.full((len(states),), -1, device=states.device)
        when = torch.full_like(which, steps)
        active, s = torch.arange(len(states), device=states.device), states
        for p in range(steps + 1):
            found = self.held(s)
            on = (found < 0) & s.isfinite().all(1)
            if not bool(on.all()):
                done = active[~on]
                which[done], when[done] = found[~on], p
                active, s = active[on], s[on]
            if p == steps or not len(active):
                break
            after = self.here.step(s)
            moves = (after != s).any(1)  # a state that rests on no attractor comes to none
            active, s = active[moves], after[moves]
        return which, when

    def held(self, states: Float[Tensor, "M N"]) -> Int[Tensor, " M"]:
        """The attractor that already holds each state; -1 for none."""
        found = torch.full((len(states),), -1, device=states.device)
        for number, (attractor, near) in enumerate(zip(self.attractors, self.near, strict=True)):
            found[attractor.distance(states) <= near] = number
        return found


def basins(
    here: Autonomous, attractors: tuple[Attractor, ...], others: Float[Tensor, "F N"] | None = None
) -> Basins:
    """The basins of the attractors; `others` are points that stay but do not attract."""
    near = []
    for number, attractor in enumerate(attractors):
        rest = [it.points for k, it in enumerate(attractors) if k != number]
        known = torch.cat([*rest, *([] if others is None else [others])] or [attractor.points[:0]])
        scale = max(1.0, float(attractor.points.norm(dim=1).max()))
        away = float(attractor.distance(known).min()) if len(known) else scale
        near.append(_NEAR * min(away, scale))
    return Basins(here, attractors, tuple(near))


def settle(here: Autonomous, starts: Float[Tensor, "M N"], period: int, steps: int) -> Settled:
    """Iterate every start until it has come to an attractor, at most `steps` times."""
    attractors: list[Attractor] = []
    counts: list[int] = []
    s, escaped = starts, 0
    for _ in range(max(1, steps // _BLOCK)):
        for _ in range(_BLOCK):
            s = here.step(s)
        inside = s.isfinite().all(1) & (s.abs().amax(1) < _HUGE)
        escaped += int((~inside).sum())
        s = s[inside]
        returns = _returns(here, s, period)
        for p in sorted(set(returns[returns > 0].tolist())):
            candidates = s[returns == p]
            for attractor in _new(here, candidates[distinct(candidates, 1e4)], p):
                if all(float(it.distance(attractor.points[:1])) > 1e-6 for it in attractors):
                    attractors.append(attractor)
                    counts.append(0)
        held = basins(here, tuple(attractors)).held(s)
        for number in range(len(attractors)):
            counts[number] += int((held == number).sum())
        s = s[held < 0]
        if not len(s):
            break
    order = sorted(range(len(attractors)), key=lambda n: (attractors[n].period, -counts[n]))
    return Settled(
        attractors=tuple(attractors[n] for n in order),
        counts=tuple(counts[n] for n in order),
        wandering=int((~at_rest(here, s)).sum()),
        escaped=escaped,
    )


def _returns(here: Autonomous, states: Tensor, period: int) -> Int[Tensor, " M"]:
    """The least number of steps after which each state is back; 0 where it is not."""
    found, after = torch.zeros(len(states), dtype=torch.long, device=states.device), states
    near = _RETURN * states.norm(dim=1).clamp(min=1.0)
    for p in range(1, period + 1):
        after = here.step(after)
        back: Bool[Tensor, " M"] = (after - states).norm(dim=1) <= near
        found[back & (found == 0)] = p
    return found


def _new(here: Autonomous, candidates: Tensor, period: int) -> list[Attractor]:
    """The candidates that are attractors, each made exact and each cycle once."""
    exact, done = newton(here, candidates, period)
    exact = exact[done]
    made: list[Attractor] = []
    for state in exact[distinct(exact)]:
        if any(float(it.distance(state[None])) <= 1e-6 for it in made):
            continue  # another point of the same cycle
        orbit = [state[None]]
        for _ in range(period - 1):
            orbit.append(here.step(orbit[-1]))
        # a slow spiral is nearly back after a few steps, and Newton then ends on its centre
        near = tolerance(state) * max(1.0, float(state.norm()))
        apart = [float((after - state).norm()) > near for after in orbit[1:]]
        least = period if all(apart) else 1 + apart.index(False)
        _, product = here.iterated(state[None], least)
        eigenvalues = torch.linalg.eigvals(product[0])
        if float(eigenvalues.abs().max()) < 1 - edge(state):
            made.append(Attractor(torch.cat(orbit[:least]), eigenvalues))
    return made
