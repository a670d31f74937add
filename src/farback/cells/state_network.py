"""The state network of target propagation: a class is told by the state that a sequence ends in.

    e_ik = 1 where state i is one of class k's final states, else 0                         (1)

States move as those of an input-output HMM do, without outputs on the way. `StateNetwork.parity()`
has two states, each of which can follow each; `StateNetwork.two_sequence()` has an initial state
and a chain of three, left to right, for each of two classes, which is told by the chain's last
state. What the source leaves open, and what is chosen here: states of a chain and the initial one
can be kept.

Reference: Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to Backpropagation,
1993, sections 6 and 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage
from ..types import Params
from ._state_distribution import StateDistribution


@dataclass(frozen=True)
class StateNetwork(StateDistribution):
    """States of which some tell a class.

    Args:
        final: the final states of each class.
    """

    final: tuple[tuple[int, ...], ...] = ((0,), (1,))

    def refuse(self) -> None:
        told = [state for each in self.final for state in each]
        wrong = len({*told}) < len(told) or not {*told} <= {*range(self.states)}
        few = len(self.final) < 2 or not all(self.final)
        if wrong or few or len(self.final) != len(self.targets or self.final):
            raise WrongUsage(
                f"final came as {self.final} for {self.states} states and targets={self.targets}, "
                "expected some states of its own for each class; try states=2, final=((0,), (1,))."
            )

    @classmethod
    def parity(cls, *, bounds: tuple[float, ...] | None = None) -> StateNetwork:
        """Two states, each of which can follow each."""
        return cls(bounds=bounds)

    @classmethod
    def two_sequence(cls, *, bounds: tuple[float, ...] | None = None) -> StateNetwork:
        """An initial state and two chains of three, left to right."""
        graph = (0, 1, 4), (1, 2), (2, 3), (3,), (4, 5), (5, 6), (6,)
        return cls(states=7, bounds=bounds, graph=graph, final=((3,), (6,)))

    @property
    def classes(self) -> int:
        return len(self.final)

    def emission(self, params: Params, x: Float[Tensor, " I"]) -> Float[Tensor, "N K"]:
        rows = [[float(it in each) for each in self.final] for it in range(self.states)]
        return torch.tensor(rows).to(params["transition"])  # (1)
