"""The simple recurrent layer, h' = f(W_ih x + b_ih + W_hh h + b_hh) with f = tanh or relu.

    (1)  h_p = f(net_p)
    (2)  a_{p-1} = W_hh^T e_p
    (3)  e_p = f'(net_p) a_p,   f' = 1 - h_p^2 for tanh, [h_p > 0] for relu
    (4)  v_p = f'(net_p) W_hh v_{p-1}

Reference: Elman 1990; error flow (2), (3) as in Hochreiter and Schmidhuber 1997, section 3.1.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ._kind import Kind, Weights, affine, over_rows


class RNN(Kind):
    """The layer of `nn.RNN`."""

    gates = 1

    def __init__(self, nonlinearity: str = "tanh"):
        self.nonlinearity = nonlinearity

    def blocks(self, weights: Weights) -> dict[str, slice]:
        return {"h": slice(0, weights.hidden.shape[1])}

    def drive(self, weights: Weights, x: Tensor) -> Tensor:
        return affine(x, weights.input, weights.bias_input, weights.bias_hidden)

    def step(self, weights: Weights, before: Tensor, nets: Tensor, after: Tensor) -> None:
        nets.addmm_(before, weights.hidden.t())
        if self.nonlinearity == "tanh":
            torch.tanh(nets, out=after)
        else:
            torch.clamp(nets, min=0, out=after)

    def moved(self, weights: Weights, before: Tensor, drive: Tensor) -> Tensor:
        nets = drive + before @ weights.hidden.t()
        return nets.tanh() if self.nonlinearity == "tanh" else nets.relu()

    def slopes(self, before: Tensor, after: Tensor, kept: Tensor) -> tuple[Tensor, ...]:
        tanh = self.nonlinearity == "tanh"
        return (1 - after * after if tanh else (after > 0).to(after.dtype),)

    def pull(
        self,
        weights: Weights,
        slopes: tuple[Tensor, ...],
        adjoint: Tensor,
        errors: Tensor,
        before: Tensor,
    ) -> None:
        torch.mul(adjoint, slopes[0], out=errors)  # (3)
        torch.matmul(errors, weights.hidden, out=before)  # (2)

    def push(self, weights: Weights, slopes: tuple[Tensor, ...], direction: Tensor) -> Tensor:
        return slopes[0] * (direction @ weights.hidden.t())  # (4)

    def jacobian(self, weights: Weights, slopes: tuple[Tensor, ...]) -> Tensor:
        return over_rows(slopes[0], weights.hidden)
