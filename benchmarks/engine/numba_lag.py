"""Elman's net on 2a in numba, by BPTT and by RTRL.

`readout` lies transposed, so that loops over outputs run along memory.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numba_scalars import empty, logistic, one
from workloads import LAG, Arrays, lag_strings, parameters

INPUTS, STEPS, HIDDEN = LAG.task.inputs, LAG.task.delay, LAG.cell.hidden
SEEN = INPUTS + HIDDEN
RESET = np.float32(LAG.cell.reset)
FORGOTTEN = np.float32(1e-30)
"""Sensitivities below it are nothing: as denormal numbers they would take ten times as long."""


@njit(fastmath=True)
def lag_read(readout, h, target, error, dreadout, dh):
    """The outputs above one h: their gradient, and what comes down to h."""
    error[:] = empty
    for j in range(HIDDEN):
        for k in range(INPUTS):
            error[k] += readout[j, k] * h[j]
    for k in range(INPUTS):
        error[k] = logistic(error[k])
    for k in range(INPUTS):
        y = error[k]
        error[k] = (y - (one if k == target else empty)) * y * (one - y)
    for j in range(HIDDEN):
        down = empty
        for k in range(INPUTS):
            dreadout[j, k] += error[k] * h[j]
            down += error[k] * readout[j, k]
        dh[j] = down


@njit(fastmath=True)
def lag_step(hidden, h, symbol, after):
    for i in range(HIDDEN):
        net = hidden[i, symbol]
        for j in range(HIDDEN):
            net += hidden[i, INPUTS + j] * h[j]
        after[i] = logistic(net)


@njit
def lag_room():
    """For h and its derivative at every step, the outputs, and two sensitivities."""
    return (
        np.empty((STEPS + 1, HIDDEN), np.float32),
        np.empty((STEPS, HIDDEN), np.float32),
        np.empty(INPUTS, np.float32),
        np.empty((HIDDEN, HIDDEN * SEEN), np.float32),
        np.empty((HIDDEN, HIDDEN * SEEN), np.float32),
    )


@njit(fastmath=True)
def lag_bptt(hidden, readout, symbols, room, dhidden, dreadout):
    h, dh, error, _, _ = room
    dhidden[:], dreadout[:], h[0] = empty, empty, RESET
    for t in range(STEPS):
        lag_step(hidden, h[t], symbols[t], h[t + 1])
        lag_read(readout, h[t + 1], symbols[t + 1], error, dreadout, dh[t])
    for t in range(STEPS - 1, -1, -1):
        for i in range(HIDDEN):
            delta = dh[t, i] * h[t + 1, i] * (one - h[t + 1, i])
            dhidden[i, symbols[t]] += delta
            for j in range(HIDDEN):
                dhidden[i, INPUTS + j] += delta * h[t, j]
                if t:
                    dh[t - 1, j] += delta * hidden[i, INPUTS + j]


@njit(fastmath=True)
def lag_rtrl(hidden, readout, symbols, room, dhidden, dreadout):
    h, dh, error, before, after = room
    dhidden[:], dreadout[:], h[0], before[:] = empty, empty, RESET, empty
    flat, weights = dhidden.reshape(HIDDEN * SEEN), np.empty(HIDDEN, np.float32)
    for t in range(STEPS):
        lag_step(hidden, h[t], symbols[t], h[t + 1])
        lag_read(readout, h[t + 1], symbols[t + 1], error, dreadout, dh[t])
        for i in range(HIDDEN):
            slope = h[t + 1, i] * (one - h[t + 1, i])
            for j in range(HIDDEN):
                weights[j] = slope * hidden[i, INPUTS + j]
            row = after[i]
            for p in range(HIDDEN * SEEN):
                carried = empty
                for j in range(HIDDEN):
                    carried += weights[j] * before[j, p]
                row[p] = carried if abs(carried) > FORGOTTEN else empty
            row[i * SEEN + symbols[t]] += slope
            for j in range(HIDDEN):
                row[i * SEEN + INPUTS + j] += slope * h[t, j]
            down = dh[t, i]
            for p in range(HIDDEN * SEEN):
                flat[p] += down * row[p]
        before, after = after, before


def lag_kernels(gradient):
    @njit(fastmath=True, parallel=True)
    def gradients(hidden, readout, strings, chosen, dhidden, dreadout):
        for n in prange(len(hidden)):
            gradient(hidden[n], readout[n], strings[chosen[n]], lag_room(), dhidden[n], dreadout[n])

    @njit(fastmath=True, parallel=True)
    def train(hidden, readout, strings, lr, updates):
        for n in prange(len(hidden)):
            room = lag_room()
            dhidden, dreadout = np.empty_like(hidden[n]), np.empty_like(readout[n])
            for _ in range(updates):
                symbols = strings[np.random.randint(2)]
                gradient(hidden[n], readout[n], symbols, room, dhidden, dreadout)
                for i in range(HIDDEN):
                    for j in range(SEEN):
                        hidden[n, i, j] -= lr * dhidden[i, j]
                    for k in range(INPUTS):
                        readout[n, i, k] -= lr * dreadout[i, k]

    return gradients, train


class Lag:
    def __init__(self, trials: int, gradient) -> None:
        params = parameters(LAG, trials)
        self.params = params["hidden"], self._turned(params["readout"])
        self.strings = lag_strings()
        self.gradients, self.train = lag_kernels(gradient)

    def advance(self, updates: int) -> None:
        self.train(*self.params, self.strings, np.float32(LAG.lr), updates)

    def gradient(self, params: Arrays, examples: np.ndarray) -> Arrays:
        given = params["hidden"], self._turned(params["readout"])
        found = [np.empty_like(it) for it in given]
        self.gradients(*given, self.strings, examples, *found)
        return {"hidden": found[0], "readout": self._turned(found[1])}

    def _turned(self, readout: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(readout.transpose(0, 2, 1))
