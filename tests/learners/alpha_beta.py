"""The recursions of Baum and Welch for an input-output HMM, in loops over numbers, unscaled.

    alpha_i(t) = f_i(t) sum_j phi_ji(t) alpha_j(t-1)                                        (1)
    beta_j(t-1) = sum_i phi_ji(t) f_i(t) beta_i(t),   beta(T) = 1                           (2)
    h_ji(t)    = alpha_j(t-1) phi_ji(t) f_i(t) beta_i(t) / sum_i alpha_i(T)                 (3)

phi_ji is the probability of going from j to i. Tables only.
"""

from typing import NamedTuple

import numpy as np
import torch

from farback.cells._state_distribution import StateDistribution
from farback.types import Params, Sequences


class Counts(NamedTuple):
    log: float
    """log sum_i alpha_i(T)."""

    transition: np.ndarray
    """Expected transitions, [symbol, from, to]."""

    emission: np.ndarray
    """Expected outputs, [symbol, state, class]; empty where none is learned."""


def counts(cell: StateDistribution, params: Params, one: Sequences) -> Counts:
    """Of a single sequence, [T, I]."""
    tables = params["transition"].numpy()
    said = [cell.emission(params, x).numpy() for x in one.inputs]
    n, steps = cell.states, one.steps
    symbols = [_symbol(cell, x) for x in one.inputs.numpy()]
    classes = [_class(cell, y) if s else None for y, s in zip(one.targets, one.scored, strict=True)]

    def likely(t: int, i: int) -> float:
        return 1.0 if classes[t] is None else said[t][i, classes[t]]

    alpha = np.zeros((steps + 1, n))
    alpha[0, 0] = 1
    for t in range(steps):
        for i in range(n):
            paths = sum(tables[symbols[t], j, i] * alpha[t, j] for j in range(n))
            alpha[t + 1, i] = likely(t, i) * paths  # (1)
    beta = np.zeros((steps + 1, n))
    beta[steps] = 1
    for t in reversed(range(steps)):
        for j in range(n):
            after = (tables[symbols[t], j, i] * likely(t, i) * beta[t + 1, i] for i in range(n))
            beta[t, j] = sum(after)  # (2)
    whole = alpha[steps].sum()
    transition = np.zeros_like(tables)
    emission = np.zeros(params["emission"].shape if "emission" in params else (1, n, 9))
    for t in range(steps):
        for i in range(n):
            for j in range(n):
                way = alpha[t, j] * tables[symbols[t], j, i] * likely(t, i) * beta[t + 1, i]
                transition[symbols[t], j, i] += way / whole  # (3)
            if classes[t] is not None:
                emission[symbols[t] % len(emission), i, classes[t]] += (
                    alpha[t + 1, i] * beta[t + 1, i] / whole
                )
    return Counts(float(np.log(whole)), transition, emission)


def _symbol(cell: StateDistribution, x: np.ndarray) -> int:
    assert cell.bounds is not None
    return sum(x[0] > bound for bound in cell.bounds) if len(x) == 1 else int(x.argmax())


def _class(cell: StateDistribution, target: torch.Tensor) -> int:
    if cell.targets is None:
        return int(target.argmax())
    return int(np.argmin([abs(float(target[0]) - it) for it in cell.targets]))
