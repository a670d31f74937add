"""Fixed random weights by which the error of the outputs comes to the state."""

from __future__ import annotations

from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from ...draws import seed_of
from ._gradient import Net
from ._structure import read_by_outputs


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def feedback_of(net: Net, seed: int | None) -> Float[Tensor, "O N"] | None:
    """B: normal, of variance 1/N, zero where no output reads the state; None without a seed.

    It stays the same for all trials and steps. The sources draw theirs each in a way of its own;
    this is the width that a readout of N units has.
    """
    if seed is None:
        return None
    read = read_by_outputs(net)
    generator = torch.Generator().manual_seed(seed_of(seed, "feedback"))
    shape = net.task.outputs, len(read)
    drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
    return drawn * read / int(read.sum().clamp(min=1)) ** 0.5
