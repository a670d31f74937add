"""Coupled oscillators: units with a position and a velocity, driven and damped.

    z(t) = z(t-1) + dt (f(W y(t-1) + V z(t-1) + U x(t) + b) - gamma y(t-1) - epsilon z(t-1))   (1)
    y(t) = y(t-1) + dt z(t)                                                                 (2)

With a small step dt the state changes little from one step to the next, so that its Jacobian is
near the identity and the error neither fades nor grows fast. The velocity of a step moves the
position of the same one, damping is that of the velocity before, as in the authors' program.

Reference: T. K. Rusch, S. Mishra, Coupled Oscillatory Recurrent Neural Network (coRNN): An Accurate
and (Gradient) Stable Architecture for Learning Long Time Dependencies, 2021.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage
from ..types import Params
from ._hidden import Hidden


@dataclass(frozen=True)
class CoRNN(Hidden):
    """Oscillators.

    Args:
        dt: the length of a step.
        gamma: how strongly a position is drawn back.
        epsilon: how strongly a velocity is damped.
    """

    dt: float = 0.1
    gamma: float = 1.0
    epsilon: float = 1.0

    def refuse(self) -> None:
        for name in ("dt", "gamma", "epsilon"):
            if not getattr(self, name) > 0:
                raise WrongUsage(
                    f"{name} came as {getattr(self, name)}, expected above 0; try {name}=0.1."
                )

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """U; W and V side by side; and b."""
        return {
            "input": self.uniform(generator, self.hidden, inputs),
            "state": self.uniform(generator, self.hidden, 2 * self.hidden),
            "bias": self.uniform(generator, self.hidden),
        }

    def layout(self, params: Params) -> dict[str, int]:
        return {"y": self.hidden, "z": self.hidden}

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        y, z = state.split(self.hidden)
        force = torch.tanh(params["state"] @ state + params["input"] @ x + params["bias"])
        z = z + self.dt * (force - self.gamma * y - self.epsilon * z)  # (1)
        return torch.cat([y + self.dt * z, z])  # (2)
