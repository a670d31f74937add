"""The threshold latch: a flip-flop, one threshold unit that holds a bit in its self-connection.

    x(t) = w y(t-1) + sum_i h_i input_i(t) + input_last(t)          (1)
    y(t) = sign(x(t)),  sign(0) = +1                                (2)

With w > 0 the unit has two fixed points, and keeps its value as long as inputs stay below w. The
way back is that of a threshold unit (`_threshold`): a wish to change y(t) becomes the wish w Dx for
y(t-1), which is as large as it was wherever the unit is asked to leave its value, and is sure to be
passed on where

    w w >= MAX  on the way up,   w (w + lam) >= -MIN  on the way down                  (3)

so that unlike the error of a tanh latch it does not decay. With a smaller w it keeps its size or is
lost, at each step by chance: with w0 = 1.25 one in nine on the way up, one in thirteen down.
Inputs are those of `LatchingNeuron`: the last is the noise and enters as it is.

Reference: Y. Bengio, P. Simard, P. Frasconi, Learning Long-Term Dependencies with Gradient Descent
is Difficult, 1994.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage
from ..types import Params
from ._cell import Cell, uniform
from ._threshold import Limits, check_wish, threshold


@dataclass(frozen=True)
class ThresholdLatch(Cell):
    """One threshold unit with a loop.

    Args:
        w0: the weight of the loop at the start.
        trainable: whether it is learned.
        width: input weights start uniform in [-width, width].
        margin: lam, how far below 0 a net input is wished that is to go down.
        limits: the largest wishes, MIN and MAX.
    """

    w0: float = 1.25
    trainable: bool = True
    width: float = 0.1
    margin: float = 0.1
    limits: Limits = (-2.0, 2.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_wish(self.margin, self.limits)

    @property
    def exact(self) -> bool:
        return False

    @property
    def dice(self) -> int:
        return 1

    @property
    def has_jacobian(self) -> bool:
        return False

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        """The input weights h, and the weight w of the loop where it is learned."""
        if inputs < 2 or outputs != 1:
            raise WrongUsage(
                f"A threshold latch came with {inputs} inputs and {outputs} outputs, expected two "
                "inputs or more (the last is the noise) and one output; try a task such as a latch."
            )
        params = {"h": uniform(generator, inputs - 1, width=self.width)}
        if self.trainable:
            params["w"] = torch.full((1,), self.w0, dtype=torch.float64)
        return params

    def layout(self, params: Params) -> dict[str, int]:
        return {"y": 1}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        """Neither of its values."""
        return params["h"].new_zeros(1)

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        w = params["w"] if self.trainable else self.w0
        net = w * state + params["h"] @ x[:-2] + x[-2:-1]  # (1)
        return threshold(net, x[-1:], self.margin, self.limits)  # (2)

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        return state[:]
