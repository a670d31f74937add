"""The hyperbolic tangent, with slope at most 1."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ._squashing import Squashing


@dataclass(frozen=True)
class Tanh(Squashing):
    """tanh(net)."""

    def __call__(self, net: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        return torch.tanh(net)
