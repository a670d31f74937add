"""How fast a Markovian model forgets the state that it was in, and with it whom to credit.

    (1)  p_{t+1} = A_t^T p_t,   A_t stochastic: its rows sum to one, no entry is negative
    (2)  a_{t-q} = A_{t-q} ... A_{t-1} a_t = P_q a_t        the adjoint at lag q
    (3)  tau_1(P) = 1/2 max_ij sum_k |P_ik - P_jk|         Dobrushin
    (4)  tau_B(P) = tanh(D / 4)                            Birkhoff, D the widest ratio of two rows
    (5)  tau(P P') <= tau(P) tau(P'),   0 <= tau <= 1,   0 where all rows are equal, and only there
    (6)  max a_{t-q} - min a_{t-q} <= tau_1(P_q) (max a_t - min a_t)

Axes: q lag in steps, on the axis of the adjoint; A_t is the transposed Jacobian of the step.

How to read it: a product of stochastic matrices loses rank. Once the rows of P_q are equal, the end
is as likely whatever the state was q steps before, so no error at the end can tell these states
apart: credit is spread evenly over all. The adjoint does not show it: (6) bounds what it says about
the states against one another, while the part that is common to all passes every step unchanged and
keeps its norm up. Nothing is lost only where every transition is zero or one; a graph with few
edges loses slowly, a full one fast. Where one row of P_q excludes a state that another allows,
tau_B is one.

Reference: Bengio and Frasconi 1995, Diffusion of credit in Markovian models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from ..errors import expect
from ..flow import Chart, Finding, Line, Measurement, Number, Path, Remedy, Series, Trace
from ..flow.motion import Motion
from ._analysis import Analysis
from ._beside import beside
from ._decay import Decay, decay, median, word
from ._ergodicity import coefficients
from ._last_steps import last_steps, steps_of


@dataclass(frozen=True)
class CreditDiffusion(Analysis):
    """The ergodicity coefficients of the products of transitions by lag.

    Args:
        rows: how many rows of the batch, evenly spaced.
        tolerance: how far a row of A may be from summing to one, and an entry below zero.
    """

    rows: int = 8
    tolerance: float = 1e-6

    depth = "deep"
    of_motion = True

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, rows=self.rows)
        expect(0, tolerance=self.tolerance)

    def applies(self, trace: Trace) -> bool:
        return bool(self._markovian(trace))

    def measure(self, trace: Trace) -> Measurement:
        found = {
            path.name: self._fields(path, motion, trace) for path, motion in self._markovian(trace)
        }
        fastest = min(found, key=lambda name: found[name]["reach"])
        fields = found[fastest]
        return Measurement(
            name="credit_diffusion",
            summary="How fast the states that a model was in become alike to the error.",
            fields={**fields, "path": fastest, "floor": trace.floor, "needs": trace.needs},
            blocks={n: Measurement(n, "One chain of states.", f) for n, f in found.items()},
            charts=(_chart(fields, fastest, trace),),
            numbers=_numbers(fields, trace.floor),
            conditions=(
                f"{fields['samples']} rows, from the last step of each",
                f"transitions within {self.tolerance:g} of stochastic, then scaled to it",
                "products by columns with logs of their own",
                f"{trace.dtype}",
            ),
        )

    def judge(self, measurement: Measurement) -> Finding:
        m = measurement
        fading = _word(m.fields) == "vanishes"
        short = m.needs is not None and m.reach < m.needs and not m.reach_at_least
        severity = "bad" if short else "watch" if fading and m.needs is None else "ok"
        least = "at least " if m.reach_at_least else ""
        halves = "" if m.half_life is None else f", halving every {m.half_life:.3g} steps"
        needed = "" if m.needs is None else f", and the task needs {m.needs}"
        remedy = Remedy(
            "leave out transitions that the task does not need (cells.StateNetwork(graph=...), "
            "cells.IOHMM(graph=...))",
            f"{m.zeros:.3g} of them are zero now; credit is kept only where they are zero or one",
        )
        return Finding(
            analysis=m.name,
            claim=(
                f"the states stay apart {least}{m.reach} steps back (Dobrushin's coefficient at "
                f"least {m.floor:g}){halves}{needed}"
            ),
            evidence=f"{m.path}, {m.states} states, {m.samples} rows",
            severity=severity,
            remedies=(remedy,) if severity != "ok" else (),
        )

    def _markovian(self, trace: Trace) -> list[tuple[Path, Motion]]:
        return [
            (path, motion) for path, motion in trace.moving if is_markovian(motion, self.tolerance)
        ]

    def _fields(self, path: Path, motion: Motion, trace: Trace) -> dict[str, Any]:
        batch = motion.states.shape[1]
        rows = np.unique(np.linspace(0, batch - 1, min(self.rows, batch)).round().astype(int))
        curves = np.full((2, len(motion.inputs), len(rows)), np.nan)  # the lags of the adjoint
        zeros = []
        for place, row in enumerate(rows):
            transitions = _transitions(motion, int(row))[: len(curves[0]) - 1]
            found = coefficients(transitions)
            curves[:, : found.shape[1], place] = found
            zeros += [float(np.mean(each == 0)) for each in transitions]
        fell = decay(curves[:1], floor=trace.floor)
        assert fell is not None  # it is one at lag 0
        fields = fell.fields()
        adjoint = decay(path.log_norm[""], draws=trace.draws)
        return {
            **{name: value for name, value in fields.items() if name != "log_norm"},
            "log_dobrushin": fell.log_norm,
            "log_birkhoff": median(curves[1:], 1)[: len(fell.lags)],
            "log_adjoint": beside(adjoint, len(fell.lags)),
            "states": motion.states.shape[-1],
            "zeros": float(np.mean(zeros)),
        }


def is_markovian(motion: Motion, tolerance: float) -> bool:
    """Whether the transposed Jacobian is a stochastic matrix at every step of every row."""
    if motion.states.shape[-1] < 2:
        return False
    ones = torch.ones_like(motion.states[:1])
    for here in motion.along():  # one product a step first: it tells nearly all others apart
        if not bool(((here.pull(ones) - 1).abs() <= tolerance).all()):
            return False
    return all(bool((here.matrix() >= -tolerance).all()) for here in motion.along())


def _transitions(motion: Motion, row: int) -> list[np.ndarray]:
    """A_{t-1}, A_{t-2}, ..., their rows scaled to sum to one in float64."""
    jacobians = last_steps(motion, row, len(steps_of(motion, row)))
    matrices = [each.T.clamp(min=0).numpy() for each in jacobians]
    return [each / each.sum(1, keepdims=True) for each in matrices]


def _word(fields: Mapping[str, Any]) -> str:
    """As for an adjoint: 'vanishes', 'sustains'."""
    from_decay = {**fields, "log_norm": fields["log_dobrushin"]}
    return word(Decay(**{name: from_decay[name] for name in Decay.__dataclass_fields__}))


def _numbers(fields: Mapping[str, Any], floor: float) -> tuple[Number, ...]:
    half, least = fields["half_life"], "at least " if fields["reach_at_least"] else ""
    return (
        Number("States stay apart", f"{least}{fields['reach']} steps", f"to {floor:g}"),
        Number("Half-life", "none" if half is None else f"{half:.3g} steps", "of tau_1"),
        Number("Transitions that are zero", f"{fields['zeros']:.3g}", "a share of all"),
    )


def _chart(fields: Mapping[str, Any], name: str, trace: Trace) -> Chart:
    needed = () if trace.needs is None else (float(trace.needs),)
    return Chart(
        title="Diffusion of credit by lag",
        x="lags",
        x_label="lag (steps back from the last)",
        y_label="log10 of the coefficient",
        unit="ln",
        series=(
            Series("Dobrushin", "log_dobrushin", "low", "high"),
            Series("Birkhoff", "log_birkhoff"),
            Series("the adjoint", "log_adjoint"),
        ),
        lines=tuple(Line("x", at, f"needed: {at:g}") for at in needed),
        caption=(
            f"{name}: medians over rows, the band holds the middle half; the norm of the adjoint "
            "relative to lag 0."
        ),
    )
