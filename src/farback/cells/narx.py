"""NARX: a net that sees its last outputs and inputs, without any other state.

    y(t) = f(V tanh(W [x(t), ..., x(t-Du), y(t-1), ..., y(t-Dy)] + b) + c)                  (1)

Unfolded in time, the delays of the output are connections that jump ahead: in q steps the error
passes q / Dy squashings on its shortest way. That multiplies how far it reaches by about Dy; the
fading itself stays exponential. The state holds y(t) to y(t-Dy+1), then x(t) to x(t-Du).

Reference: T. Lin, B. G. Horne, P. Tino, C. L. Giles, Learning Long-Term Dependencies Is Not as
Difficult with NARX Recurrent Neural Networks, 1995.
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
from .squashings.tanh import Tanh


@dataclass(frozen=True)
class NARX(Cell):
    """A layer of hidden units in a loop of delayed outputs.

    Args:
        hidden: units.
        output_delays: Dy.
        input_delays: Du.
        squashing: f of the outputs.
        width: weights start uniform in [-width, width].
    """

    hidden: int = 4
    output_delays: int = 3
    input_delays: int = 0
    squashing: Squashing = Tanh()
    width: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, hidden=self.hidden, output_delays=self.output_delays)
        expect(0, input_delays=self.input_delays)

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        """W over inputs and outputs, b, V and c."""
        seen = inputs * (self.input_delays + 1) + outputs * self.output_delays
        return {
            "hidden": uniform(generator, self.hidden, seen, width=self.width),
            "hidden_bias": uniform(generator, self.hidden, width=self.width),
            "output": uniform(generator, outputs, self.hidden, width=self.width),
            "output_bias": uniform(generator, outputs, width=self.width),
        }

    def layout(self, params: Params) -> dict[str, int]:
        outputs = len(params["output_bias"]) * self.output_delays
        return {"y": outputs, "x": params["hidden"].shape[1] - outputs}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        """Zeros."""
        return params["hidden"].new_zeros(params["hidden"].shape[1])

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        size = len(params["output_bias"])
        past, window = state.split(list(self.layout(params).values()))
        window = torch.cat([x, window[: -len(x)]])
        hidden = params["hidden"] @ torch.cat([window, past]) + params["hidden_bias"]
        y = self.squashing(params["output"] @ torch.tanh(hidden) + params["output_bias"])  # (1)
        return torch.cat([y, past[:-size], window])

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        return state[: len(params["output_bias"])]
