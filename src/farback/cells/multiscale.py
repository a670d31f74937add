"""Hierarchical time scales: layers of units, each slower and above the one before.

    h_k(t) = tanh(W_k [h_{k-1}(t), h_k(t-1)] + b_k)    where t mod 2^k = 0,   h_0 = x         (1)
    h_k(t) = h_k(t-1)                                  elsewhere                            (2)

The outputs read all layers. A layer that waits passes its error on unchanged: the slowest of the
K layers crosses 2^(K-1) steps at one squashing. t counts from 0. The state holds the layers, then t
modulo the longest period. The source has delays beside subsampling, and nets of 1 to 6 scales.

Reference: S. El Hihi, Y. Bengio, Hierarchical Recurrent Neural Networks for Long-Term Dependencies,
NIPS 8, 1996.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage, expect
from ..types import Params
from ._clock import ticked, waits
from ._hidden import Hidden


@dataclass(frozen=True)
class Multiscale(Hidden):
    """Layers of which each is half as fast.

    Args:
        scales: K layers, of as many units each.
    """

    scales: int = 4

    def refuse(self) -> None:
        expect(1, scales=self.scales)
        if self.hidden % self.scales:
            raise WrongUsage(
                f"{self.hidden} hidden units came for {self.scales} scales, expected as many in "
                f"each; try hidden={-(-self.hidden // self.scales) * self.scales}."
            )

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """W and b of each layer, the fastest first."""
        size = self.hidden // self.scales
        params: Params = {}
        for k in range(self.scales):
            below = size if k else inputs
            params[f"weights_{k}"] = self.uniform(generator, size, below + size)
            params[f"bias_{k}"] = self.uniform(generator, size)
        return params

    def layout(self, params: Params) -> dict[str, int]:
        size = self.hidden // self.scales
        return {f"h{k}": size for k in range(self.scales)} | {"t": 1}

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        *layers, t = state.split(list(self.layout(params).values()))
        below, after = x, []
        for k, h in enumerate(layers):
            net = params[f"weights_{k}"] @ torch.cat([below, h]) + params[f"bias_{k}"]
            still = waits(t, t.new_full((1,), 2.0**k))
            below = torch.where(still, h, torch.tanh(net))  # (1), (2)
            after.append(below)
        return torch.cat([*after, ticked(t, 2 ** (self.scales - 1))])
