"""The workloads in JAX: `jax.grad` through `lax.scan`, but where a variant says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import product as every

import jax
import jax.numpy as jnp
from jax import lax
from jax_lag import lag, lag_hoisted, lag_inside, lag_rtrl_by_hand, lag_rtrl_generic
from jax_loop import CORES, Gradient, Loop, squared, times
from peer import Peer
from workloads import LAG, LAG_RTRL, LATCH, REBER, strings

# The latch.


def latch_error(params, noise, *, unroll):
    targets = jnp.array([LATCH.task.low, LATCH.task.high])
    inputs = jnp.concatenate([params["h"].reshape(2, -1), noise], 1)

    def step(a, x):
        return params["w"] * jnp.tanh(a) + x, None

    a, _ = lax.scan(step, jnp.zeros(2), inputs.T, unroll=unroll)
    return squared(jnp.tanh(a), targets) / 2


def latch(trials: int, *, unroll: int, **options) -> Loop:
    def draw(key, _):
        shape = 2, LATCH.task.steps - LATCH.task.trainable
        return LATCH.task.noise * jax.random.normal(key, shape)

    gradient = jax.grad(partial(latch_error, unroll=unroll))
    return Loop(LATCH, trials, gradient, draw, **options)


# The LSTM of 1997.

SYMBOLS, BLOCKS, SIZE = REBER.task.inputs, REBER.cell.blocks, REBER.cell.size
CELLS, GATES = BLOCKS * SIZE, 2 * BLOCKS


def reber_step(params, state, symbols, *, product):
    """One step, and its error; nothing after the end of the string."""
    s, units = state
    x, following = jax.nn.one_hot(symbols[0], SYMBOLS), jax.nn.one_hot(symbols[1], SYMBOLS)
    net = product(params["hidden"], jnp.concatenate([x, lax.stop_gradient(units)]))
    gates = jax.nn.sigmoid(net[:GATES] + params["gate_bias"])
    given = 4 * jax.nn.sigmoid(net[GATES:]) - 2
    s = s + jnp.repeat(gates[:BLOCKS], SIZE) * given
    y = jnp.repeat(gates[BLOCKS:], SIZE) * (2 * jax.nn.sigmoid(s) - 1)
    output = jax.nn.sigmoid(product(params["readout"], y))
    loss = jnp.where(symbols[1] >= 0, squared(output, following), 0)
    return (s, jnp.concatenate([y, gates])), loss


REBER_START = jnp.zeros(CELLS), jnp.zeros(CELLS + GATES)


def reber_padded(params, symbols, *, unroll, product):
    """Strings padded to the longest of all."""

    def error(params):
        pairs = jnp.stack([symbols[:-1], symbols[1:]], 1)
        step = partial(reber_step, params, product=product)
        return lax.scan(step, REBER_START, pairs, unroll=unroll)[1].sum()

    return jax.grad(error)(params)


def reber_blocks(params, symbols, *, steps, product):
    """Blocks of steps until the longest string of this update ends, then back block by block."""
    blocks = -(-(len(symbols) - 1) // steps)
    padded = jnp.pad(symbols, (0, blocks * steps + 1 - len(symbols)), constant_values=-1)
    needed = lax.pmax(-(-((symbols >= 0).sum() - 1) // steps), "trials")

    def block(params, state, number):
        part = lax.dynamic_slice(padded, (number * steps,), (steps + 1,))
        loss = 0.0
        for t in range(steps):
            state, more = reber_step(params, state, part[t : t + 2], product=product)
            loss += more
        return state, loss

    def forth(number, carry):
        state, kept = carry
        kept = jax.tree.map(lambda all, now: all.at[number].set(now), kept, state)
        return block(params, state, number)[0], kept

    def back(turn, carry):
        gradient, adjoint = carry
        number = needed - 1 - turn
        state = jax.tree.map(lambda all: all[number], kept)
        pull = jax.vjp(partial(block, number=number), params, state)[1]
        more, adjoint = pull((adjoint, 1.0))
        return jax.tree.map(jnp.add, gradient, more), adjoint

    room = jax.tree.map(lambda it: jnp.zeros((blocks, *it.shape)), REBER_START)
    _, kept = lax.fori_loop(0, needed, forth, (REBER_START, room))
    nothing = jax.tree.map(jnp.zeros_like, params)
    return lax.fori_loop(0, needed, back, (nothing, REBER_START))[0]


def reber(trials: int, gradient: Gradient, **options) -> Loop:
    def draw(key, strings):
        return strings[jax.random.randint(key, (), 0, len(strings))]

    return Loop(REBER, trials, gradient, draw, jnp.asarray(strings(trials)), **options)


def peers() -> Iterator[Peer]:
    """Every workload in JAX, in variants."""
    products = (jnp.matmul, ""), (times, ", products as sums")
    for n in LATCH.trials:
        for options, halved in devices(n):
            for unroll, generator in every((1, 50), ("threefry2x32", "rbg")):
                build = partial(latch, n, unroll=unroll, generator=generator, **options)
                yield Peer("JAX", LATCH, n, build, f"unroll {unroll}, {generator}{halved}")
    for n in REBER.trials:
        for options, halved in devices(n):
            for (by, how), (gradient, given) in every(products, REBER_GRADIENTS):
                build = partial(reber, n, partial(gradient, product=by, **given), **options)
                label = ", ".join(f"{key} {it}" for key, it in given.items())
                name = gradient.__name__.removeprefix("reber_")
                yield Peer("JAX", REBER, n, build, f"{name}, {label}{how}{halved}")
    for n in LAG.trials:
        for options, halved in devices(n):
            for unroll in (1, 10):
                label, chosen = f"unroll {unroll}", partial(lag_inside, unroll=unroll)
                build = partial(lag, LAG, n, chosen, **options)
                yield Peer("JAX, readout in the scan", LAG, n, build, label + halved)
                for by, how in products:
                    chosen = partial(lag_hoisted, unroll=unroll, product=by)
                    build = partial(lag, LAG, n, chosen, **options)
                    yield Peer("JAX, readout hoisted", LAG, n, build, label + how + halved)
    for n in LAG_RTRL.trials:
        for options, halved in devices(n):
            build = partial(lag, LAG_RTRL, n, lag_rtrl_generic, **options)
            yield Peer("JAX, RTRL by jacrev", LAG_RTRL, n, build, halved.removeprefix(", "))
            build = partial(lag, LAG_RTRL, n, lag_rtrl_by_hand, **options)
            yield Peer("JAX, RTRL by hand", LAG_RTRL, n, build, halved.removeprefix(", "))


REBER_GRADIENTS = (
    *((reber_padded, {"unroll": it}) for it in (1, 8)),
    *((reber_blocks, {"steps": it}) for it in (1, 4)),
)


def devices(trials: int) -> Iterator[tuple[dict[str, int], str]]:
    """On one device, and with enough trials on as many as there are cores."""
    yield {}, ""
    if trials > 1:
        yield {"devices": CORES}, f", {CORES} devices"
