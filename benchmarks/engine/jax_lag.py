"""Elman's net on 2a in JAX: outputs in the scan and out of it, RTRL by jacrev and by hand."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax import lax
from jax.flatten_util import ravel_pytree
from jax_loop import Gradient, Loop, squared
from workloads import LAG, Workload, lag_strings

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
