"""Additive updates, weighted by how much the input changed: time warping invariant.

    S(t) = S(t-1) + l(t) tanh(W [S(t-1), x(t)]),   l(t) = |x(t+1) - x(t)|                   (1)

Where the input stands still so does the state, so that a trajectory is told alike at any speed. The
Jacobian is 1 + l f' w, near 1 where steps are short. The source looks one step ahead for l; so that
a step sees its own input alone, l is here |x(t) - x(t-1)|, which is the same one step later, and
the first step has |x(1)|. The state holds S, then the last input.

Reference: G.-Z. Sun, H.-H. Chen, Y.-C. Lee, Time Warping Invariant Neural Networks, NIPS 5, 1993.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..types import Params
from ._hidden import Hidden


@dataclass(frozen=True)
class TWINN(Hidden):
    """Units that add.

    Args:
        warped: whether l is the input's change; without it 1, an additive unit at any input.
    """

    warped: bool = True

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """W by state and by input, and a bias."""
        return {
            "state": self.uniform(generator, self.hidden, self.hidden),
            "input": self.uniform(generator, self.hidden, inputs),
            "bias": self.uniform(generator, self.hidden),
        }

    def layout(self, params: Params) -> dict[str, int]:
        return {"S": self.hidden} | ({"x": params["input"].shape[1]} if self.warped else {})

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        s = state[: self.hidden]
        new = torch.tanh(params["state"] @ s + params["input"] @ x + params["bias"])
        if not self.warped:
            return s + new
        # A root has no derivative at 0; what stands still has none to give.
        squared = ((x - state[self.hidden :]) ** 2).sum()
        moved = torch.where(squared > 0, squared, 1.0).sqrt() * (squared > 0)
        return torch.cat([s + moved * new, x])  # (1)
