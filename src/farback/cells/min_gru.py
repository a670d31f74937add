"""A gated unit whose gate looks at the input alone, so that its state is a linear recurrence.

    z(t) = logistic(W_z x(t) + b_z)                                                         (1)
    h(t) = (1 - z(t)) h(t-1) + z(t) (W x(t) + b)                                            (2)

dh(t)/dh(t-1) is 1 - z(t), unit by unit: what the error goes back through is decided by inputs and
not by the state. In this, its plain form, what is written is not squashed.

Reference: L. Feng, F. Tung, M. O. Ahmed, Y. Bengio, H. Hajimirsadegh, Were RNNs All We Needed?,
2024, section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..types import Params
from ._hidden import Hidden


@dataclass(frozen=True)
class MinGRU(Hidden):
    """One layer, and a readout."""

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """Weights and biases of the gates, then of what is written."""
        return {
            "input": self.uniform(generator, 2 * self.hidden, inputs),
            "bias": self.uniform(generator, 2 * self.hidden),
        }

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        gate, new = (params["input"] @ x + params["bias"]).split(self.hidden)
        z = torch.sigmoid(gate)  # (1)
        return (1 - z) * state + z * new  # (2)
