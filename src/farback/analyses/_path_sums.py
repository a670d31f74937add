"""Sums over the paths of an error through the units, of their moduli, and the largest among them.

    (1)  P(l) = prod_{m=1..q} J_{t-m}[l_{m-1}, l_m],   l_0 = u, l_q = v          one path
    (2)  (J_{t-1} ... J_{t-q})[u, v] = sum over l_1 ... l_{q-1} of P(l)          n^(q-1) paths
    (3)  D_m(l) = max_k D_{m-1}(k) + ln |J_{t-m}[k, l]|                          the largest path

(3) is exact, because the largest path to l goes on from the largest path to some k; kept for the
largest few at each l, it gives the largest few of all. Everything is held as logs, or as a vector
with a log of its own, so that no product under- or overflows.

Axes: q steps, n units, k paths.

Reference: Hochreiter 1991 (sum over paths); Viterbi 1967, Seshadri and Sundberg 1994 (lists).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

_AT_ONCE = 2**22
"""Sums that are compared at once."""

Jacobians = Sequence[Float[np.ndarray, "n n"]]
"""J_{t-1}, J_{t-2}, ..., J_{t-q}."""


@dataclass(frozen=True)
class Paths:
    """The largest paths between two units, from the largest: units, ln |P| and signs."""

    units: Int[np.ndarray, "k q1"]
    log: Float[np.ndarray, " k"]
    sign: Float[np.ndarray, " k"]


def every_path(
    jacobians: Jacobians, to: int, origin: int
) -> tuple[Float[np.ndarray, " paths"], Float[np.ndarray, " paths"]]:
    """(1) for all n^(q-1) paths: ln |P| and signs."""
    logs, signs = np.zeros(1), np.ones(1)
    rows = np.array([to])
    for jacobian in jacobians[:-1]:
        log, sign = _logs(jacobian), np.sign(jacobian)
        logs = (logs[:, None] + log[rows]).ravel()
        signs = (signs[:, None] * sign[rows]).ravel()
        rows = np.tile(np.arange(len(jacobian)), len(rows))
    last = jacobians[-1][rows, origin]
    return logs + _logs(last), signs * np.sign(last)


def signed_sum(logs: np.ndarray, signs: np.ndarray) -> tuple[float, float]:
    """Ln of the modulus of a sum, and its sign."""
    peak = logs.max(initial=-np.inf)
    if peak == -np.inf:
        return -math.inf, 0.0
    total = math.fsum(signs * np.exp(logs - peak))
    return (math.log(abs(total)) + peak if total else -math.inf), float(np.sign(total))


def forward(
    jacobians: Jacobians, to: int
) -> tuple[Float[np.ndarray, "q1 n"], Float[np.ndarray, " q1"]]:
    """Row `to` of the products by lag, each with its largest entry at one, and the logs taken out.

    A row that is zero from some lag on has -inf there.
    """
    rows, logs = [np.eye(len(jacobians[0]))[to]], [0.0]
    for jacobian in jacobians:
        row, log = _normalised(rows[-1] @ jacobian)
        rows.append(row)
        logs.append(logs[-1] + log)
    return np.stack(rows), np.array(logs)


def backward(jacobians: Jacobians, origin: int) -> Float[np.ndarray, "q1 n"]:
    """Column `origin` of what is left of the product at each lag, its largest entry at one."""
    columns = [np.eye(len(jacobians[0]))[origin]]
    for jacobian in reversed(jacobians):
        columns.append(_normalised(jacobian @ columns[-1])[0])
    return np.stack(columns[::-1])


def largest_by_lag(jacobians: Jacobians) -> tuple[Float[np.ndarray, " q1"], int, int]:
    """(3) over all pairs of units: ln |P| by lag, and both ends of the largest at the last lag."""
    best, found = np.zeros(len(jacobians[0])), [0.0]
    back = []
    for jacobian in jacobians:
        sums = best[:, None] + _logs(jacobian)
        back.append(sums.argmax(0))
        best = sums.max(0)
        found.append(float(best.max()))
    origin = to = int(best.argmax())
    for came in reversed(back):
        to = int(came[to])
    return np.array(found), to, origin


def largest(jacobians: Jacobians, to: int, origin: int, count: int) -> Paths:
    """The `count` largest paths from one unit to another; fewer where there are fewer."""
    n = len(jacobians[0])
    best = np.full((1, n), -np.inf)
    best[0, to] = 0.0
    back = []
    for jacobian in jacobians:
        at_once = math.ceil(n * best.size / _AT_ONCE)
        parts = [_kept(best, logs, count) for logs in np.array_split(_logs(jacobian), at_once, 1)]
        best, came = (np.concatenate(part, axis=1) for part in zip(*parts, strict=True))
        back.append(came)
    ranks = np.flatnonzero(best[:, origin] > -np.inf)
    units = np.array([_followed(back, origin, int(rank)) for rank in ranks], dtype=int)
    units = units.reshape(-1, len(jacobians) + 1)
    return Paths(units, best[ranks, origin], _signs(jacobians, units))


def _kept(
    best: Float[np.ndarray, "k n"], logs: Float[np.ndarray, "n m"], count: int
) -> tuple[Float[np.ndarray, "k2 m"], Int[np.ndarray, "k2 m"]]:
    """The largest sums for each unit after a step, and where in `best` they came from."""
    sums = (best[:, :, None] + logs).reshape(-1, logs.shape[1])
    kept = min(count, len(sums))
    places = np.argpartition(-sums, kept - 1, axis=0)[:kept]
    values = np.take_along_axis(sums, places, 0)
    order = np.argsort(-values, axis=0, kind="stable")
    return np.take_along_axis(values, order, 0), np.take_along_axis(places, order, 0)


def _followed(back: Sequence[np.ndarray], origin: int, rank: int) -> list[int]:
    unit, units = origin, [origin]
    for came in reversed(back):
        rank, unit = divmod(int(came[rank, unit]), came.shape[1])
        units.append(unit)
    return units[::-1]


def _signs(jacobians: Jacobians, units: np.ndarray) -> np.ndarray:
    signs = np.ones(len(units))
    for m, jacobian in enumerate(jacobians):
        signs *= np.sign(jacobian[units[:, m], units[:, m + 1]])
    return signs


def _logs(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(np.abs(values))


def _normalised(vector: np.ndarray) -> tuple[np.ndarray, float]:
    peak = float(np.abs(vector).max())
    return (vector / peak, math.log(peak)) if peak else (vector, -math.inf)
