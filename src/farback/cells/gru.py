"""The gated recurrent unit: one gate decides how much of the state is overwritten.

    [r z](t) = logistic(W x(t) + U h(t-1) + b)                       (1)
    n(t)     = tanh(W_n x(t) + b_n + r(t) (U_n h(t-1) + b_hn))       (2)
    h(t)     = (1 - z(t)) n(t) + z(t) h(t-1)                         (3)
    y(t)     = V h(t) + b_y                                          (4)

Equal to nn.GRU with the same weights: r acts behind the product with U_n, as in torch and cuDNN,
not before it as in the paper. The two biases of r and z, always added, are one here.

Reference: K. Cho, B. van Merrienboer, C. Gulcehre, D. Bahdanau, F. Bougares, H. Schwenk, Y. Bengio,
Learning Phrase Representations using RNN Encoder-Decoder, 2014, section 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..types import Params
from . import _torch_layer
from ._cell import biased
from ._hidden import Hidden


@dataclass(frozen=True)
class GRU(Hidden):
    """One layer, and a linear readout.

    Args:
        bias: whether gates and n have biases.
    """

    bias: bool = True

    @classmethod
    def from_torch(cls, layer: nn.GRU, head: nn.Linear | None = None) -> tuple[GRU, Params]:
        """The cell and the parameters that do what the layer and its head do.

        >>> cell, params = GRU.from_torch(nn.GRU(3, 5), nn.Linear(5, 2))
        >>> cell.hidden, params["input"].shape, params["state"].shape
        (5, torch.Size([15, 3]), torch.Size([15, 5]))

        Raises:
            InputRefused: a layer or head of another kind.
        """
        _torch_layer.check(layer, head, nn.GRU)
        its, size = _torch_layer.copied(layer), layer.hidden_size
        params = {"input": its["weight_ih_l0"], "state": its["weight_hh_l0"]}
        if layer.bias:
            of_gates, of_n = its["bias_hh_l0"].split([2 * size, size])
            params["bias"] = its["bias_ih_l0"] + torch.cat([of_gates, torch.zeros_like(of_n)])
            params["n_bias"] = of_n
        params |= _torch_layer.readout(head)
        cell = cls(
            hidden=size,
            bias=layer.bias,
            readout="readout" in params,
            readout_bias="readout_bias" in params,
        )
        return cell, params

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """Weights of r, z and n, by input and by state; and biases."""
        params = {
            "input": self.uniform(generator, 3 * self.hidden, inputs),
            "state": self.uniform(generator, 3 * self.hidden, self.hidden),
        }
        if self.bias:
            params["bias"] = self.uniform(generator, 3 * self.hidden)
            params["n_bias"] = self.uniform(generator, self.hidden)
        return params

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        two = 2 * self.hidden
        of_input = biased(params["input"] @ x, params, "bias")
        of_state = params["state"] @ state
        r, z = torch.sigmoid(of_input[:two] + of_state[:two]).split(self.hidden)  # (1)
        n = torch.tanh(of_input[two:] + r * biased(of_state[two:], params, "n_bias"))  # (2)
        return n + z * (state - n)  # (3)
