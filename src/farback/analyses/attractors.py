"""What a net can come to rest in when its input stays constant, and what divides these places.

    (1)  M(s) = F(s, x),   x constant: the mean input of the batch, or one given
    (2)  fixed point: M(s) = s.   Cycle of period p: M^p(s) = s, and no fewer steps do
    (3)  the eigenvalues of the Jacobian J of M^p at s: all inside the unit circle is an attractor,
         some outside a saddle, all outside a repeller
    (4)  rate = ln |largest eigenvalue| / p, per step: how fast an error fades (or grows) there

Axes: F fixed points, N state, U unstable directions.

How to read it: an attractor is a place where a state can stay, so two of them can hold a bit. What
separates their basins are the saddles and their unstable directions, which lead from one to the
other. The more negative the rate at an attractor, the safer the state and the shorter the
error's life: the dilemma that `latching` measures. A slow point is where an attractor almost is: an
orbit stays long, but not for ever. With one attractor alone the net forgets every start.

Cycles are found by forward iteration, so only stable ones; fixed points from every start by going
down |M(s) - s|^2 / 2 and then by Newton's iteration, and none is listed whose residual is above
rounding. The sum of the indices is 1 where all have been found and the map keeps a ball; another
sum tells that some were missed.

Reference: Sussillo and Barak 2013; Golub and Sussillo 2018; Bengio, Simard and Frasconi 1994
(hyperbolic attractors).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import expect
from ..flow import Chart, Finding, Line, Measurement, Number, Remedy, Series, Trace
from ._analysis import Analysis
from ._autonomous import conditions, driven, followed
from ._survey import Survey, survey

_DIRECTIONS = 32


@dataclass(frozen=True)
class Attractors(Analysis):
    """Fixed points and stable cycles under a constant input.

    Args:
        starts: how many states are followed, half the batch's own, half moved from them; by default
            256, fewer with more than 64 numbers in the state.
        period: the longest cycle that is looked for.
        input: the constant input, one number each; by default the mean of the batch.
        steps: how long a start may take to settle.
        spread: how far starts are moved, in standard deviations of the batch's states or in ones,
            whichever is more.
        slow: a slow point's speed is at most this share of that distance.
        seed: of the moves.
    """

    starts: int | None = None
    period: int = 8
    input: tuple[float, ...] | None = None
    steps: int = 1000
    spread: float = 1.0
    slow: float = 0.05
    seed: int = 0

    depth = "deep"
    of_motion = True

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(2, starts=2 if self.starts is None else self.starts)
        expect(1, period=self.period, steps=self.steps)
        expect(0, spread=self.spread, slow=self.slow, seed=self.seed)

    def applies(self, trace: Trace) -> bool:
        return bool(followed(trace))

    def measure(self, trace: Trace) -> Measurement:
        found = {
            path.name: survey(
                here,
                starts=self.starts,
                period=self.period,
                steps=self.steps,
                spread=self.spread,
                slow=self.slow,
                seed=self.seed,
            )
            for path, here in driven(trace, self.input, "Attractors")
        }
        blocks = {
            name: Measurement(name, "What stays under a constant input.", _fields(one))
            for name, one in found.items()
        }
        most = max(found, key=lambda name: len(found[name].attractors))
        return Measurement(
            name="attractors",
            summary="Fixed points and stable cycles of the map under a constant input.",
            fields={**blocks[most].fields, "path": most},
            blocks=blocks,
            charts=(_chart(),) if len(blocks[most].rate) else (),
            numbers=_numbers(found[most]),
            conditions=(
                *conditions(trace, self.input),
                f"{found[most].starts} starts iterated up to {self.steps} steps, for stable cycles "
                f"up to period {self.period}; fixed points sought from {found[most].searched}",
            ),
        )

    def judge(self, measurement: Measurement) -> Finding:
        m = measurement
        stable = sum(kind == "attractor" for kind in m.kinds)
        neutral = sum(kind == "marginal" for kind in m.kinds)
        rates = np.concatenate([m.rate[:stable], m.cycle_rates])
        parts = (
            _count(stable, "stable fixed point"),
            _count(len(m.cycle_periods), "stable cycle"),
            _count(len(m.kinds) - stable - neutral, "unstable fixed point"),
        )
        claim = f"under a constant input {m.path} has {', '.join(parts[:2])} and {parts[2]}"
        if neutral:
            claim += f", and {_count(neutral, 'fixed point')} on the edge of stability"
        evidence = _count(len(m.slow_speeds), "slow point")
        if len(rates):
            evidence += f"; {_fading(rates)}"
        if m.wandering:
            evidence += f"; {m.wandering:.0%} of the starts did not settle"
        if m.not_isolated:
            evidence += "; some points at rest are not isolated: a continuum of them"
        remedies: tuple[Remedy, ...] = ()
        if m.escaped:
            evidence += f"; {m.escaped:.0%} of the starts grow without end"
        if len(rates) == 1 and not (m.wandering or m.escaped or m.not_isolated):
            claim += ": whatever the start, it is forgotten"
            remedies = (
                Remedy(
                    "a state that can hold a bit: a self-weight above one (LatchingNeuron) or a "
                    "forget gate near one (LSTM)",
                    f"the one attractor draws every state in; {_fading(rates)}",
                ),
            )
        return Finding("attractors", claim, evidence, remedies=remedies)


def _fading(rates: Float[np.ndarray, " A"]) -> str:
    left = rates[np.isfinite(rates)]
    lost = f"at {len(rates) - len(left)} of the attractors nothing of an error is left"
    told = [] if len(left) == len(rates) else [lost]
    if len(left):
        one, low, high = len(left) == 1, f"{left.min():+.3g}", f"{left.max():+.3g}"
        told.append(f"rate {low}" if one else f"rates at the attractors {low} to {high}")
        told[-1] += " a step"
    return "; ".join(told)


def _fields(one: Survey) -> dict[str, Any]:
    stable = [it for it in one.attractors if it.period == 1]
    cycles = [it for it in one.attractors if it.period > 1]
    eigenvalues = [it.eigenvalues for it in stable] + [it.eigenvalues for it in one.others]
    states = [it.points[0] for it in stable] + [it.state for it in one.others]
    moduli = [v.abs().sort(descending=True).values for v in eigenvalues]
    which, directions = _directions(one, len(stable))
    index = [_index(values) for values in eigenvalues]
    return {
        "input": _array(one.here.x),
        "points": _stacked(states),
        "kinds": ["attractor"] * len(stable) + [it.kind for it in one.others],
        "moduli": _stacked(moduli),
        "number": np.arange(len(states), dtype=float),
        "rate": np.array([float(v[0].double().log()) for v in moduli]),
        "index": np.array(index, dtype=float),
        "index_sum": sum(index),
        "unstable_of": np.array(which, dtype=float),
        "unstable_directions": directions,
        "cycle_periods": np.array([it.period for it in cycles], dtype=float),
        "cycle_rates": np.array([it.rate for it in cycles]),
        "cycles": [_array(it.points) for it in cycles],
        "reached": np.array(one.settled.counts, dtype=float) / one.starts,
        "wandering": one.settled.wandering / one.starts,
        "escaped": one.settled.escaped / one.starts,
        "slow_points": _array(one.found.slow),
        "slow_speeds": _array(one.found.speeds),
        "not_isolated": one.found.continuous,
    }


def _directions(one: Survey, first: int) -> tuple[list[int], np.ndarray]:
    """The unstable directions, and of which point each is; those with the fewest come first."""
    which: list[int] = []
    found: list[Tensor] = []
    for number, point in enumerate(one.others):
        rows = point.directions() if point.unstable else point.state.new_zeros(0, one.here.size)
        if len(which) + len(rows) > _DIRECTIONS:
            break
        which += [first + number] * len(rows)
        found += [*rows]
    return which, _stacked(found)


def _index(eigenvalues: Tensor) -> int:
    """The sign of det(I - J): -1 to the number of real eigenvalues beyond one."""
    real = eigenvalues.imag.abs() == 0
    return -1 if int((real & (eigenvalues.real > 1)).sum()) % 2 else 1


def _stacked(rows: list[Tensor]) -> np.ndarray:
    return _array(torch.stack(rows)) if rows else np.zeros((0,))


def _array(values: Tensor) -> np.ndarray:
    return values.detach().cpu().double().numpy()


def _chart() -> Chart:
    return Chart(
        title="How fast an error grows or fades where the state can stay",
        x="number",
        x_label="fixed point (attractors first)",
        y_label="rate: nats per step",
        unit="",
        series=(Series("rate", "rate"),),
        lines=(Line("y", 0.0, "below: attracts"),),
        joined=False,
    )


def _numbers(one: Survey) -> tuple[Number, ...]:
    stable = sum(it.period == 1 for it in one.attractors)
    longest = max((it.period for it in one.attractors), default=1)
    return (
        Number(
            "Attractors",
            str(len(one.attractors)),
            f"of them fixed points: {stable}; the longest period: {longest}",
        ),
        Number(
            "Saddles", str(len(one.saddles)), f"of points that do not attract: {len(one.others)}"
        ),
        Number("Slow points", str(len(one.found.slow))),
    )


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
