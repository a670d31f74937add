"""Singular values and eigenvalues of the step's Jacobian, and of its products by lag.

    (1)  J_p = ds_{p+1} / ds_p                at sampled steps and rows of the batch
    (2)  P_q = J_{T-1} ... J_{T-q}            over the last q steps
    (3)  |P_q v| <= sigma_1(P_q) |v|,         sigma_1(P_q) <= product of the sigma_1(J_p)
    (4)  |lambda_1(P_q)| <= sigma_1(P_q),     equal where P_q is normal

The adjoint at lag q is P_q^T dE/ds_T: sigma_1(P_q) is the most of an error that any loss could
bring back over q steps. Logs are natural, of long products that are never formed (`_product.py`),
and so finite where sigma itself would be no float.

Axes: p steps, q lags, i the place of a value from the largest.

How to read it: eigenvalues tell of the long run, singular values of a single step, and they are not
the same thing. Where all |lambda_i| are below one and sigma_1 above, a step can still stretch an
error (W = [[0.5, 10], [0, 0.5]] does, by ten, with both eigenvalues at 0.5), so that eigenvalues
below one at each step prove nothing about a product. A wide spread of the sigma_i says that some
directions are carried where most are lost.

Reference: Hochreiter 1991; Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013 (that
the condition is on singular values).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import expect
from ..flow import Chart, Finding, Line, Measurement, Number, Series, Trace
from ..flow.motion import Motion
from ._analysis import Analysis
from ._product import eigenvalues, singular_values


@dataclass(frozen=True)
class JacobianSpectrum(Analysis):
    """Spectra of the step and of its products, for each path.

    Args:
        k: how many values of the products, from the largest.
        samples: at how many (step, row) pairs the step itself is taken.
        rows: of how many rows the products are taken.
        seed: of the directions that the products are followed with, where they are not all.
    """

    k: int = 8
    samples: int = 16
    rows: int = 2
    seed: int = 0

    depth = "deep"
    of_motion = True

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, k=self.k, samples=self.samples, rows=self.rows)

    def applies(self, trace: Trace) -> bool:
        return bool(trace.moving)

    def measure(self, trace: Trace) -> Measurement:
        found = {path.name: self._fields(motion) for path, motion in trace.moving}
        widest = max(found, key=lambda name: found[name]["log_norm"][-1])
        fields = found[widest]
        return Measurement(
            name="jacobian_spectrum",
            summary="Singular values and eigenvalues of the step, and of its products by lag.",
            fields={**fields, "path": widest},
            blocks={
                name: Measurement(name, "One chain of states.", own) for name, own in found.items()
            },
            charts=(_by_lag(), _of_step()),
            numbers=_numbers(fields),
            conditions=(
                f"{trace.dtype}",
                f"the step at {fields['samples']} sampled (step, row) pairs",
                f"the products over the last steps of {fields['rows']} rows",
            ),
        )

    def judge(self, measurement: Measurement) -> Finding:
        m = measurement
        norm, radius = math.exp(m.log_singular[0]), math.exp(m.log_modulus[0])
        lag, product = int(m.lags[-1]), m.log_norm[-1] / math.log(10)
        most = "nothing" if np.isneginf(product) else f"at most 1e{product:+.1f}"
        over = f"over {lag} steps {most} of an error comes back"
        over += f" (the median of {m.rows} rows)" if m.rows > 1 else ""
        spread = f"sigma from {norm:.3g} to {math.exp(m.log_singular[-1]):.3g} in one step"
        if radius < 1 < norm:
            claim = (
                f"a step of {m.path} can stretch an error {norm:.3g} times although all its "
                f"eigenvalues lie below one (largest {radius:.3g}): eigenvalues alone prove nothing"
            )
        else:
            beside = "" if f"{norm:.3g}" == "1" else f", {'below' if norm < 1 else 'above'} one"
            claim = f"the norm of a step of {m.path} is {norm:.3g}{beside}"
        return Finding(m.name, claim, f"{over}; {spread}")

    def _fields(self, motion: Motion) -> dict[str, Any]:
        matrices = _sampled(motion, self.samples)
        sizes = torch.linalg.svdvals(matrices).cpu().double()
        moduli = torch.linalg.eigvals(matrices).abs().sort(-1, descending=True).values
        rows, lags = _longest_rows(motion, self.rows), _lags(len(motion.inputs))
        factors = [here.rows(rows) for here in motion.along()]
        count, like = min(self.k, motion.states.shape[-1]), motion.states[0, rows]
        logs, moved = (
            [of(factors[-lag:], count, like, seed=self.seed).median(0).values for lag in lags]
            for of in (singular_values, eigenvalues)
        )
        products, spectra = torch.stack(logs).numpy(), torch.stack(moved).numpy()
        return {
            "index": np.arange(1.0, sizes.shape[-1] + 1),
            "log_singular": _logs(sizes),
            "log_modulus": _logs(moduli.cpu().double()),
            "lags": np.array(lags, dtype=float),
            "log_norm": products[:, 0],
            "log_smallest": products[:, -1],
            "log_radius": spectra[:, 0],
            "log_singular_by_lag": products,
            "log_modulus_by_lag": spectra,
            "samples": len(matrices),
            "rows": len(rows),
        }


def _sampled(motion: Motion, samples: int) -> Tensor:
    """The Jacobians at evenly spaced (step, row) pairs that exist."""
    steps, rows = motion.inputs.shape[:2]
    every = torch.ones(steps, rows, dtype=torch.bool) if motion.valid is None else motion.valid
    pairs = every.cpu().nonzero()
    chosen = pairs[torch.linspace(0, len(pairs) - 1, min(samples, len(pairs))).round().long()]
    p, row = chosen.to(motion.states.device).unbind(1)
    return motion.at(motion.states[p, row], motion.inputs[p, row]).matrix()


def _longest_rows(motion: Motion, count: int) -> list[int]:
    """Evenly spaced rows among those that have every step; the longest one where none has."""
    rows = motion.states.shape[1]
    if motion.valid is not None:
        lengths = motion.valid.sum(0).cpu()
        whole = (lengths == lengths.max()).nonzero().flatten().tolist()
    else:
        whole = list(range(rows))
    places = np.linspace(0, len(whole) - 1, min(count, len(whole))).round().astype(int)
    return [whole[place] for place in places]


def _lags(steps: int) -> list[int]:
    """1, 2, 4, ... and all steps."""
    return sorted({2**power for power in range(steps.bit_length()) if 2**power <= steps} | {steps})


def _logs(values: Tensor) -> np.ndarray:
    """The median over samples of each value's log."""
    return values.median(0).values.log().numpy()


def _by_lag() -> Chart:
    return Chart(
        title="The step's products by lag",
        x="lags",
        x_label="lag (steps)",
        y_label="log10 of the value",
        unit="ln",
        series=(
            Series("largest singular value", "log_norm"),
            Series("largest eigenvalue", "log_radius"),
            Series("smallest singular value followed", "log_smallest"),
        ),
        caption="Median over rows. What any loss could bring back in that row lies under the first "
        "curve.",
    )


def _of_step() -> Chart:
    return Chart(
        title="One step",
        x="index",
        x_label="value, from the largest",
        y_label="log10 of the value",
        unit="ln",
        series=(
            Series("singular values", "log_singular"),
            Series("moduli of eigenvalues", "log_modulus"),
        ),
        lines=(Line("y", 0.0, "one"),),
        caption="Median over sampled steps and rows.",
    )


def _numbers(fields: dict[str, Any]) -> tuple[Number, ...]:
    norm, radius = math.exp(fields["log_singular"][0]), math.exp(fields["log_modulus"][0])
    return (
        Number("Norm of a step", f"{norm:.3g}", "its largest singular value, the median"),
        Number("Spectral radius of a step", f"{radius:.3g}", "the median"),
    )
