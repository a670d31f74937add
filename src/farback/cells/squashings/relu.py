"""The rectifier: nothing below zero, the net input above.

    f(net) = max(net, 0)

Its slope is 0 or 1, so that an error passes an active unit unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ._squashing import Squashing


@dataclass(frozen=True)
class ReLU(Squashing):
    """max(net, 0)."""

    def __call__(self, net: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        return torch.relu(net)
