"""The linear recurrent unit: a diagonal linear state of complex numbers inside the unit circle.

    s_j(t) = lambda_j s_j(t-1) + gamma_j (B x(t))_j                                         (1)
    lambda = exp(-exp(nu) + i exp(theta)),   gamma_j = sqrt(1 - |lambda_j|^2) at the start  (2)
    h(t)   = Re(C s(t)) + D x(t) = [Re C, -Im C] [Re s(t), Im s(t)] + D x(t)                (3)

The error of unit j fades by |lambda_j| = exp(-exp(nu_j)) a step and never grows. |lambda|^2 starts
uniform in [shortest^2, longest^2] and the phase in [0, `phase`]. The state holds the real parts,
then the imaginary ones.

Reference: A. Orvieto, S. L. Smith, A. Gu, A. Fernando, C. Gulcehre, R. Pascanu, S. De, Resurrecting
Recurrent Neural Networks for Long Sequences, 2023.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage
from ..types import Params
from ._hidden import Hidden


@dataclass(frozen=True)
class LRU(Hidden):
    """Complex units with a memory each.

    Args:
        shortest: the least |lambda| at the start.
        longest: the largest.
        phase: the largest angle a step at the start.
    """

    shortest: float = 0.0
    longest: float = 1.0
    phase: float = 2 * math.pi

    def refuse(self) -> None:
        if not 0 <= self.shortest < self.longest <= 1:
            raise WrongUsage(
                f"shortest came as {self.shortest} and longest as {self.longest}, expected "
                "0 <= shortest < longest <= 1; try shortest=0.9, longest=0.999."
            )
        if not self.phase > 0:
            raise WrongUsage(f"phase came as {self.phase}, expected above 0; try phase=0.3.")

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """nu, theta and ln gamma; B, real above imaginary; [Re C, -Im C]; D."""
        size = self.hidden

        def normal(*shape: int, std: float) -> Tensor:
            return std * torch.randn(*shape, generator=generator, dtype=torch.float64)

        share, turn = torch.rand(2, size, generator=generator, dtype=torch.float64)
        low, high = self.shortest**2, self.longest**2
        # At the edges of [0, 1] a logarithm would not be finite.
        squared = (low + share * (high - low)).clamp(1e-12, 1 - 1e-12)
        return {
            "nu": torch.log(-0.5 * torch.log(squared)),
            "theta": torch.log((self.phase * turn).clamp(min=1e-12)),
            "log_gamma": 0.5 * torch.log(1 - squared),
            "input": normal(2 * size, inputs, std=(2 * inputs) ** -0.5),
            "mix": normal(size, 2 * size, std=size**-0.5),
            "skip": normal(size, inputs, std=inputs**-0.5),
        }

    def layout(self, params: Params) -> dict[str, int]:
        return {"real": self.hidden, "imaginary": self.hidden}

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        real, imaginary = state.split(self.hidden)
        size, angle = torch.exp(-torch.exp(params["nu"])), torch.exp(params["theta"])
        along, across = size * torch.cos(angle), size * torch.sin(angle)  # (2)
        gamma = torch.exp(params["log_gamma"])
        shown = torch.cat([gamma, gamma]) * (params["input"] @ x)
        turned = [along * real - across * imaginary, across * real + along * imaginary]
        return torch.cat(turned) + shown  # (1)

    def h(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " H"]:
        return params["mix"] @ state + params["skip"] @ x  # (3)
