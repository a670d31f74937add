"""Whether a state holds its bit robustly, what noise it survives, and what that costs the error.

    (1)  a_t = M(a_{t-1}) + u_t,   M the map under a constant input
    (2)  a state is robustly latched to the attractor X where it lies in Gamma(X): every
         (M^l)'(a), l >= 1, has all eigenvalues inside the unit circle
    (3)  h* = the smallest constant push that destroys the attractor or kicks the state out of its
         basin, in the cheapest direction found: once added to the state, once to the input
    (4)  noise survived = the deviation of u_t at which 5 % of the runs have flipped in the end
    (5)  rate = ln rho(M'(X)), per step: what becomes of the error that is sent back through X

Axes: A attractors, S deviations of the noise, C times, T sampled steps of the batch.

How to read it: the dilemma is the chart of (4) against (5). To survive more noise the map must
contract more around the attractor, and what contracts noise going forward contracts the error going
back. One unit a = w tanh(a) + h shows it whole: at w = 1.05 it stands h* = 0.007, and of the error
0.91 is left a step; at w = 3 it stands 1.3, and 0.03 is left. A bit that is safe and an error that
lives need a state that is not an attractor in every direction (a gated carousel), or a learner
that needs no gradient.

With one attractor no bit is held. Cycles count as attractors; (3) and (4) are of fixed points.

Reference: Bengio, Simard and Frasconi 1994, definitions 3 to 5 and theorems 1 to 4. Dobson 1993
(the closest loss of a fixed point).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import WrongUsage, expect
from ..flow import Chart, Finding, Line, Measurement, Number, Remedy, Series, Trace
from ._analysis import Analysis
from ._autonomous import conditions, driven, followed
from ._contraction import EXACT, PATIENCE
from ._decay import LN2, decay
from ._held_bits import FLIPPED, MOST, held_bits
from ._survey import survey


@dataclass(frozen=True)
class Latching(Analysis):
    """Robust latching, the noise a bit survives, and the error's rate at the same state.

    Args:
        noises: deviations of the noise; by default shares of the distance between attractors.
        times: after how many steps flips are counted.
        runs: how many noisy runs for each deviation; by default 512, fewer for large states.
        input: the constant input, one number each; by default the mean of the batch.
        starts: how many states are followed to find the attractors; by default as `Attractors`.
        steps: how long a state may take to settle.
        seed: of the starts and of the noise.
    """

    noises: tuple[float, ...] | None = None
    times: tuple[int, ...] = (10, 50, 100)
    runs: int | None = None
    input: tuple[float, ...] | None = None
    starts: int | None = None
    steps: int = 1000
    seed: int = 0

    depth = "deep"
    of_motion = True

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, runs=1 if self.runs is None else self.runs, steps=self.steps)
        expect(2, starts=2 if self.starts is None else self.starts)
        expect(0, seed=self.seed)
        if not self.times or min(self.times) < 1 or list(self.times) != sorted(set(self.times)):
            raise WrongUsage(
                f"times came as {self.times}, expected rising whole numbers of steps; "
                "try times=(10, 50, 100)."
            )
        noises = (1.0,) if self.noises is None else self.noises
        if not noises or min(noises) <= 0 or list(noises) != sorted(set(noises)):
            raise WrongUsage(
                f"noises came as {self.noises}, expected rising deviations above 0; "
                "try noises=(0.1, 0.2, 0.4)."
            )

    def applies(self, trace: Trace) -> bool:
        return bool(followed(trace))

    def measure(self, trace: Trace) -> Measurement:
        blocks: dict[str, Measurement] = {}
        for path, here in driven(trace, self.input, "Latching"):
            found = survey(here, starts=self.starts, steps=self.steps, seed=self.seed)
            fields = held_bits(
                found,
                noises=self.noises,
                times=self.times,
                runs=self.runs,
                steps=self.steps,
                seed=self.seed,
            )
            curve = decay(path.log_norm[""], draws=trace.draws)
            fields["adjoint_rate"] = None if curve is None else curve.rate
            blocks[path.name] = Measurement(path.name, "How a bit is held.", fields)
        most = max(blocks, key=lambda name: len(blocks[name].rate))
        fields = {**blocks[most].fields, "path": most, "needs": trace.needs, "floor": trace.floor}
        return Measurement(
            name="latching",
            summary="What noise a stored bit survives, beside the error's rate at the same state.",
            fields=fields,
            blocks=blocks,
            charts=_charts(fields),
            numbers=_numbers(fields),
            conditions=(
                *conditions(trace, self.input),
                f"noise on the state, {fields['runs']} runs for each deviation; at most {MOST} "
                "stable fixed points, the most reached",
                "h* is that of the cheapest direction tried; with more than "
                f"{EXACT} numbers in the state of few directions, and on the input alone",
                f"such a state has at most {PATIENCE} steps to settle",
            ),
        )

    def judge(self, measurement: Measurement) -> Finding:
        m = measurement
        latched = f"{m.latched[-1]:.0%} of the rows are robustly latched at the last step"
        if len(m.rate) < 2:
            count = len(m.rate) or "no"
            claim = f"{m.path} holds no bit under a constant input: it has {count} attractor"
            return Finding("latching", claim + ("" if len(m.rate) else "s"), latched)
        slowest = float(max(m.rate))
        fading = f"the error fades at {slowest:+.3g} a step or faster "
        fading += f"(half-life {LN2 / -slowest:.3g} steps)"
        if np.isneginf(slowest):
            fading = "nothing of an error is left"
        claim = f"{m.path} holds a bit in {len(m.rate)} attractors, at which {fading}"
        if len(m.noise_survived):
            claim += f"; it survives noise of {_least(m.noise_survived, m.survived_at_least)}"
        pushes = m.critical_push if len(m.critical_push) else m.critical_input
        at_least = m.push_at_least if len(m.critical_push) else m.input_at_least
        if len(pushes):
            latched += f"; the smallest constant push that loses it is {_least(pushes, at_least)}"
        drowned = m.needs is not None and slowest * m.needs < np.log(m.floor)
        remedies = (
            Remedy(
                "a state that is held by a gate and not by an attractor: LSTM",
                "the error of a held bit is gone after "
                f"{max(1, round(np.log(m.floor) / slowest))} steps",
            ),
            Remedy(
                "a learner that needs no gradient through the attractor: DiscreteError, "
                "ExpectationMaximization, Guessing",
                "the map contracts noise and error alike",
            ),
        )
        return Finding(
            "latching",
            claim,
            latched,
            "watch" if drowned else "ok",
            remedies=remedies if drowned else (),
        )


def _least(values: np.ndarray, at_least: np.ndarray) -> str:
    place = int(np.argmin(values))
    return f"{'at least ' if at_least[place] else ''}{values[place]:.3g}"


def _numbers(fields: dict[str, Any]) -> tuple[Number, ...]:
    numbers = [Number("Attractors", str(len(fields["rate"])))]
    if len(fields["noise_survived"]):
        least = _least(fields["noise_survived"], fields["survived_at_least"])
        note = f"deviation at which {FLIPPED:.0%} flip in {fields['times'][-1]:.0f} steps"
        numbers.append(Number("Noise survived", least, note))
    if len(fields["rate"]):
        slowest = max(fields["rate"])
        told = "all lost" if np.isneginf(slowest) else f"{slowest:+.3g}"
        numbers.append(Number("Rate there", told, "per step, the slowest"))
    return tuple(numbers)


def _charts(fields: dict[str, Any]) -> tuple[Chart, ...]:
    along = Chart(
        title="Robustly latched states along the batch",
        x="at",
        x_label="step",
        y_label="share of rows",
        unit="share",
        series=(Series("robustly latched", "latched"),),
    )
    if not len(fields["noise_survived"]):
        return (along,)
    dilemma = Chart(
        title="The dilemma: the noise a bit survives, and the error's rate there",
        x="noise_survived",
        x_label="deviation of the noise that the bit survives",
        y_label="ln of the spectral radius at the attractor, per step",
        unit="",
        series=(Series("attractors", "rate_survived"),),
        lines=(Line("y", 0.0, "the error neither fades nor grows"),),
        caption="One point for each attractor, from the least safe to the safest.",
        joined=False,
    )
    flipped = Chart(
        title="Flips by noise",
        x="noises",
        x_label="deviation of the noise",
        y_label="share of runs that flipped",
        unit="share",
        series=(Series(f"after {fields['times'][-1]:.0f} steps, worst attractor", "flipped"),),
    )
    return dilemma, flipped, along
