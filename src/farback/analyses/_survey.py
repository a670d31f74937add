"""What stays under an autonomous map: attractors, saddles, repellers, slow points.

Starts are states of the batch, and as many moved by a normal deviate. All are iterated; some of
them, evenly spaced, and points on the way from each attractor to the next are also led down q
(fixed points that repel are found by this alone).

    (1)  index of a fixed point = sign det(I - J);  the sum over all is 1 where a ball is mapped
         into itself, so that another sum tells of points that were missed

Axes: M starts, F fixed points, N state.

Reference: (1) Lefschetz 1926; Hopf 1929.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import torch
from jaxtyping import Float
from torch import Tensor

from ._autonomous import Autonomous, spaced, visited
from ._fixed_points import Found, distinct, edge, fixed_points, tolerance
from ._settling import Attractor, Basins, Settled, basins, settle

_SEARCHED = 2**20
"""The number of searches times N^2 stays below, but for a least number of them."""

_STARTS = 256
_STARTED = 2**14
"""Without a number asked for, starts times N stays below, and there are at most so many."""

_FEWEST = 8
_PAIRS = 64
_ON_THE_WAY = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class FixedPoint:
    """One fixed point that does not attract, with the eigenvalues [N] and eigenvectors of J."""

    state: Float[Tensor, " N"]
    eigenvalues: Tensor
    eigenvectors: Tensor

    @property
    def unstable(self) -> int:
        """How many eigenvalues lie outside the unit circle."""
        return int(self._outside().sum())

    @property
    def kind(self) -> str:
        """By where its eigenvalues lie."""
        if self.unstable == len(self.eigenvalues):
            return "repeller"
        return "saddle" if self.unstable else "marginal"

    def directions(self) -> Float[Tensor, "U N"]:
        """Unit vectors that span what grows; of a complex pair its plane."""
        outside = self._outside()
        found = []
        for value, vector in zip(
            self.eigenvalues[outside], self.eigenvectors.T[outside], strict=True
        ):
            if float(value.imag) >= 0:
                found.append(vector.real)
            if float(value.imag) > 0:
                found.append(vector.imag)
        return torch.stack([v / v.norm() for v in found])

    def _outside(self) -> Tensor:
        return self.eigenvalues.abs() > 1 + edge(self.state)


@dataclass(frozen=True)
class Survey:
    """All that was found from so many starts, of which some were searched from."""

    here: Autonomous
    settled: Settled
    others: tuple[FixedPoint, ...]
    found: Found
    starts: int
    searched: int

    @property
    def attractors(self) -> tuple[Attractor, ...]:
        """Stable fixed points, then cycles; of each the most reached first."""
        return self.settled.attractors

    @property
    def saddles(self) -> tuple[FixedPoint, ...]:
        """Those that some directions lead to and others away from, the fewest away first."""
        return tuple(it for it in self.others if it.kind == "saddle")

    @property
    def basins(self) -> Basins:
        """The basins of the attractors."""
        rest = [it.state for it in self.others]
        return basins(self.here, self.attractors, torch.stack(rest) if rest else None)


def survey(
    here: Autonomous,
    *,
    starts: int | None = None,
    period: int = 8,
    steps: int = 1000,
    spread: float = 1.0,
    slow: float = 0.05,
    seed: int = 0,
) -> Survey:
    """Everything that stays, as far as the starts lead to it."""
    several = min(_STARTS, max(_FEWEST, _STARTED // here.size))
    begun = _starts(here, starts or several, spread, seed)
    settled = settle(here, begun, period, steps)
    still = [it.points for it in settled.attractors if it.period == 1]
    count = min(len(begun), max(_FEWEST, _SEARCHED // here.size**2))
    sought = torch.cat([spaced(begun, count), *still, *_on_the_way(settled.attractors)])
    found = fixed_points(here, sought, slow * float(_width(here, spread).norm()))
    missed, others = [], []
    for state in found.points:
        if still and float((torch.cat(still) - state).norm(dim=1).min()) <= tolerance(state) * max(
            1.0, float(state.norm())
        ):
            continue
        eigenvalues, eigenvectors = torch.linalg.eig(here.jacobian(state[None])[0])
        if float(eigenvalues.abs().max()) < 1 - edge(state):
            missed.append(Attractor(state[None], eigenvalues))
        else:
            others.append(FixedPoint(state, eigenvalues, eigenvectors))
    settled = Settled(
        (*settled.attractors, *missed),
        (*settled.counts, *(0 for _ in missed)),
        settled.wandering,
        settled.escaped,
    )
    others.sort(key=lambda it: it.unstable)
    return Survey(here, settled, tuple(others), found, len(begun), len(sought))


def _starts(here: Autonomous, count: int, spread: float, seed: int) -> Float[Tensor, "M N"]:
    """States of the batch, each once, and as many again that are moved."""
    states = visited(here.motion)
    half = spaced(states, max(1, count // 2))
    draw = torch.Generator().manual_seed(seed)
    moved = spaced(states, count) if len(states) >= count else half[torch.arange(count) % len(half)]
    moved = moved[: max(1, count - len(half))]
    noise = torch.randn(moved.shape, generator=draw, dtype=torch.float64).to(moved)
    whole = torch.cat([half, moved + _width(here, spread) * noise])
    return whole[distinct(whole[: len(half)]).tolist() + list(range(len(half), len(whole)))]


def _width(here: Autonomous, spread: float) -> Float[Tensor, " N"]:
    """How far starts are moved: by the batch's own spread, or by one where that is less."""
    return spread * visited(here.motion).std(0, correction=0).clamp(min=1.0)


def _on_the_way(attractors: tuple[Attractor, ...]) -> list[Tensor]:
    """Points between two attractors, where a saddle may lie."""
    pairs = list(combinations([it.points[0] for it in attractors], 2))[:_PAIRS]
    return [torch.stack([a + share * (b - a) for share in _ON_THE_WAY]) for a, b in pairs]
