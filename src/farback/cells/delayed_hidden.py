"""Delays among hidden units: each step hears the last D states, not one alone.

    h(t) = tanh(sum_{d=1..D} U_d h(t-d) + W x(t) + b)                                       (1)

As in NARX, error jumps D steps at a time; D = 1 is Elman's net. The state holds h(t) to h(t-D+1).

Reference: T. Lin, B. G. Horne, P. Tino, C. L. Giles, How Embedded Memory in Recurrent Neural
Network Architectures Helps Learning Long-Term Temporal Dependencies, Neural Networks 11, 1998.
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
class DelayedHidden(Hidden):
    """A layer that hears its last states.

    Args:
        delays: D.
    """

    delays: int = 3

    def refuse(self) -> None:
        expect(1, delays=self.delays)

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """W, U by delay, and b."""
        return {
            "input": self.uniform(generator, self.hidden, inputs),
            "state": self.uniform(generator, self.hidden, self.delays * self.hidden),
            "bias": self.uniform(generator, self.hidden),
        }

    def layout(self, params: Params) -> dict[str, int]:
        return {"h": self.delays * self.hidden}

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        h = torch.tanh(params["state"] @ state + params["input"] @ x + params["bias"])  # (1)
        return torch.cat([h, state[: -self.hidden]])
