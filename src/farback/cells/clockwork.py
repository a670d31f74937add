"""A clockwork net: groups of units that are updated every 1, 2, 4, ... steps.

    h_g(t) = tanh(W_g x(t) + sum_{k >= g} U_gk h_k(t-1) + b_g)   where t mod 2^g = 0        (1)
    h_g(t) = h_g(t-1)                                            elsewhere                  (2)

Group g hears itself and the slower ones. A group that waits passes its error on unchanged, so that
a slow one crosses many steps with few squashings. t counts from 0. The state holds h, then t modulo
the longest period.

Reference: J. Koutnik, K. Greff, F. Gomez, J. Schmidhuber, A Clockwork RNN, 2014, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage, expect
from ..types import Params
from ._clock import ticked, waits
from ._hidden import Hidden


@dataclass(frozen=True)
class Clockwork(Hidden):
    """Groups of units, each of its own period.

    Args:
        groups: of as many units each, of periods 1, 2, 4, ...
    """

    groups: int = 4

    def refuse(self) -> None:
        expect(1, groups=self.groups)
        if self.hidden % self.groups:
            raise WrongUsage(
                f"{self.hidden} hidden units came for {self.groups} groups, expected as many in "
                f"each; try hidden={-(-self.hidden // self.groups) * self.groups}."
            )

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """W, U, whose links from faster groups are zero and stay so, and b."""
        return {
            "input": self.uniform(generator, self.hidden, inputs),
            "state": self.uniform(generator, self.hidden, self.hidden),
            "bias": self.uniform(generator, self.hidden),
        }

    def layout(self, params: Params) -> dict[str, int]:
        return {"h": self.hidden, "t": 1}

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        h, t = state[: self.hidden], state[self.hidden :]
        group = torch.arange(self.hidden) // (self.hidden // self.groups)
        heard = (group.unsqueeze(1) <= group).to(h)
        new = torch.tanh(params["input"] @ x + (params["state"] * heard) @ h + params["bias"])
        h = torch.where(waits(t, (2.0**group).to(h)), h, new)  # (1), (2)
        return torch.cat([h, ticked(t, 2 ** (self.groups - 1))])
