"""The gated recurrent unit, with PyTorch's reset gate after the product.

    r, z = sigmoid(net_r, net_z),   u = W_hn h_{p-1} + b_hn,   n = tanh(net_n + r u)
    (1)  h_p = (1 - z) n + z h_{p-1}
    (3)  e_n = a (1 - z)(1 - n^2),  e_z = a (h_{p-1} - n) z(1-z),  e_r = e_n u r(1-r)
    (2)  a_{p-1} = z a + W_hh^T [e_r, e_z, r e_n]

The net of n is reached by W_ih with e_n and by W_hn with r e_n; so the two errors differ here.

Reference: Cho et al. 2014; the variant of `nn.GRU`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ._kind import Kind, Pulled, Weights, projected


class GRU(Kind):
    """The layer of `nn.GRU`."""

    gates = 3

    def blocks(self, weights: Weights) -> dict[str, slice]:
        return {"h": slice(0, weights.hidden.shape[1])}

    def drive(self, weights: Weights, x: Tensor) -> Tensor:
        return projected(x, weights.input, weights.bias_input)

    def step(self, weights: Weights, state: Tensor, drive: Tensor) -> tuple[Tensor, Tensor]:
        drive_r, drive_z, drive_n = drive.chunk(3, -1)
        own_r, own_z, u = projected(state, weights.hidden, weights.bias_hidden).chunk(3, -1)
        r, z = (drive_r + own_r).sigmoid(), (drive_z + own_z).sigmoid()
        n = (drive_n + r * u).tanh()
        return (1 - z) * n + z * state, torch.cat([r, z, n, u], -1)

    def slopes(self, before: Tensor, after: Tensor, kept: Tensor) -> tuple[Tensor, ...]:
        r, z, n, u = kept.chunk(4, -1)
        return (1 - z) * (1 - n * n), (before - n) * z * (1 - z), u * r * (1 - r), r, z

    def pull(self, weights: Weights, slopes: tuple[Tensor, ...], adjoint: Tensor) -> Pulled:
        new, update, reset, r, z = slopes
        e_n = adjoint * new
        e_z, e_r = adjoint * update, e_n * reset
        hidden = torch.cat([e_r, e_z, r * e_n], -1)
        before = z * adjoint + hidden @ weights.hidden  # (2)
        return Pulled(before, hidden, torch.cat([e_r, e_z, e_n], -1))

    def keeping(self, kept: Tensor) -> dict[str, Tensor]:
        return {"update": kept.chunk(4, -1)[1]}

    def keeping_bias(self, weights: Weights) -> dict[str, Tensor]:
        if weights.bias_input is None or weights.bias_hidden is None:
            return {}
        return {"update": (weights.bias_input + weights.bias_hidden).chunk(3)[1]}
