"""The LSTM layer with forget gate, and its projection where there is one.

    i, f, o = sigmoid(net_i, net_f, net_o),  g = tanh(net_g),  net = W_ih x + W_hh h + b
    (1)  c_p = f c_{p-1} + i g,   h_p = R (o tanh c_p),   R = W_hr or the identity
    (2)  m = R^T a_h,   a_c' = a_c + m o (1 - tanh^2 c_p)      the cell's error within the step
         a_c(p-1) = f a_c',   a_h(p-1) = W_hh^T e_p
    (3)  e_p = [a_c' g i(1-i),  a_c' c_{p-1} f(1-f),  a_c' i (1-g^2),  m tanh(c_p) o(1-o)]

The state is [h, c], side by side. The path a_c -> f a_c is the constant error carousel, leaking
at the forget gate.

Reference: Hochreiter and Schmidhuber 1997; forget gate of Gers, Schmidhuber and Cummins 2000;
projection of Sak, Senior and Beaufays 2014; the order of the gates is PyTorch's.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ._kind import Kind, Pulled, Weights, projected


class LSTM(Kind):
    """The layer of `nn.LSTM`."""

    gates = 4

    def blocks(self, weights: Weights) -> dict[str, slice]:
        outputs, hidden = weights.hidden.shape[1], weights.hidden.shape[0] // 4
        return {"h": slice(0, outputs), "c": slice(outputs, outputs + hidden)}

    def drive(self, weights: Weights, x: Tensor) -> Tensor:
        return projected(x, weights.input, weights.bias_input, weights.bias_hidden)

    def step(self, weights: Weights, state: Tensor, drive: Tensor) -> tuple[Tensor, Tensor]:
        outputs = weights.hidden.shape[1]
        h, c = state[:, :outputs], state[:, outputs:]
        net_i, net_f, net_g, net_o = torch.addmm(drive, h, weights.hidden.t()).chunk(4, -1)
        i, f, g, o = net_i.sigmoid(), net_f.sigmoid(), net_g.tanh(), net_o.sigmoid()
        c = f * c + i * g
        h = o * c.tanh()
        if weights.projection is not None:
            h = h @ weights.projection.t()
        return torch.cat([h, c], -1), torch.cat([i, f, g, o], -1)

    def slopes(self, before: Tensor, after: Tensor, kept: Tensor) -> tuple[Tensor, ...]:
        i, f, g, o = kept.chunk(4, -1)
        hidden = i.shape[-1]
        c, squashed = before[..., -hidden:], after[..., -hidden:].tanh()
        cell = torch.stack([g * i * (1 - i), c * f * (1 - f), i * (1 - g * g)], -2)
        return cell, squashed * o * (1 - o), o * (1 - squashed * squashed), f

    def pull(self, weights: Weights, slopes: tuple[Tensor, ...], adjoint: Tensor) -> Pulled:
        cell, output, through, f = slopes
        outputs = weights.hidden.shape[1]
        a_h, a_c = adjoint[..., :outputs], adjoint[..., outputs:]
        m = a_h if weights.projection is None else a_h @ weights.projection
        a_c = torch.addcmul(a_c, m, through)
        error = torch.cat([(a_c.unsqueeze(-2) * cell).flatten(-2), m * output], -1)  # (3)
        return Pulled(torch.cat([error @ weights.hidden, f * a_c], -1), error, error)  # (2)

    def keeping(self, kept: Tensor) -> dict[str, Tensor]:
        return {"forget": kept.chunk(4, -1)[1]}

    def keeping_bias(self, weights: Weights) -> dict[str, Tensor]:
        if weights.bias_input is None or weights.bias_hidden is None:
            return {}
        return {"forget": (weights.bias_input + weights.bias_hidden).chunk(4)[1]}
