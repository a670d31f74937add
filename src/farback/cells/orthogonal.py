"""A recurrent matrix that stays orthogonal: a product of reflections.

    U = H(v_1) ... H(v_H),   H(v) = I - 2 v v' / v'v                                        (1)
    h(t) = f(W x(t) + U h(t-1) + b)                                                         (2)

U keeps every length, so that without f the error neither fades nor grows: its rate is exactly 0.
With tanh it can only fade. Each v_k starts as the part from the kth unit on of a Gaussian vector,
as torch's parametrisation by Householder reflections keeps them; their signs and the last row are
torch's up to the sign of U's columns.

Reference: Z. Mhammedi, A. Hellicar, A. Rahman, J. Bailey, Efficient Orthogonal Parametrisation of
Recurrent Neural Networks Using Householder Reflections, 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..types import Params
from ._hidden import Hidden
from .squashings._squashing import Squashing
from .squashings.tanh import Tanh


@dataclass(frozen=True)
class Orthogonal(Hidden):
    """Units behind a rotation.

    Args:
        squashing: f.
    """

    squashing: Squashing = Tanh()

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """W, the vectors v in rows, and b, which starts at zero."""
        size = self.hidden
        vectors = torch.randn(size, size, generator=generator, dtype=torch.float64).triu()
        return {
            "input": self.uniform(generator, size, inputs),
            "reflections": vectors,
            "bias": vectors.new_zeros(size),
        }

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        net = params["input"] @ x + self.turned(params, state) + params["bias"]
        return self.squashing(net)  # (2)

    def turned(self, params: Params, state: Float[Tensor, " H"]) -> Float[Tensor, " H"]:
        """U h, equation (1)."""
        for v in reversed(params["reflections"].unbind(0)):
            state = state - 2 * (v @ state) / (v @ v) * v
        return state
