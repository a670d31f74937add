"""Elman's net: a hidden layer that sees its own last activations, and an output layer above it.

    h(t) = f_h(W [x(t), h(t-1)] + bias)                 (1)
    y(t) = f(V h(t) + bias)                             (2)

With a shortcut the outputs see the inputs too, V [x(t), h(t)], so that each layer sees all layers
below. `Elman(hidden=1, shortcut=True, reset=0.0)` is the net of Hochreiter and Schmidhuber's
experiment 2a for RTRL and BPTT: one self-recurrent hidden unit and n^2 + 2n + 1 weights on n
symbols. Elman's learning rule cuts the error after one step; that is a gradient, not this net.

Reference: J. L. Elman, Finding Structure in Time, Cognitive Science 14(2), 1990.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import expect
from ..types import Params
from ._cell import Cell, biased, uniform
from .squashings._squashing import Squashing
from .squashings.logistic import Logistic


@dataclass(frozen=True)
class Elman(Cell):
    """A recurrent hidden layer below an output layer.

    Args:
        hidden: hidden units.
        squashing: f_h of the hidden units.
        readout_squashing: f of the outputs.
        hidden_bias: whether the hidden units have a bias.
        readout_bias: whether the outputs have one.
        shortcut: whether the outputs see the inputs.
        reset: the activation of the hidden units before the first step; 0.5 is Elman's.
        width: weights start uniform in [-width, width].
    """

    hidden: int = 15
    squashing: Squashing = Logistic()
    readout_squashing: Squashing = Logistic()
    hidden_bias: bool = False
    readout_bias: bool = False
    shortcut: bool = False
    reset: float = 0.5
    width: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, hidden=self.hidden)

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        """Weights [units, what they see] of both layers; and biases."""
        read = self.hidden + (inputs if self.shortcut else 0)
        params = {
            "hidden": uniform(generator, self.hidden, inputs + self.hidden, width=self.width),
            "readout": uniform(generator, outputs, read, width=self.width),
        }
        if self.hidden_bias:
            params["hidden_bias"] = uniform(generator, self.hidden, width=self.width)
        if self.readout_bias:
            params["readout_bias"] = uniform(generator, outputs, width=self.width)
        return params

    def layout(self, params: Params) -> dict[str, int]:
        return {"h": self.hidden}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        return params["hidden"].new_full((self.hidden,), self.reset)

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        net = params["hidden"] @ torch.cat([x, state])
        return self.squashing(biased(net, params, "hidden_bias"))  # (1)

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        seen = torch.cat([x, state]) if self.shortcut else state
        return self.readout_squashing(
            biased(params["readout"] @ seen, params, "readout_bias")
        )  # (2)
