"""Training in JAX: one trial's loop of updates, mapped over trials, jitted as a whole.

On two devices the trials are halved by `shard_map`: XLA runs the small operations inside of a loop
on one thread of each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jax import lax
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from workloads import Arrays, Workload, parameters

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
