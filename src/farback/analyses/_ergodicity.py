"""How much the rows of a product of stochastic matrices differ, by the number of factors.

    (1)  P_q = A_{t-q} ... A_{t-1}
    (2)  tau_1(P) = 1/2 max_ij sum_k |P_ik - P_jk|
    (3)  tau_B(P) = tanh(D / 4),   D = max_ij [max_k ln(P_ik / P_jk) - min_k ln(P_ik / P_jk)]
    (4)  R_q = B_{t-q} R_{q-1},   R[i] = P[i] - P[0],   B[i, j] = A[i, j] - A[0, j],   i, j > 0

The rows of P soon agree in all digits, so their differences cannot be read from P. But (4) they
move by themselves, because rows of A sum to one; every column of P and of R is held with a log of
its own, so that nothing underflows, and equal rows differ by an exact zero.

Axes: Q lags, n states.

Reference: Seneta 1981 (both coefficients); Y. Bengio and Frasconi 1995 (their use).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.distance import pdist

_SMALL = -40.0
"""Where R is below P by this factor, as a log, ln(1 + x) is x in all digits."""


def coefficients(transitions: Iterable[Float[np.ndarray, "n n"]]) -> Float[np.ndarray, "2 Q1"]:
    """Ln tau_1 and ln tau_B at lag 0, 1, ... of the products of A_{t-1}, A_{t-2}, ..."""
    found = [(0.0, 0.0)]
    product = apart = None
    for transition in transitions:
        if product is None or apart is None:
            identity = np.eye(len(transition))
            product, apart = _columns(identity), _columns(identity[1:] - identity[0])
        product = product.moved(transition)  # (1)
        apart = apart.moved(transition[1:, 1:] - transition[0, 1:])  # (4)
        found.append((_dobrushin(apart), _birkhoff(product, apart)))
    return np.array(found).T


@dataclass(frozen=True)
class _Columns:
    """A matrix whose column k is values[:, k] x exp(logs[k]), its largest entry at one."""

    values: Float[np.ndarray, "n k"]
    logs: Float[np.ndarray, " k"]

    def moved(self, matrix: np.ndarray) -> _Columns:
        """The product with a matrix from the left."""
        after = _columns(matrix @ self.values)
        return _Columns(after.values, self.logs + after.logs)


def _columns(values: np.ndarray) -> _Columns:
    peaks = np.abs(values).max(0)
    return _Columns(values / np.where(peaks > 0, peaks, 1), _log(peaks))


def _dobrushin(apart: _Columns) -> float:
    """(2): among the rows of R, and a row of zeros for row 0 itself."""
    largest = apart.logs.max()
    if largest == -np.inf:
        return -np.inf
    rows = apart.values * np.exp(apart.logs - largest)
    whole = np.concatenate([np.zeros((1, rows.shape[1])), rows])
    return min(float(np.log(pdist(whole, "cityblock").max() / 2) + largest), 0.0)


def _birkhoff(product: _Columns, apart: _Columns) -> float:
    """(3), over the states that can be reached at all."""
    reached = product.values.max(0) > 0
    values = product.values[:, reached]
    if (values == 0).any():
        return 0.0  # one row excludes what another allows: infinitely far apart
    rows = np.concatenate([np.zeros((1, values.shape[1])), apart.values[:, reached]])
    beside = apart.logs[reached] - product.logs[reached]
    scale = beside.max()
    if scale == -np.inf:
        return -np.inf
    ratio, logs = np.exp(beside - scale), np.log(values)
    widest = 0.0
    for i in range(1, len(values)):
        differ = (rows[i] - rows[:i]) / values[:i] * ratio
        if scale >= _SMALL:
            near = differ * np.exp(scale)
            differ = np.where(
                np.abs(near) < 0.5, np.log1p(np.clip(near, -0.5, 0.5)), logs[i] - logs[:i]
            )
        widest = max(widest, float(np.ptp(differ, axis=1).max()))
    if scale >= _SMALL:
        return float(_log(np.tanh(widest / 4)))
    return float(_log(np.array(widest / 4)) + scale)


def _log(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(values)
