"""A time-delay net: hidden units see the last inputs, and nothing else of the past.

    h(t) = tanh(sum_{d=0..D} W_d x(t-d) + b)                                                (1)

There is no loop: the error ends exactly where the window does, D steps back. Before the first input
the window holds zeros. The state holds h, then x(t) to x(t-D).

Reference: A. Waibel, T. Hanazawa, G. Hinton, K. Shikano, K. Lang, Phoneme Recognition Using
Time-Delay Neural Networks, 1989; K. J. Lang, A. H. Waibel, G. E. Hinton, A Time-Delay Neural
Network Architecture for Isolated Word Recognition, 1990.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import expect
from ..types import Params
from ._hidden import Hidden


@dataclass(frozen=True)
class TDNN(Hidden):
    """Units above a window of inputs.

    Args:
        delays: D, how far back the window reaches.
    """

    delays: int = 4

    def refuse(self) -> None:
        expect(1, delays=self.delays)

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """W by delay and input, and b."""
        return {
            "window": self.uniform(generator, self.hidden, (self.delays + 1) * inputs),
            "bias": self.uniform(generator, self.hidden),
        }

    def layout(self, params: Params) -> dict[str, int]:
        return {"h": self.hidden, "window": params["window"].shape[1]}

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        window = torch.cat([x, state[self.hidden : -len(x)]])
        return torch.cat([torch.tanh(params["window"] @ window + params["bias"]), window])  # (1)
