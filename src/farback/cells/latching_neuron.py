"""The latching neuron: one tanh unit that holds a bit in its self-connection.

    a(t) = sum_{r=1..D} w_r tanh(a(t-r)) + sum_i h_i x_i(t) + x_last(t)                    (1)
    y(t) = tanh(a(t))                                                                      (2)

Each input but the last has a weight that is learned: where they indicate class and step, h_i is the
free input value of that class at that step. The last, the noise, enters as it is. With D = 1 and
w > 1 the unit has two attractors. D delays are the NARX form, with w_r = w0 / D.

Reference: Y. Bengio, P. Simard, P. Frasconi, Learning Long-Term Dependencies with Gradient Descent
is Difficult, 1994; T. Lin, B. G. Horne, P. Tino, C. L. Giles, Learning Long-Term Dependencies Is
Not as Difficult with NARX Recurrent Neural Networks, 1995.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage, expect
from ..types import Params
from ._cell import Cell, uniform


@dataclass(frozen=True)
class LatchingNeuron(Cell):
    """One neuron with a loop.

    Args:
        w0: the sum of the recurrent weights at the start, the same for every delay.
        trainable: whether the recurrent weights are learned.
        delays: D, how many of its own last activations the neuron sees.
        width: input weights start uniform in [-width, width].
    """

    w0: float = 1.25
    trainable: bool = True
    delays: int = 1
    width: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, delays=self.delays)

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        """The input weights h, and the recurrent weights w where they are learned."""
        if inputs < 2 or outputs != 1:
            raise WrongUsage(
                f"A latching neuron came with {inputs} inputs and {outputs} outputs, expected two "
                "inputs or more (the last is the noise) and one output; try a task such as a latch."
            )
        params = {"h": uniform(generator, inputs - 1, width=self.width)}
        if self.trainable:
            params["w"] = torch.full((self.delays,), self.w0 / self.delays, dtype=torch.float64)
        return params

    def layout(self, params: Params) -> dict[str, int]:
        """a(t), a(t-1), ..., a(t-D+1)."""
        return {"a": self.delays}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        return params["h"].new_zeros(self.delays)

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        w = params["w"] if self.trainable else self.w0 / self.delays
        kept = w * torch.tanh(state)
        if self.delays > 1:
            kept = kept.sum(0, keepdim=True)
        a = kept + params["h"] @ x[:-1] + x[-1:]  # (1)
        return a if self.delays == 1 else torch.cat([a, state[:-1]])

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        return torch.tanh(state[:1])  # (2)
