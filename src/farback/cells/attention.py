"""Causal attention over the last steps: what is remembered is kept whole and looked up.

    [q k v](t) = W x(t) + b                                                                 (1)
    a_d(t)     = q(t) k(t-d) / sqrt(H) + p_d,   d = 0..window-1, of steps that there were   (2)
    h(t)       = tanh(W_h x(t) + sum_d softmax(a(t))_d v(t-d))                              (3)

There is no loop. The error goes to each of the last steps at once, by its share of the attention
and not by a product over the steps between, and ends exactly where the window does. p is learned, a
number for each lag, and starts at 0. The state holds h, then k and v of the window, the last step
first, and 1 where there was such a step.

Reference: A. Vaswani and others, Attention Is All You Need, 2017, equation 1, with one head.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import expect
from ..types import Params
from ._hidden import Hidden


@dataclass(frozen=True)
class Attention(Hidden):
    """One head over a window.

    Args:
        window: steps that are seen, the present one among them.
    """

    window: int = 32

    def refuse(self) -> None:
        expect(1, window=self.window)

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """W of q, k, v and h, their biases, and p."""
        rows = 4 * self.hidden
        return {
            "input": self.uniform(generator, rows, inputs),
            "bias": self.uniform(generator, rows),
            "position": torch.zeros(self.window, dtype=torch.float64),
        }

    def layout(self, params: Params) -> dict[str, int]:
        kept = self.window * self.hidden
        return {"h": self.hidden, "k": kept, "v": kept, "there": self.window}

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        q, k, v, own = (params["input"] @ x + params["bias"]).split(self.hidden)  # (1)
        _, keys, values, there = state.split(list(self.layout(params).values()))
        keys = torch.cat([k, keys[: -self.hidden]])
        values = torch.cat([v, values[: -self.hidden]])
        there = torch.cat([torch.ones_like(there[:1]), there[:-1]])
        shape = self.window, self.hidden
        score = keys.unflatten(0, shape) @ q / math.sqrt(self.hidden) + params["position"]  # (2)
        share = torch.softmax(torch.where(there > 0.5, score, -torch.inf), 0)
        h = torch.tanh(own + share @ values.unflatten(0, shape))  # (3)
        return torch.cat([h, keys, values, there])
