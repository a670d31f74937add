"""The published conditions, for a step that squashes one matrix: s' = f(W s + ...).

    (1)  gamma = sup f' over the box,   |W| the largest singular value: gamma |W| < 1 suffices to
         vanish, and gamma |W| > 1 is needed to explode
    (2)  n (gamma |W|_A)^q bounds every entry of a product of q Jacobians, |W|_A the largest row sum
    (3)  tau = n w_max gamma < 1 suffices for (2) to fall
    (4)  single factor: the largest |f' w|; under one, every path's product falls, not their sum
    (5)  the largest modulus of an eigenvalue of W: it decides where f is the identity, in the end

Axes: N state, Q lags.

Reference: (1), (5) Pascanu, Mikolov and Bengio 2013, section 2.1; (2) to (4) Hochreiter and
Schmidhuber 1997, section 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ._derivative import Term

_THIN = 1e-9


@dataclass(frozen=True)
class NamedConditions:
    """The numbers of (1) to (5)."""

    gamma: float
    tau: float
    row_norm: float
    spectral_norm: float
    spectral_radius: float
    single_factor: float
    units: int

    def hochreiter(self, lags: int) -> np.ndarray:
        """The log of (2) at the lags 0 ... lags - 1."""
        factor = self.gamma * self.row_norm
        if factor == 0:
            return np.where(np.arange(lags) == 0, 0.0, -np.inf)
        return math.log(self.units) + np.arange(lags) * math.log(factor)

    @property
    def told(self) -> str:
        """The conditions, each by its name."""
        said = (
            f"gamma |W| = {self.gamma * self.spectral_norm:.3g} (spectral), "
            f"n w_max gamma = {self.tau:.3g} (tau), largest |f' w| = {self.single_factor:.3g} "
            "(single factor)"
        )
        if self.spectral_radius < 1 <= self.spectral_norm:
            said += (
                f"; W's eigenvalues lie under one ({self.spectral_radius:.3g}) and its norm does "
                f"not ({self.spectral_norm:.4g}): the first bounds powers of W in the end, and no "
                "product of different Jacobians"
            )
        return said


def named_conditions(terms: Sequence[Term]) -> NamedConditions | None:
    """The conditions of a Jacobian of these terms; None where it is not one known matrix."""
    if len(terms) != 1:
        return None
    matrix = terms[0].matrix.map(lambda end: end.squeeze(1).t())
    weights, slopes = matrix.mid, terms[0].slope.largest[0]
    moduli = weights.abs()
    if float(matrix.rad.max()) > _THIN * float(moduli.max()):
        return None
    gamma = float(slopes.max())
    return NamedConditions(
        gamma=gamma,
        tau=len(weights) * gamma * float(moduli.max()),
        row_norm=float(moduli.sum(1).max()),
        spectral_norm=float(torch.linalg.matrix_norm(weights, ord=2)),
        spectral_radius=float(torch.linalg.eigvals(weights).abs().max()),
        single_factor=float((slopes[:, None] * moduli).max()),
        units=len(weights),
    )
