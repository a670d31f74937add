"""A second-order net: products of states and inputs drive the units.

    S_i(t) = f(sum_jk W_ijk S_j(t-1) x_k(t) + b_i)                                          (1)

With one input for each symbol, a symbol picks one matrix of transitions, as in an automaton. The
outputs are the first units. The first unit starts at 1 and the others at 0; the source has one of
its units as the answer too.

Reference: C. L. Giles, C. B. Miller, D. Chen, H. H. Chen, G. Z. Sun, Y. C. Lee, Learning and
Extracting Finite State Automata with Second-Order Recurrent Neural Networks, 1992; R.
L. Watrous, G. M. Kuhn, Induction of Finite-State Automata Using Second-Order Recurrent Networks,
1992.
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
class SecondOrder(Cell):
    """Units driven by products.

    Args:
        hidden: units beside the outputs.
        squashing: f.
        bias: whether the units have one.
        width: weights start uniform in [-width, width].
    """

    hidden: int = 3
    squashing: Squashing = Logistic()
    bias: bool = False
    width: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(0, hidden=self.hidden)

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        """W, [unit, unit before, input], and b."""
        units = outputs + self.hidden
        params = {"weights": uniform(generator, units, units, inputs, width=self.width)}
        if self.bias:
            params["bias"] = uniform(generator, units, width=self.width)
        return params

    def layout(self, params: Params) -> dict[str, int]:
        return {"S": len(params["weights"])}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        zeros = params["weights"].new_zeros(len(params["weights"]) - 1)
        return torch.cat([zeros.new_ones(1), zeros])

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        weights = params["weights"]
        driven = (weights.flatten(0, 1) @ x).unflatten(0, weights.shape[:2]) @ state
        return self.squashing(biased(driven, params, "bias"))  # (1)

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        return state[: len(state) - self.hidden]
