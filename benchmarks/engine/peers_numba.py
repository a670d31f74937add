"""The workloads in numba: gradients written by hand, one trial after the other on every core."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numba import njit, prange
from numba_lag import Lag, lag_bptt, lag_rtrl
from numba_scalars import empty, four, half, logistic, one, two
from peer import Peer
from workloads import LAG, LAG_RTRL, LATCH, REBER, Arrays, parameters, strings

# The latch: tanh(a) of every step kept, then back.

SHOWN = LATCH.task.trainable
NOISY = LATCH.task.steps - SHOWN
STD = np.float32(LATCH.task.noise)
LOW, HIGH = np.float32(LATCH.task.low), np.float32(LATCH.task.high)


@njit(fastmath=True)
def latch_gradient(h, w, noise, y, dh):
    dw = empty
    for number in range(2):
        y[0] = empty
        for t in range(SHOWN):
            y[t + 1] = math.tanh(w * y[t] + h[number * SHOWN + t])
        for t in range(NOISY):
            y[SHOWN + t + 1] = math.tanh(w * y[SHOWN + t] + noise[number, t])
        last = y[SHOWN + NOISY]
        da = half * (last - (HIGH if number else LOW)) * (one - last * last)
        for t in range(SHOWN + NOISY - 1, -1, -1):
            dw += da * y[t]
            if t < SHOWN:
                dh[number * SHOWN + t] = da
            da *= w * (one - y[t] * y[t])
    return dw


@njit(fastmath=True, parallel=True)
def latch_gradients(h, w, noise, dh, dw):
    for trial in prange(len(h)):
        y = np.empty(SHOWN + NOISY + 1, np.float32)
        dw[trial, 0] = latch_gradient(h[trial], w[trial, 0], noise[trial], y, dh[trial])


@njit(fastmath=True, parallel=True)
def latch_train(h, w, lr, updates):
    for trial in prange(len(h)):
        y = np.empty(SHOWN + NOISY + 1, np.float32)
        noise, dh = np.empty((2, NOISY), np.float32), np.empty(2 * SHOWN, np.float32)
        for _ in range(updates):
            for number in range(2):
                for t in range(NOISY):
                    noise[number, t] = STD * np.float32(np.random.standard_normal())
            dw = latch_gradient(h[trial], w[trial, 0], noise, y, dh)
            w[trial, 0] -= lr * dw
            for i in range(2 * SHOWN):
                h[trial, i] -= lr * dh[i]


class Latch:
    def __init__(self, trials: int) -> None:
        self.params = parameters(LATCH, trials)

    def advance(self, updates: int) -> None:
        latch_train(self.params["h"], self.params["w"], np.float32(LATCH.lr), updates)

    def gradient(self, params: Arrays, examples: np.ndarray) -> Arrays:
        found = {name: np.empty_like(value) for name, value in params.items()}
        latch_gradients(params["h"], params["w"], examples, found["h"], found["w"])
        return found


# The LSTM of 1997: the error goes back through the states alone. Units in the order of the rows of
# `hidden`: input gates, output gates, cells; they are seen as cells, then gates.

SYMBOLS, BLOCKS, SIZE = REBER.task.inputs, REBER.cell.blocks, REBER.cell.size
CELLS, GATES = BLOCKS * SIZE, 2 * BLOCKS
UNITS = CELLS + GATES


@njit(fastmath=True)
def reber_gradient(hidden, readout, bias, symbols, kept, dhidden, dreadout, dbias):
    state, seen, unit, output = kept
    dhidden[:], dreadout[:], dbias[:] = empty, empty, empty
    state[0], seen[0] = empty, empty
    steps = 0
    while steps < len(symbols) - 1 and symbols[steps + 1] >= 0:
        t = steps
        for u in range(UNITS):
            net = hidden[u, symbols[t]]
            for v in range(UNITS):
                net += hidden[u, SYMBOLS + v] * seen[t, v]
            if u < GATES:
                net += bias[u]
            unit[t, u] = logistic(net)
        for v in range(CELLS):
            block = v // SIZE
            given = four * unit[t, GATES + v] - two
            state[t + 1, v] = state[t, v] + unit[t, block] * given
            seen[t + 1, v] = unit[t, BLOCKS + block] * (two * logistic(state[t + 1, v]) - one)
        for u in range(GATES):
            seen[t + 1, CELLS + u] = unit[t, u]
        for k in range(SYMBOLS):
            net = empty
            for v in range(CELLS):
                net += readout[k, v] * seen[t + 1, v]
            output[t, k] = logistic(net)
        steps += 1
    ds, delta = np.zeros(CELLS, np.float32), np.empty(UNITS, np.float32)
    for t in range(steps - 1, -1, -1):
        delta[:] = empty
        dy = np.zeros(CELLS, np.float32)
        for k in range(SYMBOLS):
            y = output[t, k]
            error = y - one if k == symbols[t + 1] else y
            error *= y * (one - y)
            for v in range(CELLS):
                dreadout[k, v] += error * seen[t + 1, v]
                dy[v] += error * readout[k, v]
        for v in range(CELLS):
            block = v // SIZE
            held = logistic(state[t + 1, v])
            delta[BLOCKS + block] += dy[v] * (two * held - one)
            ds[v] += dy[v] * unit[t, BLOCKS + block] * two * held * (one - held)
            cell = unit[t, GATES + v]
            delta[block] += ds[v] * (four * cell - two)
            delta[GATES + v] = ds[v] * unit[t, block] * four * cell * (one - cell)
        for u in range(GATES):
            delta[u] *= unit[t, u] * (one - unit[t, u])
            dbias[u] += delta[u]
        for u in range(UNITS):
            dhidden[u, symbols[t]] += delta[u]
            for v in range(UNITS):
                dhidden[u, SYMBOLS + v] += delta[u] * seen[t, v]


@njit
def reber_room(steps):
    return (
        np.empty((steps + 1, CELLS), np.float32),
        np.empty((steps + 1, UNITS), np.float32),
        np.empty((steps, UNITS), np.float32),
        np.empty((steps, SYMBOLS), np.float32),
    )


@njit(fastmath=True, parallel=True)
def reber_gradients(hidden, readout, bias, symbols, dhidden, dreadout, dbias):
    for n in prange(len(hidden)):
        kept = reber_room(symbols.shape[1])
        reber_gradient(
            hidden[n], readout[n], bias[n], symbols[n], kept, dhidden[n], dreadout[n], dbias[n]
        )


@njit(fastmath=True, parallel=True)
def reber_train(hidden, readout, bias, strings, lr, updates):
    for n in prange(len(hidden)):
        kept = reber_room(strings.shape[2])
        dhidden, dreadout = np.empty_like(hidden[n]), np.empty_like(readout[n])
        dbias = np.empty_like(bias[n])
        for _ in range(updates):
            symbols = strings[n, np.random.randint(strings.shape[1])]
            reber_gradient(hidden[n], readout[n], bias[n], symbols, kept, dhidden, dreadout, dbias)
            for u in range(UNITS):
                for v in range(SYMBOLS + UNITS):
                    hidden[n, u, v] -= lr * dhidden[u, v]
            for k in range(SYMBOLS):
                for v in range(CELLS):
                    readout[n, k, v] -= lr * dreadout[k, v]
            for u in range(GATES):
                bias[n, u] -= lr * dbias[u]


class Reber:
    def __init__(self, trials: int) -> None:
        params = parameters(REBER, trials)
        self.params = [params[name] for name in ("hidden", "readout", "gate_bias")]
        self.strings = strings(trials)

    def advance(self, updates: int) -> None:
        reber_train(*self.params, self.strings, np.float32(REBER.lr), updates)

    def gradient(self, params: Arrays, examples: np.ndarray) -> Arrays:
        given = [params[name] for name in ("hidden", "readout", "gate_bias")]
        found = [np.empty_like(it) for it in given]
        reber_gradients(*given, examples, *found)
        return dict(zip(("hidden", "readout", "gate_bias"), found, strict=True))


def peers() -> Iterator[Peer]:
    """Every workload in numba."""
    for n in LATCH.trials:
        yield Peer("numba", LATCH, n, lambda n=n: Latch(n))
    for n in REBER.trials:
        yield Peer("numba", REBER, n, lambda n=n: Reber(n))
    for workload, gradient in ((LAG, lag_bptt), (LAG_RTRL, lag_rtrl)):
        for n in workload.trials:
            yield Peer("numba", workload, n, lambda n=n, g=gradient: Lag(n, g))
