"""Lyapunov exponents: how fast small changes of the state grow or shrink, by direction.

    (1)  V_{p+1} = J_p Q_p,   V_{p+1} = Q_{p+1} R_{p+1}     orthogonal again after every m steps
    (2)  exponent i = mean over steps of ln |R_ii|,   from the largest down

J is of the whole state: of an LSTM that is h and c side by side. The h block alone leaves out the
path along which c carries, and tells of a far shorter memory than the net has.

With all N directions Q_0 is the identity, else random. The first `burn` steps turn the directions
into place and do not count. Every row is cut into windows of equal length; the interval (95 %) is
Student's for the mean of their exponents, taken as independent. Exponents are finite-time ones: of
this batch, over its T steps.

Axes: p steps, V [K, N] directions. Units: nats a step.

How to read it: the error goes back through the same Jacobians, so it shrinks or grows by
exp(largest exponent) a step in the long run; ln 2 / -exponent is its half-life. All below zero: the
net forgets where it began, and every error fades. Above zero: nearby states part, the gradient
explodes over long sequences, and what can be foreseen ends after about ln 2 / exponent steps. Near
zero: something is carried. The sum of all is the mean ln |det J|: how fast volumes shrink.

Reference: Oseledets 1968; Benettin et al. 1980 (by QR); for recurrent nets Vogt et al. 2020,
Mikhaeil et al. 2022, Engelken et al. 2023.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import t as student

from ..errors import WrongUsage, expect
from ..flow import Chart, Finding, Line, Measurement, Number, Remedy, Series, Trace
from ..flow.motion import Motion
from ._analysis import Analysis
from ._decay import LN2
from ._orthogonal import orthogonal, started

_WINDOWS = 10


@dataclass(frozen=True)
class Lyapunov(Analysis):
    """The spectrum of exponents of each path.

    Args:
        k: how many exponents, from the largest; None is all of them.
        every: steps between two orthogonalisations.
        burn: steps before the count begins; None is a tenth of the batch's.
        seed: of the first directions, where they are random.
    """

    k: int | None = 10
    every: int = 1
    burn: int | None = None
    seed: int = 0

    depth = "deep"
    of_motion = True

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, every=self.every, k=1 if self.k is None else self.k)
        expect(0, burn=self.burn or 0)

    def applies(self, trace: Trace) -> bool:
        return bool(trace.moving)

    def measure(self, trace: Trace) -> Measurement:
        found = {path.name: self._fields(motion) for path, motion in trace.moving}
        leading = max(found, key=lambda name: found[name]["exponents"][0])
        fields = found[leading]
        return Measurement(
            name="lyapunov",
            summary="How fast a small change of the state grows or shrinks, by direction.",
            fields={**fields, "path": leading},
            blocks={
                name: Measurement(name, "One chain of states.", own) for name, own in found.items()
            },
            charts=(_chart(leading, found),),
            numbers=_numbers(fields),
            conditions=(
                f"{trace.dtype}",
                f"{fields['steps']} steps of each row after {fields['burn']} that do not count",
                f"orthogonal again every {self.every} step{'s' if self.every > 1 else ''}",
                f"over {fields['samples']} windows (rows x time)",
            ),
        )

    def judge(self, measurement: Measurement) -> Finding:
        m = measurement
        first, low, high = m.exponents[0], m.low[0], m.high[0]
        told, counted = f"{first:+.3g} a step", _counted(m.exponents)
        if m.lost:
            where = "" if m.lost == 1 else f"in {m.lost:.0%} of the windows "
            claim = f"{m.path}: {where}every change of the state is lost within the batch"
            return Finding(m.name, claim, f"{m.samples} windows (rows x time); {counted}")
        span = f"95 % interval {low:+.3g} to {high:+.3g}; {counted}"
        if low > 0:
            return Finding(
                analysis=m.name,
                claim=f"{m.path} is unstable: its largest exponent is {told}, so that nearby "
                f"states part by a factor of two every {LN2 / first:.3g} steps",
                evidence=span,
                severity="watch",
                remedies=(
                    Remedy(
                        f"train on stretches of about {max(1, round(LN2 / first))} steps, from "
                        "states that are known (teacher forcing), and clip the gradient",
                        "beyond that time the state cannot be foreseen, and its gradient explodes",
                    ),
                ),
            )
        if high < 0:
            faded = f"a change of the state halves every {LN2 / -first:.3g} steps"
        else:
            faded = "a change of the state is carried on, neither growing nor fading"
        return Finding(m.name, f"{m.path}: {faded} (largest exponent {told})", span)

    def _fields(self, motion: Motion) -> dict[str, Any]:
        steps, size = len(motion.inputs), motion.states.shape[-1]
        burn = steps // 10 if self.burn is None else self.burn
        if burn >= steps:
            raise WrongUsage(
                f"burn is {burn}, and the batch has {steps} steps: fewer were expected."
            )
        count = size if self.k is None else min(self.k, size)
        windows = min(_WINDOWS, steps - burn)
        samples = np.stack(list(self._windows(motion, count, burn, windows)))
        samples = samples.reshape(-1, count)
        samples = samples[~np.isnan(samples).any(1)]
        mean = samples.mean(0)
        order = np.argsort(-mean, kind="stable")
        half = _half_width(samples)
        whole = count == size
        return {
            "index": np.arange(1.0, count + 1),
            "exponents": mean[order],
            "low": (mean - half)[order],
            "high": (mean + half)[order],
            "half_life": LN2 / -float(mean.max()) if mean.max() < 0 else None,
            "sum": float(mean.sum()) if whole else None,
            "dimension": _dimension(mean[order], whole=whole),
            "steps": steps - burn,
            "burn": burn,
            "samples": len(samples),
            "lost": float(np.isneginf(samples).all(1).mean()),
            "state": size,
        }

    def _windows(
        self, motion: Motion, count: int, burn: int, windows: int
    ) -> Iterator[Float[np.ndarray, "B K"]]:
        """The exponents of each window and row; NaN where a row has no step in it."""
        steps, rows, size = len(motion.inputs), *motion.states.shape[1:]
        edges = np.linspace(burn, steps, windows + 1).round().astype(int)
        directions = started(count, rows, size, like=motion.states, seed=self.seed)
        growth = torch.zeros(rows, count, dtype=torch.float64)
        moved = torch.zeros(rows, 1, dtype=torch.float64)
        for p, here in enumerate(motion.along()):
            directions = here.push(directions)
            moved += 1.0 if motion.valid is None else motion.valid[p].cpu().double()[:, None]
            ends = p + 1 in edges
            if ends or (p + 1) % self.every == 0:
                directions, grown = orthogonal(directions)
                growth += grown.cpu()
            if ends:
                if p + 1 > burn:
                    yield (growth / torch.where(moved > 0, moved, torch.nan)).numpy()
                growth, moved = torch.zeros_like(growth), torch.zeros_like(moved)


def _half_width(samples: Float[np.ndarray, "S K"]) -> np.ndarray:
    """Half of Student's 95 % interval of each mean; 0 where all agree, as for one sample."""
    if len(samples) < 2:
        return np.zeros(samples.shape[1])
    with np.errstate(invalid="ignore"):
        spread = samples.std(0, ddof=1) / np.sqrt(len(samples))
    return np.nan_to_num(spread) * student.ppf(0.975, len(samples) - 1)


def _dimension(exponents: np.ndarray, *, whole: bool) -> float | None:
    """The dimension of Kaplan and Yorke 1979: where the sum of the exponents would reach zero.

    None where not enough exponents are known.
    """
    if not len(exponents) or exponents[0] < 0:
        return 0.0
    sums = np.cumsum(exponents)
    last = int(np.flatnonzero(sums >= 0)[-1])
    if last + 1 == len(exponents):
        return float(len(exponents)) if whole else None
    return last + 1 + float(sums[last] / -exponents[last + 1])


def _counted(exponents: np.ndarray) -> str:
    above = int((exponents > 0).sum())
    return f"{above} of the {len(exponents)} measured are above zero"


def _chart(leading: str, found: dict[str, dict[str, Any]]) -> Chart:
    others = [name for name in found if name != leading][:5]
    return Chart(
        title="Lyapunov exponents",
        x="index",
        x_label="exponent, from the largest",
        y_label="nats a step",
        unit="",
        series=(
            Series(leading, "exponents", "low", "high"),
            *(Series(name, "exponents", "low", "high", block=name) for name in others),
        ),
        lines=(Line("y", 0.0, "neither grows nor shrinks"),),
        caption="Finite-time exponents of the whole state; the band is a 95 % interval.",
    )


def _numbers(fields: dict[str, Any]) -> tuple[Number, ...]:
    first, low, high = (float(fields[name][0]) for name in ("exponents", "low", "high"))
    life = fields["half_life"]
    if fields["lost"]:
        return (Number("Largest exponent", "none", "every change of the state is lost"),)
    return (
        Number(
            "Largest exponent", f"{first:+.3g} a step", f"95 % interval {low:+.3g} to {high:+.3g}"
        ),
        Number("Half-life of a change", "none" if life is None else f"{life:.3g} steps"),
    )
