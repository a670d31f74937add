"""Independently recurrent units: each sees the inputs and itself alone.

    h(t) = f(W x(t) + u o h(t-1) + b)                                                       (1)

The error of a unit goes back by f' u_i a step and crosses to no other, so that how far it reaches
is each unit's own |u_i|. They start uniform in [0, 1], as where the longest memory is not known.

Reference: S. Li, W. Li, C. Cook, C. Zhu, Y. Gao, Independently Recurrent Neural Network (IndRNN):
Building A Longer and Deeper RNN, 2018.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..types import Params
from ._hidden import Hidden
from .squashings._squashing import Squashing
from .squashings.relu import ReLU


@dataclass(frozen=True)
class IndRNN(Hidden):
    """Units with a loop each.

    Args:
        squashing: f.
    """

    squashing: Squashing = ReLU()

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """W, u and b, which starts at zero."""
        weights = self.uniform(generator, self.hidden, inputs)
        loops = torch.rand(self.hidden, generator=generator, dtype=torch.float64)
        return {"input": weights, "loops": loops, "bias": torch.zeros_like(loops)}

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        net = params["input"] @ x + params["loops"] * state + params["bias"]
        return self.squashing(net)  # (1)
