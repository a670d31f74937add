"""The standard fully recurrent net: every unit sees the inputs and all units of the step before.

    net(t) = W [x(t), y(t-1)] + bias                    (1)
    y(t)   = f(net(t))                                  (2)

The last units are the outputs, the others are hidden. Synchronous, all units change at once, and
what a hidden unit learns from x(t) comes out at t+1. Hidden first, the outputs read the hidden
units of their own step:

    y_out(t) = f(W_out [x(t), y_hidden(t), y_out(t-1)] + bias_out)                         (3)

The sources rarely say which they mean, and it decides which task such a net can do: parity at one
hidden unit is out of reach synchronously and within reach hidden first. Without links among hidden
units, all that they know of the past is what the outputs said: with one of them and a bias on both
units, that is the smallest net of sigmoids for the exclusive or of the input and the last output.

Reference: R. J. Williams, D. Zipser, A Learning Algorithm for Continually Running Fully Recurrent
Neural Networks, Neural Computation 1(2), 1989.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage, expect
from ..types import Params
from ._cell import Cell, uniform
from .squashings._squashing import Squashing
from .squashings.logistic import Logistic


@dataclass(frozen=True)
class FullyRecurrent(Cell):
    """Williams and Zipser's net.

    Args:
        hidden: units that are not outputs.
        squashing: f of every unit.
        hidden_first: whether the outputs see the hidden units of the same step.
        hidden_bias: whether the hidden units have a bias.
        output_bias: whether the output units have one.
        hidden_links: whether the hidden units see themselves and one another.
        additive: whether input i is added to the net input of hidden unit i with a fixed weight
            of 1, instead of reaching every unit through a weight that is learned.
        reset: the activation of every unit before the first step.
        width: weights start uniform in [-width, width].
    """

    hidden: int = 3
    squashing: Squashing = Logistic()
    hidden_first: bool = False
    hidden_bias: bool = False
    output_bias: bool = False
    hidden_links: bool = True
    additive: bool = False
    reset: float = 0.0
    width: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(0 if self.hidden_links else 1, hidden=self.hidden)

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        """Weights [units, inputs and units], hidden units first; and biases.

        Without hidden links, what hidden units see [H, inputs and outputs] is apart from what
        outputs see.
        """
        if self.additive and inputs > self.hidden:
            raise WrongUsage(
                f"{inputs} inputs came for {self.hidden} hidden units, and an additive net gives "
                f"each input a hidden unit of its own; try hidden={inputs} or additive=False."
            )
        units = self.hidden + outputs
        seen = units if self.additive else inputs + units
        shapes = {"weights": (units, seen)}
        if not self.hidden_links:
            shapes = {"hidden": (self.hidden, seen - self.hidden), "outputs": (outputs, seen)}
        params = {name: uniform(generator, *it, width=self.width) for name, it in shapes.items()}
        if self.hidden_bias:
            params["hidden_bias"] = uniform(generator, self.hidden, width=self.width)
        if self.output_bias:
            params["output_bias"] = uniform(generator, outputs, width=self.width)
        return params

    def layout(self, params: Params) -> dict[str, int]:
        """The activations of the hidden units, then of the outputs."""
        parts = {"hidden": self.hidden, "outputs": len(self.start(params)) - self.hidden}
        return {name: size for name, size in parts.items() if size}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        outputs = params["weights" if self.hidden_links else "outputs"]
        units = len(outputs) + (0 if self.hidden_links else self.hidden)
        return outputs.new_full((units,), self.reset)

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        net = self.net(params, state, x)
        if not self.hidden_first:
            return self.squashing(net)  # (2)
        hidden = self.squashing(net[: self.hidden])
        net = self.net(params, torch.cat([hidden, state[self.hidden :]]), x)
        return torch.cat([hidden, self.squashing(net[self.hidden :])])  # (3)

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        return state[self.hidden :]

    def net(self, params: Params, units: Tensor, x: Tensor) -> Float[Tensor, " N"]:
        """Equation (1)."""
        seen = units if self.additive else torch.cat([x, units])
        if self.hidden_links:
            net = params["weights"] @ seen
        else:
            outputs = units[self.hidden :]
            fed_back = outputs if self.additive else torch.cat([x, outputs])
            net = torch.cat([params["hidden"] @ fed_back, params["outputs"] @ seen])
        if self.additive:
            net = net + torch.cat([x, x.new_zeros(len(net) - len(x))])
        if not (self.hidden_bias or self.output_bias):
            return net
        none = net.new_zeros(len(net))
        return net + torch.cat(
            [
                params.get("hidden_bias", none[: self.hidden]),
                params.get("output_bias", none[self.hidden :]),
            ]
        )
