"""What a learner draws at a step, as a function of what it remembers.

A trial's key comes from its seed and stands in the learner's memory beside the count of steps, so
that a step is a pure function, and a trial that is saved goes on with the numbers it would have
had. Both are held as whole numbers that float32 keeps: the key of 64 bits in four of 16, the count
in two of 20.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..draws import Draws, Words, words_to_units

Chance = dict[str, Tensor]
"""The key, [R, 4], and the count of steps, [R, 2]; without the axis R for one trial."""

_KEY_BITS, _COUNT_BITS = 16, 20

GRID = 2.0**-24
"""Numbers are drawn at so even steps, which float32 has too."""


def begin(seeds: Sequence[int], like: Tensor) -> Chance:
    """The chance of some trials before the first step, in the type of `like`."""
    keys = Draws(seeds, "learner").keys
    parts = [keys >> np.uint64(_KEY_BITS * place) & np.uint64(0xFFFF) for place in range(4)]
    key = torch.from_numpy(np.stack(parts, 1).astype(np.float64)).to(like)
    return {"key": key, "step": key[:, :2] * 0}


def rolled(chance: Chance, count: int) -> Float[Tensor, "R count"]:
    """Numbers uniform in [0, 1), `count` for the present step of each trial.

    The native engine draws the same (training.h).
    """
    key, step = (_whole(chance[name]) for name in ("key", "step"))
    parts = [key[:, place] << np.uint64(_KEY_BITS * place) for place in range(4)]
    keys = np.bitwise_or.reduce(parts)
    number = step[:, 0] | step[:, 1] << np.uint64(_COUNT_BITS)
    places = np.arange(-(-count // 2), dtype=np.uint64)[:, None]
    units = words_to_units(places, number, keys)[:count].T
    return torch.from_numpy(np.floor(units / GRID) * GRID).to(chance["key"])


def passed(chance: Chance) -> Chance:
    """After a step."""
    return chance | {"step": onward(chance["step"], 1)}


def onward(count: Float[Tensor, "*R 2"], more: Tensor | int) -> Float[Tensor, "*R 2"]:
    """A count with one more, or with none."""
    low, high = count.unbind(-1)
    low = low + more
    full = low >= 2**_COUNT_BITS
    return torch.stack([torch.where(full, 0.0, low), high + full.to(high)], -1)


def number_of(count: Float[Tensor, "*R 2"]) -> Float[Tensor, " *R"]:
    """The count as one number, in float64."""
    low, high = count.double().unbind(-1)
    return low + 2**_COUNT_BITS * high


def _whole(values: Tensor) -> Words:
    return values.cpu().double().numpy().astype(np.uint64)
