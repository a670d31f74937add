"""What cells share whose outputs read one layer of hidden units.

    y(t) = f(V h(t) + b)                                                                    (1)

A member says what h is: its weights at the start, and the step. Without a readout it is the output.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage, expect
from ..types import Params
from ._cell import Cell, biased, uniform
from ._module import CellModule
from .squashings._squashing import Squashing
from .squashings.identity import Identity


@dataclass(frozen=True)
class Hidden(Cell):
    """Hidden units below a layer of outputs.

    Args:
        hidden: H, units.
        readout: whether there is a layer of outputs; without it the outputs are h.
        readout_bias: whether that layer has a bias.
        readout_squashing: f.
        width: parameters start uniform in [-width, width], but for those that a member starts
            otherwise; None for torch's 1 / sqrt(H).
    """

    hidden: int = 16
    readout: bool = True
    readout_bias: bool = True
    readout_squashing: Squashing = Identity()
    width: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, hidden=self.hidden)
        self.refuse()

    def refuse(self) -> None:
        """Refuse choices of a member's own that make no net.

        Raises:
            WrongUsage: what came, and what to try.
        """

    def as_module(
        self, inputs: int, outputs: int | None = None, *, batch_first: bool = False
    ) -> CellModule:
        """The cell as a torch layer; without `outputs`, h are its outputs, as in nn.RNN."""
        if outputs is not None:
            return super().as_module(inputs, outputs, batch_first=batch_first)
        return replace(self, readout=False).as_module(inputs, self.hidden, batch_first=batch_first)

    @abstractmethod
    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """Fresh parameters of everything below the outputs."""

    def h(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " H"]:
        """What the outputs read: what stands first in the state."""
        return state[: self.hidden]

    def uniform(self, generator: torch.Generator, *shape: int) -> Float[Tensor, "..."]:
        """Weights as most start."""
        width = self.hidden**-0.5 if self.width is None else self.width
        return uniform(generator, *shape, width=width)

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        if not self.readout and outputs != self.hidden:
            raise WrongUsage(
                f"{outputs} outputs came for a cell without readout, whose {self.hidden} units "
                f"are its outputs; try readout=True or hidden={outputs}."
            )
        params = self.layer(generator, inputs)
        if self.readout:
            params = params | {"readout": self.uniform(generator, outputs, self.hidden)}
            if self.readout_bias:
                params["readout_bias"] = self.uniform(generator, outputs)
        return params

    def layout(self, params: Params) -> dict[str, int]:
        return {"h": self.hidden}

    def start(self, params: Params) -> Float[Tensor, " N"]:
        """Zeros."""
        like = next(iter(params.values()))
        return like.new_zeros(sum(self.layout(params).values()))

    def read(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " O"]:
        net = self.h(params, state, x)
        if self.readout:
            net = biased(params["readout"] @ net, params, "readout_bias")
        return self.readout_squashing(net)  # (1)
