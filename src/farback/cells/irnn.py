"""Rectified units that start as a sum: the recurrent matrix is the identity.

    h(t) = relu(W x(t) + U h(t-1) + b),   U = scale I at the start                          (1)

As it starts, an active unit keeps what it has and its error: the rate is ln(scale) a step until
training moves U. Input weights start Gaussian.

Reference: Q. V. Le, N. Jaitly, G. E. Hinton, A Simple Way to Initialize Recurrent Networks of
Rectified Linear Units, 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..types import Params
from ._hidden import Hidden


@dataclass(frozen=True)
class IRNN(Hidden):
    """Rectified linear units.

    Args:
        scale: of the identity at the start; the source takes 0.01 where the past matters little.
        std: standard deviation of the input weights.
        bias: what all of b start at; at the source's 0 a unit without input stands at its bend.
    """

    scale: float = 1.0
    std: float = 0.001
    bias: float = 0.0

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """W, U and b."""
        noise = torch.randn(self.hidden, inputs, generator=generator, dtype=torch.float64)
        return {
            "input": self.std * noise,
            "state": self.scale * torch.eye(self.hidden, dtype=torch.float64),
            "bias": noise.new_full((self.hidden,), self.bias),
        }

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        net = params["input"] @ x + params["state"] @ state + params["bias"]
        return torch.relu(net)  # (1)
