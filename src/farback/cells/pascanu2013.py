"""The recurrent net of Pascanu, Mikolov and Bengio, with the net input as its state.

    x(t) = W_rec f(x(t-1)) + W_in u(t) + b              (1)
    y(t) = W_out f(x(t)) + b_out                        (2)

Equal to h(t) = f(W_rec h(t-1) + W_in u(t) + b) with h = f(x), but for the start: x(0) is given,
and f(x(0)) is 0.5 for logistic units at x(0) = 0. The paper's three initialisations, biases 0:

    sigmoid      logistic, all weights normal with standard deviation 0.01
    basic tanh   tanh,     all weights normal with standard deviation 0.1
    smart tanh   tanh,     standard deviation 0.01; W_rec with 15 weights a unit that are not zero,
                 scaled to spectral radius 0.95

Reference: R. Pascanu, T. Mikolov, Y. Bengio, On the Difficulty of Training Recurrent Neural
Networks, 2013, equation 2; the initialisations are those of the temporal order task.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage, expect
from ..types import Params
from ._cell import Cell
from .squashings._squashing import Squashing
from .squashings.identity import Identity
from .squashings.logistic import Logistic
from .squashings.tanh import Tanh


@dataclass(frozen=True)
class Pascanu2013(Cell):
    """A recurrent layer below a linear readout; as it stands, "basic tanh".

    Args:
        hidden: units.
        squashing: f.
        readout_squashing: of the outputs; the paper has none, and a softmax in the error.
        std: standard deviation of the weights at the start.
        connections: recurrent weights of each unit that do not start at zero; None for all.
        radius: spectral radius that W_rec is scaled to; None for no scaling.
        reset: the state before the first step.
    """

    hidden: int = 50
    squashing: Squashing = Tanh()
    readout_squashing: Squashing = Identity()
    std: float = 0.1
    connections: int | None = None
    radius: float | None = None
    reset: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, hidden=self.hidden)
        if self.connections is not None and not 1 <= self.connections <= self.hidden:
            raise WrongUsage(
                f"connections came as {self.connections}, expected 1 to {self.hidden} for "
                f"{self.hidden} hidden units; try connections=None for all."
            )

    @classmethod
    def sigmoid(cls, *, hidden: int = 50) -> Pascanu2013:
        """Logistic units, small weights."""
        return cls(hidden=hidden, squashing=Logistic(), std=0.01)

    @classmethod
    def basic_tanh(cls, *, hidden: int = 50) -> Pascanu2013:
        """Tanh units, larger weights."""
        return cls(hidden=hidden)

    @classmethod
    def smart_tanh(cls, *, hidden: int = 50) -> Pascanu2013:
        """Tanh units, sparse recurrent weights just inside stability."""
        return cls(hidden=hidden, std=0.01, connections=15, radius=0.95)

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        def normal(*shape: int) -> Tensor:
            return self.std * torch.randn(*shape, generator=generator, dtype=torch.float64)

        recurrent = normal(self.hidden, self.hidden)
        if self.connections is not None:
            order = torch.rand(recurrent.shape, generator=generator, dtype=torch.float64).argsort(1)
            recurrent = recurrent * (order < self.connections)
        if self.radius is not None:
            recurrent = recurrent * (self.radius / torch.linalg.eigvals(recurrent).abs().max())
        return {
            "recurrent": recurrent,
            "input": normal(self.hidden, inputs),
            "bias": recurrent.new_zeros(self.hidden),
            "readout": normal(outputs, self.hidden),
            "readout_bias": recurrent.new_zeros(outputs),
        }

    def layout(self, params: Params) -> dict[str, int]:
        return {"x": self.hidden}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        return params["recurrent"].new_full((self.hidden,), self.reset)

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        recurrent = params["recurrent"] @ self.squashing(state)
        return recurrent + params["input"] @ x + params["bias"]  # (1)

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        net = params["readout"] @ self.squashing(state) + params["readout_bias"]
        return self.readout_squashing(net)  # (2)
