"""The LSTM with forget gate: memory that is kept, written and read as three gates say.

    [i f o](t) = logistic(W [x(t), h(t-1)] + b)         (1)
    g(t)       = tanh(W_g [x(t), h(t-1)] + b_g)         (2)
    c(t)       = f(t) c(t-1) + i(t) g(t)                (3)
    h(t)       = o(t) tanh(c(t))                        (4)
    y(t)       = V h(t) + b_y                           (5)

dc(t)/dc(t-1) along the memory alone is f(t): the error decays as the forget gates say. Equal to
nn.LSTM with the same weights, whose two biases, always added, are one here.

Reference: F. A. Gers, J. Schmidhuber, F. Cummins, Learning to Forget: Continual Prediction with
LSTM, Neural Computation 12(10), 2000; the start of the forget bias, R. Jozefowicz, W. Zaremba,
I. Sutskever, An Empirical Exploration of Recurrent Network Architectures, 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..errors import WrongUsage, expect
from ..types import Params
from . import _torch_layer
from ._cell import Cell, biased, uniform
from .squashings._squashing import Squashing
from .squashings.identity import Identity


@dataclass(frozen=True)
class LSTM(Cell):
    """One layer, and a linear readout.

    Args:
        hidden: H, units of memory.
        bias: whether gates and g have a bias.
        forget_bias: added to the forget gates' bias at the start.
        readout: whether there is a layer of outputs; without it the outputs are h.
        readout_bias: whether that layer has a bias.
        readout_squashing: of the outputs.
        width: parameters start uniform in [-width, width]; None for torch's 1 / sqrt(H).
    """

    hidden: int = 16
    bias: bool = True
    forget_bias: float = 0.0
    readout: bool = True
    readout_bias: bool = True
    readout_squashing: Squashing = Identity()
    width: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, hidden=self.hidden)

    @classmethod
    def from_torch(cls, layer: nn.LSTM, head: nn.Linear | None = None) -> tuple[LSTM, Params]:
        """The cell and the parameters that do what the layer and its head do.

        >>> cell, params = LSTM.from_torch(nn.LSTM(3, 5), nn.Linear(5, 2))
        >>> cell.hidden, params["gates"].shape, params["readout"].shape
        (5, torch.Size([20, 8]), torch.Size([2, 5]))

        Raises:
            InputRefused: a layer or head of another kind.
        """
        _torch_layer.check(layer, head, nn.LSTM)
        its = _torch_layer.copied(layer)
        params = {"gates": _gates_first(torch.cat([its["weight_ih_l0"], its["weight_hh_l0"]], 1))}
        if layer.bias:
            params["bias"] = _gates_first(its["bias_ih_l0"] + its["bias_hh_l0"])
        params |= _torch_layer.readout(head)
        cell = cls(
            hidden=layer.hidden_size,
            bias=layer.bias,
            readout="readout" in params,
            readout_bias="readout_bias" in params,
        )
        return cell, params

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        """Weights of input gates, forget gates, output gates, g; the readout; and biases."""
        if not self.readout and outputs != self.hidden:
            raise WrongUsage(
                f"{outputs} outputs came for a cell without readout, whose {self.hidden} units "
                f"are its outputs; try readout=True or hidden={outputs}."
            )
        width = self.hidden**-0.5 if self.width is None else self.width
        params = {"gates": uniform(generator, 4 * self.hidden, inputs + self.hidden, width=width)}
        if self.bias:
            params["bias"] = uniform(generator, 4 * self.hidden, width=width)
            params["bias"][self.hidden : 2 * self.hidden] += self.forget_bias
        if self.readout:
            params["readout"] = uniform(generator, outputs, self.hidden, width=width)
            if self.readout_bias:
                params["readout_bias"] = uniform(generator, outputs, width=width)
        return params

    def layout(self, params: Params) -> dict[str, int]:
        return {"h": self.hidden, "c": self.hidden}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        return params["gates"].new_zeros(2 * self.hidden)

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        h, c = state.split(self.hidden)
        net = biased(params["gates"] @ torch.cat([x, h]), params, "bias")
        i, f, o = torch.sigmoid(net[: 3 * self.hidden]).split(self.hidden)  # (1)
        g = torch.tanh(net[3 * self.hidden :])  # (2)
        c = f * c + i * g  # (3)
        return torch.cat([o * torch.tanh(c), c])  # (4)

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        h = state[: self.hidden]
        net = biased(params["readout"] @ h, params, "readout_bias") if self.readout else h
        return self.readout_squashing(net)  # (5)


def _gates_first(rows: Float[Tensor, "rows *columns"]) -> Float[Tensor, "rows *columns"]:
    """From torch's order of rows, i f g o, to i f o g: all that is logistic side by side."""
    i, f, g, o = rows.chunk(4)
    return torch.cat([i, f, o, g])
