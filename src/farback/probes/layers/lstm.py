"""The LSTM layer with forget gate, and its projection where there is one.

    i, f, o = sigmoid(net_i, net_f, net_o),  g = tanh(net_g),  net = W_ih x + W_hh h + b
    (1)  c_p = f c_{p-1} + i g,   h_p = R (o tanh c_p),   R = W_hr or the identity
    (2)  m = R^T a_h,   a_c' = a_c + m o (1 - tanh^2 c_p)      the cell's error within the step
         a_c(p-1) = f a_c',   a_h(p-1) = W_hh^T e_p
    (3)  e_p = [a_c' g i(1-i),  a_c' c_{p-1} f(1-f),  a_c' i (1-g^2),  m tanh(c_p) o(1-o)]
    (4)  v_c' = f v_c + g i(1-i) d_i + c_{p-1} f(1-f) d_f + i (1-g^2) d_g,   d = W_hh v_h
         v_h' = R (o (1 - tanh^2 c_p) v_c' + tanh(c_p) o(1-o) d_o)

The state is [h, c], side by side. The path a_c -> f a_c is the constant error carousel, leaking
at the forget gate.

Reference: Hochreiter and Schmidhuber 1997; forget gate of Gers, Schmidhuber and Cummins 2000;
projection of Sak, Senior and Beaufays 2014; the order of the gates is PyTorch's.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ._kind import Kind, Weights, affine, over_rows


class LSTM(Kind):
    """The layer of `nn.LSTM`."""

    gates = 4

    def blocks(self, weights: Weights) -> dict[str, slice]:
        outputs, hidden = weights.hidden.shape[1], weights.hidden.shape[0] // 4
        return {"h": slice(0, outputs), "c": slice(outputs, outputs + hidden)}

    def drive(self, weights: Weights, x: Tensor) -> Tensor:
        return affine(x, weights.input, weights.bias_input, weights.bias_hidden)

    def step(self, weights: Weights, before: Tensor, nets: Tensor, after: Tensor) -> None:
        outputs, hidden = weights.hidden.shape[1], weights.hidden.shape[0] // 4
        nets.addmm_(before[:, :outputs], weights.hidden.t())
        nets[:, : 2 * hidden].sigmoid_()
        nets[:, 2 * hidden : 3 * hidden].tanh_()
        nets[:, 3 * hidden :].sigmoid_()
        i, f, g, o = nets.chunk(4, -1)
        c = after[:, outputs:]
        torch.mul(f, before[:, outputs:], out=c).addcmul_(i, g)
        if weights.projection is None:
            torch.tanh(c, out=after[:, :outputs]).mul_(o)
        else:
            torch.mm(o * c.tanh(), weights.projection.t(), out=after[:, :outputs])

    def moved(self, weights: Weights, before: Tensor, drive: Tensor) -> Tensor:
        outputs = weights.hidden.shape[1]
        i, f, g, o = (drive + before[:, :outputs] @ weights.hidden.t()).chunk(4, -1)
        c = f.sigmoid() * before[:, outputs:] + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        return torch.cat([h if weights.projection is None else h @ weights.projection.t(), c], -1)

    def slopes(self, before: Tensor, after: Tensor, kept: Tensor) -> tuple[Tensor, ...]:
        i, f, g, o = kept.chunk(4, -1)
        hidden = i.shape[-1]
        c, squashed = before[..., -hidden:], after[..., -hidden:].tanh()
        cell = torch.stack([g * i * (1 - i), c * f * (1 - f), i * (1 - g * g)], -2)
        return cell, squashed * o * (1 - o), o * (1 - squashed * squashed), f

    def pull(
        self,
        weights: Weights,
        slopes: tuple[Tensor, ...],
        adjoint: Tensor,
        errors: Tensor,
        before: Tensor,
    ) -> None:
        cell, output, through, f = slopes
        outputs = weights.hidden.shape[1]
        a_h, a_c = adjoint[..., :outputs], adjoint[..., outputs:]
        m = a_h if weights.projection is None else a_h @ weights.projection
        a_c = torch.addcmul(a_c, m, through)
        by_gate = errors.unflatten(-1, (4, -1))
        torch.mul(a_c.unsqueeze(-2), cell, out=by_gate[..., :3, :])  # (3)
        torch.mul(m, output, out=by_gate[..., 3, :])
        before[..., :outputs] = errors @ weights.hidden  # (2)
        torch.mul(f, a_c, out=before[..., outputs:])

    def push(self, weights: Weights, slopes: tuple[Tensor, ...], direction: Tensor) -> Tensor:
        cell, output, through, f = slopes
        outputs = weights.hidden.shape[1]
        d = (direction[..., :outputs] @ weights.hidden.t()).unflatten(-1, (4, -1))
        c = f * direction[..., outputs:] + (cell * d[..., :3, :]).sum(-2)  # (4)
        h = through * c + output * d[..., 3, :]
        return torch.cat([h if weights.projection is None else h @ weights.projection.t(), c], -1)

    def jacobian(self, weights: Weights, slopes: tuple[Tensor, ...]) -> Tensor:
        cell, output, through, f = slopes
        w_i, w_f, w_g, w_o = weights.hidden.chunk(4)
        i, forget, g = cell.unbind(-2)
        c = torch.cat(
            [over_rows(i, w_i) + over_rows(forget, w_f) + over_rows(g, w_g), torch.diag_embed(f)],
            -1,
        )
        by_output = torch.nn.functional.pad(over_rows(output, w_o), (0, f.shape[-1]))
        h = through.unsqueeze(-1) * c + by_output
        return torch.cat([h if weights.projection is None else weights.projection @ h, c], -2)

    def projected(self, weights: Weights, after: Tensor, kept: Tensor) -> Tensor | None:
        if weights.projection is None:
            return None
        return kept.chunk(4, -1)[3] * after[..., weights.hidden.shape[1] :].tanh()

    def keeping(self, kept: Tensor) -> dict[str, Tensor]:
        return {"forget": kept.chunk(4, -1)[1]}

    def keeping_bias(self, weights: Weights) -> dict[str, Tensor]:
        if weights.bias_input is None or weights.bias_hidden is None:
            return {}
        return {"forget": (weights.bias_input + weights.bias_hidden).chunk(4)[1]}
