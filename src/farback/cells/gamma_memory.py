"""Gamma memory: a line of leaky delays, between a delay line and a context unit.

    m_0(t) = x(t)
    m_k(t) = (1 - mu) m_k(t-1) + mu m_{k-1}(t-1),   k = 1..K                                (1)
    h(t)   = tanh(sum_k W_k m_k(t) + b)                                                     (2)

Each input has a line of its own. mu trades resolution for depth, which is about K / mu steps; it is
stable for 0 < mu < 2, and at mu = 1 the line is a time-delay net's. mu may be learned. The state
holds h, then m_0 to m_K of all inputs.

Reference: B. de Vries, J. C. Principe, The Gamma Model: A New Neural Model for Temporal Processing,
Neural Networks 5, 1992.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage, expect
from ..types import Params
from ._hidden import Hidden


@dataclass(frozen=True)
class GammaMemory(Hidden):
    """Units above lines of leaky delays.

    Args:
        taps: K.
        mu: how much of a tap moves on in a step.
        learned: whether mu is learned.
    """

    taps: int = 4
    mu: float = 0.5
    learned: bool = True

    def refuse(self) -> None:
        expect(1, taps=self.taps)
        if not 0 < self.mu < 2:
            raise WrongUsage(f"mu came as {self.mu}, expected between 0 and 2; try mu=0.5.")

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """W by tap and input, b, and mu where it is learned."""
        params = {
            "taps": self.uniform(generator, self.hidden, (self.taps + 1) * inputs),
            "bias": self.uniform(generator, self.hidden),
        }
        if self.learned:
            params["mu"] = torch.full((), self.mu, dtype=torch.float64)
        return params

    def layout(self, params: Params) -> dict[str, int]:
        return {"h": self.hidden, "memory": params["taps"].shape[1]}

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        before = state[self.hidden :]
        mu = params["mu"] if self.learned else self.mu
        moved = (1 - mu) * before[len(x) :] + mu * before[: -len(x)]
        memory = torch.cat([x, moved])  # (1)
        return torch.cat([torch.tanh(params["taps"] @ memory + params["bias"]), memory])  # (2)
