"""The constant error carousel, without gates, with one kind of them, or with both.

    s(t) = s(t-1) + i(t) g(W [x(t), y(t-1)] + b)                                            (1)
    y(t) = o(t) h(s(t))                                                                     (2)

i and o are logistic functions of [x(t), y(t-1)] where there is such a gate, else 1. Along s alone
the error goes back by exactly 1 a step. Without gates, the naive cell, one weight must both write
what matters and keep out what does not: the input weight conflict; and the output weight conflict
on the way out. With both gates it is an LSTM of 1997 with blocks of one cell.

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997,
sections 3.2 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..types import Params
from ._hidden import Hidden
from .squashings._squashing import Squashing
from .squashings.logistic import Logistic


@dataclass(frozen=True)
class Carousel(Hidden):
    """Cells that add up.

    Args:
        input_gate: whether something decides what is written.
        output_gate: whether something decides what is read.
        g: squashing of what a cell is given.
        h_squashing: of what it holds.
    """

    input_gate: bool = False
    output_gate: bool = False
    g: Squashing = Logistic(-2, 2)
    h_squashing: Squashing = Logistic(-1, 1)

    @property
    def _gates(self) -> int:
        return int(self.input_gate) + int(self.output_gate)

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """Weights and biases of the input gates, of the output gates, of the cells."""
        rows = (self._gates + 1) * self.hidden
        return {
            "cells": self.uniform(generator, rows, inputs + self.hidden),
            "bias": self.uniform(generator, rows),
        }

    def layout(self, params: Params) -> dict[str, int]:
        return {"y": self.hidden, "s": self.hidden}

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        y, s = state.split(self.hidden)
        net = params["cells"] @ torch.cat([x, y]) + params["bias"]
        *gates, new = net.split(self.hidden)
        gates = [torch.sigmoid(it) for it in gates]
        written = self.g(new)
        s = s + (gates[0] * written if self.input_gate else written)  # (1)
        read = self.h_squashing(s)
        y = gates[-1] * read if self.output_gate else read  # (2)
        return torch.cat([y, s])
