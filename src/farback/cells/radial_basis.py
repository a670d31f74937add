"""A radial-basis recurrent net: Gaussian units over state and input drive logistic state units.

    r_k(t) = exp(-|[S(t-1), x(t)] - c_k|^2 / (2 sigma_k^2))                                 (1)
    S(t)   = logistic(W r(t) + b)                                                           (2)

A Gaussian unit knows one place, such as a state of an automaton under one symbol, and W where it
leads. Away from every centre the derivative is nothing: an error reaches no further than the places
that are known. Written down from memory; the source's way to insert rules is not here.

Reference: P. Frasconi, M. Gori, M. Maggini, G. Soda, Representation of Finite State Automata in
Recurrent Radial Basis Function Networks, 1996 (not read).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage, expect
from ..types import Params
from ._hidden import Hidden


@dataclass(frozen=True)
class RadialBasis(Hidden):
    """Places that lead to states.

    Args:
        places: Gaussian units.
        spread: sigma at the start.
    """

    places: int = 8
    spread: float = 1.0

    def refuse(self) -> None:
        expect(1, places=self.places)
        if not self.spread > 0:
            raise WrongUsage(f"spread came as {self.spread}, expected above 0; try spread=1.0.")

    def layer(self, generator: torch.Generator, inputs: int) -> Params:
        """Centres, uniform in [0, 1] by state and in [-1, 1] by input; ln sigma; W and b."""
        states = torch.rand(self.places, self.hidden, generator=generator, dtype=torch.float64)
        shown = torch.rand(self.places, inputs, generator=generator, dtype=torch.float64)
        return {
            "centres": torch.cat([states, 2 * shown - 1], 1),
            "log_spread": states.new_full((self.places,), self.spread).log(),
            "state": self.uniform(generator, self.hidden, self.places),
            "bias": self.uniform(generator, self.hidden),
        }

    def step(
        self, params: Params, state: Float[Tensor, " N"], x: Float[Tensor, " I"]
    ) -> Float[Tensor, " N"]:
        off = params["centres"] - torch.cat([state, x])
        near = torch.exp(-(off**2).sum(1) / (2 * torch.exp(2 * params["log_spread"])))  # (1)
        return torch.sigmoid(params["state"] @ near + params["bias"])  # (2)
