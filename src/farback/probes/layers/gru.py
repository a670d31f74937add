"""The gated recurrent unit, with PyTorch's reset gate after the product.

    r, z = sigmoid(net_r, net_z),   u = W_hn h_{p-1} + b_hn,   n = tanh(net_n + r u)
    (1)  h_p = (1 - z) n + z h_{p-1}
    (3)  e_n = a (1 - z)(1 - n^2),  e_z = a (h_{p-1} - n) z(1-z),  e_r = e_n u r(1-r)
    (2)  a_{p-1} = z a + W_hh^T [e_r, e_z, r e_n]
    (4)  v_p = z v + (h_{p-1} - n) z(1-z) d_z + (1 - z)(1 - n^2)(r d_n + u r(1-r) d_r),
         [d_r, d_z, d_n] = W_hh v

The net of n is reached by W_ih with e_n and by W_hn with r e_n; so the two errors differ here.

Reference: Cho et al. 2014; the variant of `nn.GRU`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ._kind import Kind, Weights, affine, over_rows


class GRU(Kind):
    """The layer of `nn.GRU`."""

    gates = 3

    def blocks(self, weights: Weights) -> dict[str, slice]:
        return {"h": slice(0, weights.hidden.shape[1])}

    def drive(self, weights: Weights, x: Tensor) -> Tensor:
        own = affine(x, weights.input, weights.bias_input)
        return torch.nn.functional.pad(own, (0, weights.hidden.shape[1]))  # room for u

    def step(self, weights: Weights, before: Tensor, nets: Tensor, after: Tensor) -> None:
        hidden = weights.hidden.shape[1]
        r, z, n, u = nets.chunk(4, -1)
        own = affine(before, weights.hidden, weights.bias_hidden)
        nets[:, : 2 * hidden].add_(own[:, : 2 * hidden]).sigmoid_()
        u.copy_(own[:, 2 * hidden :])
        n.addcmul_(r, u).tanh_()
        torch.lerp(n, before, z, out=after)

    def moved(self, weights: Weights, before: Tensor, drive: Tensor) -> Tensor:
        net_r, net_z, net_n, _ = drive.chunk(4, -1)
        own_r, own_z, u = affine(before, weights.hidden, weights.bias_hidden).chunk(3, -1)
        r, z = (net_r + own_r).sigmoid(), (net_z + own_z).sigmoid()
        n = (net_n + r * u).tanh()
        return (1 - z) * n + z * before

    def slopes(self, before: Tensor, after: Tensor, kept: Tensor) -> tuple[Tensor, ...]:
        r, z, n, u = kept.chunk(4, -1)
        return (1 - z) * (1 - n * n), (before - n) * z * (1 - z), u * r * (1 - r), r, z

    def pull(
        self,
        weights: Weights,
        slopes: tuple[Tensor, ...],
        adjoint: Tensor,
        errors: Tensor,
        before: Tensor,
    ) -> None:
        new, update, reset, r, z = slopes
        e_r, e_z, e_u, e_n = errors.chunk(4, -1)
        torch.mul(adjoint, new, out=e_n)  # (3)
        torch.mul(adjoint, update, out=e_z)
        torch.mul(e_n, reset, out=e_r)
        torch.mul(r, e_n, out=e_u)
        torch.matmul(self.hidden_errors(errors), weights.hidden, out=before)  # (2)
        before.addcmul_(z, adjoint)

    def push(self, weights: Weights, slopes: tuple[Tensor, ...], direction: Tensor) -> Tensor:
        new, update, reset, r, z = slopes
        d_r, d_z, d_n = (direction @ weights.hidden.t()).chunk(3, -1)
        return z * direction + update * d_z + new * (r * d_n + reset * d_r)  # (4)

    def jacobian(self, weights: Weights, slopes: tuple[Tensor, ...]) -> Tensor:
        new, update, reset, r, z = slopes
        w_r, w_z, w_n = weights.hidden.chunk(3)
        gates = over_rows(update, w_z) + over_rows(new * reset, w_r) + over_rows(new * r, w_n)
        return gates + torch.diag_embed(z)

    def hidden_errors(self, errors: Tensor) -> Tensor:
        return errors[..., : errors.shape[-1] // 4 * 3]

    def input_errors(self, errors: Tensor) -> Tensor:
        e_r, e_z, _, e_n = errors.chunk(4, -1)
        return torch.cat([e_r, e_z, e_n], -1)

    def keeping(self, kept: Tensor) -> dict[str, Tensor]:
        return {"update": kept.chunk(4, -1)[1]}

    def keeping_bias(self, weights: Weights) -> dict[str, Tensor]:
        if weights.bias_input is None or weights.bias_hidden is None:
            return {}
        return {"update": (weights.bias_input + weights.bias_hidden).chunk(3)[1]}
