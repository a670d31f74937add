"""The workloads in JAX: one trial's loop of updates, mapped over trials, jitted as a whole.

Gradients are those of `jax.grad` through `lax.scan`, but where a variant says otherwise. On two
devices the trials are halved by `shard_map`: XLA runs the small operations inside of a loop on one
thread of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import product as every
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from peer import Peer
from workloads import (
    LAG,
    LAG_RTRL,
    LATCH,
    REBER,
    Arrays,
    Workload,
    lag_strings,
    parameters,
    strings,
)

CORES = 2
jax.config.update("jax_num_cpu_devices", CORES)

Gradient = Callable[[Any, Any], Any]
"""From the parameters and the example of one trial, among `trials`."""


class Loop:
    """Every trial a loop of updates."""

    def __init__(
        self,
        workload: Workload,
        trials: int,
        gradient: Gradient,
        draw: Callable[[Any, Any], Any],
        data: Any = None,
        *,
        devices: int = 1,
        generator: str = "threefry2x32",
    ) -> None:
        def train(params, key, data, updates):
            def update(_, carry):
                params, key = carry
                key, use = jax.random.split(key)
                found = gradient(params, draw(use, data))
                return jax.tree.map(lambda p, g: p - workload.lr * g, params, found), key

            return lax.fori_loop(0, updates, update, (params, key))

        mesh = jax.make_mesh((devices,), ("devices",), axis_types=(AxisType.Auto,))
        halves = PartitionSpec("devices")
        many = jax.vmap(train, (0, 0, 0, None), axis_name="trials")
        if devices > 1:
            specs = halves, halves, halves, PartitionSpec()
            many = jax.shard_map(many, mesh=mesh, in_specs=specs, out_specs=halves, check_vma=False)
        self._train = jax.jit(many, donate_argnums=(0, 1))
        self._gradient = jax.jit(jax.vmap(gradient, axis_name="trials"))
        keys = jax.random.split(jax.random.key(0, impl=generator), trials)
        self._params, self._keys, self._data = jax.device_put(
            (parameters(workload, trials), keys, data), NamedSharding(mesh, halves)
        )

    def advance(self, updates: int) -> None:
        self._params, self._keys = self._train(self._params, self._keys, self._data, updates)
        jax.block_until_ready(self._params)

    def gradient(self, params: Arrays, examples: np.ndarray) -> Arrays:
        return {name: np.asarray(it) for name, it in self._gradient(params, examples).items()}


def squared(output, target):
    return ((output - target) ** 2).sum() / 2


def times(matrix, vector):
    """The product of small ones, as a sum that XLA fuses with what is around it."""
    return (matrix * vector).sum(-1)


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


# Elman's net on 2a.

INPUTS, HIDDEN = LAG.task.inputs, LAG.cell.hidden
LAG_START = jnp.full(HIDDEN, LAG.cell.reset)


def lag_cell(params, h, x):
    return jax.nn.sigmoid(params["hidden"] @ jnp.concatenate([x, h]))


def lag_read(params, h):
    return jax.nn.sigmoid(h @ params["readout"].T)


def lag_coded(last):
    """Inputs and targets of one of the two strings."""
    coded = jax.nn.one_hot(jnp.asarray(lag_strings())[last], INPUTS)
    return coded[:-1], coded[1:]


def lag_inside(params, last, *, unroll):
    """As the equations stand."""

    def error(params):
        def step(h, given):
            x, target = given
            h = lag_cell(params, h, x)
            return h, squared(lag_read(params, h), target)

        return lax.scan(step, LAG_START, lag_coded(last), unroll=unroll)[1].sum()

    return jax.grad(error)(params)


def lag_run(params, last, *, unroll, product):
    """h of every step, from what the inputs bring, which is looked up before."""
    driven = params["hidden"].T[jnp.asarray(lag_strings())[last][:-1]]

    def step(h, drive):
        h = jax.nn.sigmoid(drive + product(params["hidden"][:, INPUTS:], h))
        return h, h

    return lax.scan(step, LAG_START, driven, unroll=unroll)[1]


def lag_hoisted(params, last, **options):
    """Inputs and outputs of all steps at once, and the recurrence alone inside the scan."""

    def error(params):
        return squared(lag_read(params, lag_run(params, last, **options)), lag_coded(last)[1])

    return jax.grad(error)(params)


def lag_rtrl_generic(params, last):
    """The Jacobians of any cell, by autodiff; outputs inside the scan."""
    hidden, readout = {"hidden": params["hidden"]}, params["readout"]
    flat, shaped = ravel_pytree(hidden)

    def step(carry, given):
        h, sensitivity, dhidden, dreadout = carry
        x, target = given
        own, jacobian = jax.jacrev(lambda flat, h: lag_cell(shaped(flat), h, x), (0, 1))(flat, h)
        h, sensitivity = lag_cell(params, h, x), jacobian @ sensitivity + own

        def error(readout, h):
            return squared(lag_read({"readout": readout}, h), target)

        more, entering = jax.grad(error, (0, 1))(readout, h)
        return (h, sensitivity, dhidden + entering @ sensitivity, dreadout + more), None

    start = LAG_START, jnp.zeros((HIDDEN, len(flat))), jnp.zeros_like(flat), 0 * readout
    (_, _, dhidden, dreadout), _ = lax.scan(step, start, lag_coded(last))
    return {**shaped(dhidden), "readout": dreadout}


def lag_rtrl_by_hand(params, last):
    """The equations of RTRL; all but the sensitivities outside of the scan."""
    inputs, targets = lag_coded(last)
    h = lag_run(params, last, unroll=1, product=jnp.matmul)

    def error(readout, h):
        return squared(lag_read({"readout": readout}, h), targets)

    dreadout, entering = jax.grad(error, (0, 1))(params["readout"], h)
    seen = jnp.concatenate([inputs, jnp.concatenate([LAG_START[None], h[:-1]])], 1)
    own = jnp.eye(HIDDEN)[:, :, None]

    def step(carry, given):
        sensitivity, gradient = carry
        slope, seen, entering = given
        jacobian = slope[:, None] * params["hidden"][:, INPUTS:]
        carried = jnp.tensordot(jacobian, sensitivity, 1)
        sensitivity = carried + own * (slope[:, None] * seen)[:, None]
        return (sensitivity, gradient + jnp.tensordot(entering, sensitivity, 1)), None

    start = jnp.zeros((HIDDEN, *params["hidden"].shape)), 0 * params["hidden"]
    (_, gradient), _ = lax.scan(step, start, (h * (1 - h), seen, entering))
    return {"hidden": gradient, "readout": dreadout}


def lag(workload: Workload, trials: int, gradient: Gradient, **options) -> Loop:
    def draw(key, _):
        return jax.random.randint(key, (), 0, 2)

    return Loop(workload, trials, gradient, draw, **options)


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
