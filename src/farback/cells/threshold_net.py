"""A fully recurrent net of threshold units, whose outputs may be differentiable.

    net(t) = W [x(t), y(t-1)] + bias                            (1)
    y(t)   = sign(net(t)),  sign(0) = +1                        (2)

It is `FullyRecurrent` with threshold units for its hidden ones, and for its outputs where they have
no squashing of their own; additive inputs, `hidden_first` and `hidden_links` mean the same. The way
back through (2) is that of `_threshold`, a wish that is one of the changes that a unit can make; an
output f has its own derivative, and hands its error on to the threshold units as their wish.

Parity with one hidden unit is in reach hidden first and with a bias on both units: of 400 000 nets
drawn at random 368 had it then, and none without the output's bias or synchronously.

Reference: Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to Backpropagation,
1993, sections 5 and 7; Y. Bengio, P. Simard, P. Frasconi, Learning Long-Term Dependencies with
Gradient Descent is Difficult, 1994.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage, expect
from ..types import Params
from ._cell import Cell
from ._threshold import Limits, check_wish, threshold
from .fully_recurrent import FullyRecurrent
from .squashings._squashing import Squashing


@dataclass(frozen=True)
class ThresholdNet(Cell):
    """Threshold units that see the inputs and one another.

    Args:
        hidden: units that are not outputs.
        outputs: units that are.
        squashing: f of the outputs; None where they are threshold units too.
        hidden_first: whether the outputs see the hidden units of the same step.
        hidden_bias: whether the hidden units have a bias.
        output_bias: whether the output units have one.
        hidden_links: whether the hidden units see themselves and one another.
        additive: whether input i is added to the net input of hidden unit i with a fixed weight
            of 1, instead of reaching every unit through a weight that is learned.
        reset: the activation of every unit before the first step.
        width: weights start uniform in [-width, width].
        margin: lam, how far below 0 a net input is wished that is to go down.
        limits: the largest wishes, MIN and MAX.
    """

    hidden: int = 3
    outputs: int = 1
    squashing: Squashing | None = None
    hidden_first: bool = False
    hidden_bias: bool = False
    output_bias: bool = False
    hidden_links: bool = True
    additive: bool = False
    reset: float = 0.0
    width: float = 0.5
    margin: float = 0.1
    limits: Limits = (-2.0, 2.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1 if self.squashing else 0, hidden=self.hidden)
        expect(1, outputs=self.outputs)
        check_wish(self.margin, self.limits)

    @property
    def exact(self) -> bool:
        return False

    @property
    def dice(self) -> int:
        return self.hidden + (0 if self.squashing else self.outputs)

    @property
    def has_jacobian(self) -> bool:
        return False

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        """Those of `FullyRecurrent`."""
        if outputs != self.outputs:
            raise WrongUsage(
                f"{outputs} outputs came for a ThresholdNet of {self.outputs}, which draws for "
                f"each of its threshold units; try outputs={outputs}."
            )
        return self._wired.parameters(generator, inputs, outputs)

    def layout(self, params: Params) -> dict[str, int]:
        """The activations of the hidden units, then of the outputs."""
        return self._wired.layout(params)

    def start(self, params: Params) -> Float[Tensor, " N"]:
        return self._wired.start(params)

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        x, dice = x[: -self.dice], x[-self.dice :]
        first, wired = self.hidden, self._wired
        net = wired.net(params, state, x)  # (1)
        hidden = threshold(net[:first], dice[:first], self.margin, self.limits)  # (2)
        if self.hidden_first:
            net = wired.net(params, torch.cat([hidden, state[first:]]), x)
        if self.squashing is not None:
            return torch.cat([hidden, self.squashing(net[first:])])
        said = threshold(net[first:], dice[first:], self.margin, self.limits)
        return torch.cat([hidden, said])

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        return state[self.hidden :]

    @property
    def _wired(self) -> FullyRecurrent:
        """The same weights and net inputs."""
        return FullyRecurrent(
            self.hidden,
            hidden_bias=self.hidden_bias,
            output_bias=self.output_bias,
            hidden_links=self.hidden_links,
            additive=self.additive,
            reset=self.reset,
            width=self.width,
        )
