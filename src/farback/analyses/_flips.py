"""How often noise moves a state from one basin to another.

    (1)  a_t = M(a_{t-1}) + u_t,   every entry of u_t normal with deviation sigma

Every run begins at an attractor. At some times it is asked to which attractor the state would come
if the noise stopped; a run that would come to another has flipped. The deviations share their
random numbers, so that the flip rates differ by them alone.

    (2)  escape time = observed steps / exits; a run is observed until its first exit that is seen

Axes: A attractors, S deviations, C times, R runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from ._settling import Basins

_LOOKS = 10


@dataclass(frozen=True)
class Flips:
    """Of one attractor: the share of runs that have flipped [S, C], and (2) [S]."""

    rate: Float[np.ndarray, "S C"]
    escape: Float[np.ndarray, " S"]


def flips(
    basins: Basins,
    number: int,
    noises: Float[np.ndarray, " S"],
    times: tuple[int, ...],
    *,
    runs: int,
    steps: int,
    seed: int,
) -> Flips:
    """(1) and (2) for the attractor `number`; where no run leaves, (2) is all steps observed."""
    state = basins.attractors[number].points[0]
    sigma = torch.as_tensor(noises).to(state)
    s = state.expand(len(noises), runs, -1)
    draw = torch.Generator().manual_seed(seed)
    last = max(times)
    looks = sorted({*times, *(max(1, last * n // _LOOKS) for n in range(1, _LOOKS + 1))})
    rates, before = {}, 0
    inside = torch.ones(len(noises), runs, dtype=torch.bool, device=state.device)
    observed = torch.zeros(len(noises), dtype=torch.float64, device=state.device)
    for look in looks:
        for _ in range(look - before):
            u = torch.randn(runs, len(state), generator=draw, dtype=torch.float64).to(state)
            s = basins.here.step(s.flatten(0, 1)).unflatten(0, s.shape[:2])
            s = s + sigma[:, None, None] * u
        which, _ = basins.of(s.flatten(0, 1), steps)
        gone = ((which != number) & (which >= 0)).unflatten(0, s.shape[:2])
        observed += inside.sum(1) * (look - before)
        inside &= ~gone
        rates[look] = gone.double().mean(1)
        before = look
    exits = (~inside).sum(1).clamp(min=1)
    return Flips(
        np.stack([rates[time].cpu().numpy() for time in times], 1),
        (observed / exits).cpu().numpy(),
    )


def survived(
    noises: Float[np.ndarray, " S"], rate: Float[np.ndarray, " S"], share: float
) -> tuple[float, bool]:
    """The deviation at which that share has flipped, between two tried by the logs of both.

    The second is whether it is only known to be at least (the largest tried flips fewer). Below the
    least tried it is on the line from there to none, from below: rates fall faster than the noise.
    """
    over = np.flatnonzero(rate > share)
    if not len(over):
        return float(noises[-1]), True
    first = int(over[0])
    if not first:
        return float(noises[0]) * share / float(rate[0]), False
    low, high = max(float(rate[first - 1]), 1e-6), float(rate[first])
    part = np.log(share / low) / np.log(high / low)
    return float(noises[first - 1] * (noises[first] / noises[first - 1]) ** part), False
