"""A cell whose start is learned, so that a gradient must reach back before the first step.

    state_t = tanh(W state_{t-1} + V x_t)                   (1)
    output  = U [state_t, x_t]                              (2)

state_0 is a parameter.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..cells._cell import Cell, uniform
from ..types import Params


@dataclass(frozen=True)
class LearnedStart(Cell):
    """A few tanh units, their start among the parameters."""

    units: int = 3

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        shapes = {
            "W": (self.units, self.units),
            "V": (self.units, inputs),
            "U": (outputs, self.units + inputs),
            "start": (self.units,),
        }
        return {name: uniform(generator, *shape, width=0.8) for name, shape in shapes.items()}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        return params["start"]

    def layout(self, params: Params) -> dict[str, int]:
        return {"units": self.units}

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        return torch.tanh(params["W"] @ state + params["V"] @ x)  # (1)

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        return params["U"] @ torch.cat([state, x])  # (2)
