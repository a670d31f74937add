"""The second net of random guessing (A2): hidden units that see themselves and the output alone.

    h_i(t) = f(w_i x(t) + u_i y(t-1) + s_i h_i(t-1) + b_i)                          (1)
    y(t)   = f(V h(t') + c)                 t' = t hidden first, t - 1 synchronously    (2)

No hidden unit sees another, and the output does not see itself. The source writes that the output
unit is connected to all other units; whether the input is one of them is left open, and is a choice
here (`shortcut`). In which order units change it does not say either, and it decides the results.

Reference: S. Hochreiter, J. Schmidhuber, LSTM Can Solve Hard Long Time Lag Problems, 1996, section
1, architecture A2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import expect
from ..types import Params
from ._cell import Cell, uniform
from .squashings._squashing import Squashing
from .squashings.logistic import Logistic


@dataclass(frozen=True)
class Hochreiter1996(Cell):
    """Hidden units side by side, joined by the output alone.

    Args:
        hidden: how many.
        self_links: whether a hidden unit sees itself.
        shortcut: whether the outputs see the inputs.
        hidden_first: whether the outputs see the hidden units of the same step.
        squashing: f of every unit.
        width: weights start uniform in [-width, width].
    """

    hidden: int = 10
    self_links: bool = True
    shortcut: bool = False
    hidden_first: bool = True
    squashing: Squashing = Logistic()
    width: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, hidden=self.hidden)

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        """What hidden units see of inputs and outputs, of themselves, and what outputs see."""
        seen = self.hidden + (inputs if self.shortcut else 0)
        shapes = {"hidden": (self.hidden, inputs + outputs), "outputs": (outputs, seen)}
        shapes |= {"hidden_bias": (self.hidden,), "output_bias": (outputs,)}
        if self.self_links:
            shapes["self"] = (self.hidden,)
        return {name: uniform(generator, *it, width=self.width) for name, it in shapes.items()}

    def layout(self, params: Params) -> dict[str, int]:
        """The activations of the hidden units, then of the outputs."""
        return {"hidden": self.hidden, "outputs": len(params["outputs"])}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        return params["outputs"].new_zeros(self.hidden + len(params["outputs"]))

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        before, outputs = state[: self.hidden], state[self.hidden :]
        net = params["hidden"] @ torch.cat([x, outputs]) + params["hidden_bias"]
        if self.self_links:
            net = net + params["self"] * before
        hidden = self.squashing(net)  # (1)
        seen = hidden if self.hidden_first else before
        if self.shortcut:
            seen = torch.cat([seen, x])
        net = params["outputs"] @ seen + params["output_bias"]
        return torch.cat([hidden, self.squashing(net)])  # (2)

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        return state[self.hidden :]
