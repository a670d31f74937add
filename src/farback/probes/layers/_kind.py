"""The interface of a layer kind: its step, and how an error is pulled back through that step.

One direction of one layer, on a batch. With s_p the state after step p,

    (1)  s_p = step(s_{p-1}, drive_p),          drive_p = W_ih x_p + b
    (2)  a_{p-1} = (ds_p / ds_{p-1})^T a_p      the adjoint, one step back
    (3)  e_p = (ds_p / dnet_p)^T a_p            the error at the nets of step p
    (4)  v_p = J_p v_{p-1},   J_p = ds_p / ds_{p-1}     a direction, one step on

From (3) follow the error at the input, W_ih^T e_p, and the weight gradient's summand of this step,
sum over rows of e_p (x) s_{p-1}. A kind states (2), (3) and (4) in closed form, because autograd
would need a graph node for each operation; tests hold them against autograd.

The way there and back runs thousands of small steps, so both write into tensors made for a whole
block of them.

Axes: S steps of a block, K loss times, B rows, N state, H hidden, I input, G = gates x H nets, and
M >= G values kept of a step.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Weights:
    """The parameters of one layer in one direction, as the fused layer stores them."""

    input: Float[Tensor, "G I"]
    hidden: Float[Tensor, "G P"]
    bias_input: Float[Tensor, " G"] | None = None
    bias_hidden: Float[Tensor, " G"] | None = None
    projection: Float[Tensor, "P H"] | None = None

    def to(self, dtype: torch.dtype) -> Weights:
        """The same weights in another arithmetic."""
        rest = (self.bias_input, self.bias_hidden, self.projection)
        return Weights(
            self.input.detach().to(dtype),
            self.hidden.detach().to(dtype),
            *(None if w is None else w.detach().to(dtype) for w in rest),
        )


class Kind(ABC):
    """One kind of recurrent layer. The state is one vector with named blocks."""

    gates: int

    @abstractmethod
    def blocks(self, weights: Weights) -> dict[str, slice]:
        """The named parts of the state vector, the output first."""

    @abstractmethod
    def drive(self, weights: Weights, x: Float[Tensor, "S B I"]) -> Float[Tensor, "S B M"]:
        """What the input adds to the nets, for many steps in one product."""

    @abstractmethod
    def step(
        self,
        weights: Weights,
        before: Float[Tensor, "B N"],
        nets: Float[Tensor, "B M"],
        after: Float[Tensor, "B N"],
    ) -> None:
        """(1), in place: write the next state, and turn `nets` from the drive into gate values."""

    @abstractmethod
    def moved(
        self, weights: Weights, before: Float[Tensor, "B N"], drive: Float[Tensor, "B M"]
    ) -> Float[Tensor, "B N"]:
        """(1) as a function, which can be differentiated; `step` is its fast form."""

    @abstractmethod
    def slopes(
        self,
        before: Float[Tensor, "S B N"],
        after: Float[Tensor, "S B N"],
        kept: Float[Tensor, "S B M"],
    ) -> tuple[Tensor, ...]:
        """The local derivatives of a block of steps, each with the leading axis S."""

    @abstractmethod
    def pull(
        self,
        weights: Weights,
        slopes: tuple[Tensor, ...],
        adjoint: Float[Tensor, "K B N"],
        errors: Float[Tensor, "K B M"],
        before: Float[Tensor, "K B N"],
    ) -> None:
        """(2) and (3), in place: write the errors at the nets, and the adjoint before."""

    @abstractmethod
    def push(
        self, weights: Weights, slopes: tuple[Tensor, ...], direction: Float[Tensor, "K B N"]
    ) -> Float[Tensor, "K B N"]:
        """(4): the direction behind the step."""

    @abstractmethod
    def jacobian(self, weights: Weights, slopes: tuple[Tensor, ...]) -> Float[Tensor, "B N N"]:
        """J itself, one row for each entry of the state behind the step."""

    def hidden_errors(self, errors: Float[Tensor, "S K B M"]) -> Float[Tensor, "S K B G"]:
        """The errors as W_hh sees them."""
        return errors

    def input_errors(self, errors: Float[Tensor, "S K B M"]) -> Float[Tensor, "S K B G"]:
        """The errors as W_ih sees them."""
        return errors

    def projected(
        self, weights: Weights, after: Float[Tensor, "S B N"], kept: Float[Tensor, "S B M"]
    ) -> Float[Tensor, "S B H"] | None:
        """What W_hr projects to the output, where there is a projection."""
        return None

    def keeping(self, kept: Float[Tensor, "T B M"]) -> dict[str, Float[Tensor, "T B H"]]:
        """The gates that scale what a unit keeps from step to step, by name."""
        return {}

    def keeping_bias(self, weights: Weights) -> dict[str, Float[Tensor, " H"]]:
        """The bias of each keeping gate."""
        return {}


def over_rows(slope: Float[Tensor, "B H"], matrix: Float[Tensor, "H N"]) -> Float[Tensor, "B H N"]:
    """diag(slope) matrix, for each row of the batch."""
    return slope.unsqueeze(-1) * matrix


def affine(x: Tensor, weight: Tensor, *biases: Tensor | None) -> Tensor:
    """X W^T + the biases that exist."""
    total = None
    for bias in biases:
        total = bias if total is None else total if bias is None else total + bias
    return torch.nn.functional.linear(x, weight, total)
