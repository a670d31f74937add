"""An LSTM whose gates look at the input alone: what is kept and what is written sum to one.

    [f i](t) = logistic(W_fi x(t) + b_fi)                                                   (1)
    h(t)     = f'(t) h(t-1) + i'(t) (W x(t) + b),   [f' i'] = [f i] / (f + i)               (2)

dh(t)/dh(t-1) is f'(t), unit by unit, as in a minGRU; no gate sees the state. In this, its plain
form, what is written is not squashed.

Reference: L. Feng, F. Tung, M. O. Ahmed, Y. Bengio, H. Hajimirsadegh, Were RNNs All We Needed?,
2024, section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..types import Params
from ._hidden import Hidden


@dataclass(frozen=True)
class MinLSTM(Hidden):
    """One layer, and a readout."""

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """Weights and biases of f, of i, then of what is written."""
        return {
            "input": self.uniform(generator, 3 * self.hidden, inputs),
            "bias": self.uniform(generator, 3 * self.hidden),
        }

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        net = params["input"] @ x + params["bias"]
        f, i = torch.sigmoid(net[: 2 * self.hidden]).split(self.hidden)  # (1)
        return (f * state + i * net[2 * self.hidden :]) / (f + i)  # (2)
