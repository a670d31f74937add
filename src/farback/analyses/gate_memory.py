"""What the gates let a unit keep: the half-life that they imply, beside the one measured.

    (1)  LSTM: c_p = f c_{p-1} + i g        the error along c shrinks by f a step
    (2)  GRU:  h_p = z h_{p-1} + (1 - z) n  the error along h shrinks by z a step, but for n
    (3)  implied half-life = -ln 2 / mean ln gate, over steps and rows, for each unit; its median
    (4)  the bias that gives a half-life of L steps: logit(2**(-1/L)), both biases added

How to read it: where the measured half-life is near the implied one, the gate is what closes the
path, and its bias is the remedy. A measured one that is longer comes from a few units that keep
more than the median, or from the recurrent weights.

Reference: Hochreiter and Schmidhuber 1997 (error carousel); Gers, Schmidhuber and Cummins 2000
(forget gate); Jozefowicz, Zaremba and Sutskever 2015 (its bias).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..flow import Finding, Gate, Measurement, Number, Path, Remedy, Trace
from ._analysis import Analysis
from ._decay import LN2, decay


@dataclass(frozen=True)
class GateMemory(Analysis):
    """Mean keeping gate of an LSTM (forget) or GRU (update), and the half-lives."""

    def applies(self, trace: Trace) -> bool:
        return any(path.gates for path in trace.paths)

    def measure(self, trace: Trace) -> Measurement:
        blocks = {
            f"{path.name}:{gate.name}": Measurement(
                f"{path.name}:{gate.name}", f"The {gate.name} gate.", _fields(path, gate, trace)
            )
            for path in trace.paths
            for gate in path.gates
        }
        closing = min(blocks, key=lambda name: blocks[name].implied_half_life)
        fields = dict(blocks[closing].fields)
        measured = fields["measured_half_life"]
        return Measurement(
            name="gate_memory",
            summary="What the gates let a unit keep, beside what was measured.",
            fields={**fields, "gate": closing, "needs": trace.needs},
            blocks=blocks,
            numbers=(
                Number(f"Mean {closing.rpartition(':')[2]} gate", f"{fields['mean']:.3g}", closing),
                Number("Half-life it implies", f"{fields['implied_half_life']:.3g} steps"),
                Number(
                    "Half-life measured", "none" if measured is None else f"{measured:.3g} steps"
                ),
            ),
            conditions=(f"{trace.dtype}", "over all steps and rows"),
        )

    def judge(self, measurement: Measurement) -> Finding:
        m = measurement
        gate = m.gate.rpartition(":")[2]
        measured = "none" if m.measured_half_life is None else f"{m.measured_half_life:.3g} steps"
        wanted = m.needs if m.needs is not None else 2 * max(1, math.ceil(m.implied_half_life))
        short = m.needs is not None and m.implied_half_life < m.needs
        bias = "" if m.bias is None else f"; its bias is {m.bias:+.2g} on average"
        needed = bias_for(wanted)
        return Finding(
            analysis=m.name,
            claim=(
                f"the {gate} gate of {m.gate.rpartition(':')[0]} closes the path most: its mean is "
                f"{m.mean:.3g}, a half-life of {m.implied_half_life:.3g} steps, and {measured} "
                "were measured"
            ),
            evidence=f"the unit that keeps most has {m.longest_half_life:.3g} steps{bias}",
            severity="watch" if short else "ok",
            remedies=(
                Remedy(
                    f"start the {gate} gate's bias at {needed:+.2f} (bias_ih + bias_hh)",
                    f"its mean of {m.mean:.3g} implies {m.implied_half_life:.3g} steps; that bias "
                    f"alone gives a half-life of {wanted}",
                ),
            ),
        )


def bias_for(half_life: float) -> float:
    """(4): the gate bias whose sigmoid halves the error every `half_life` steps.

    >>> round(bias_for(100), 3)
    4.968
    """
    kept = 2 ** (-1 / half_life)
    return math.log(kept / -math.expm1(-LN2 / half_life))


def _fields(path: Path, gate: Gate, trace: Trace) -> dict[str, Any]:
    carrier = "c" if "c" in path.log_norm else ""
    found = decay(path.log_norm[carrier], draws=trace.draws, start=path.log_norm[""])
    rates = -np.minimum(gate.mean_log, -1e-12)
    return {
        "mean": gate.mean,
        "implied_half_life": LN2 / float(np.median(rates)),
        "longest_half_life": LN2 / float(rates.min()),
        "measured_half_life": None if found is None else found.half_life,
        "bias": gate.bias,
    }
