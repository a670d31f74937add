"""The input-output hidden Markov model: an input moves states, and they say what it leads to.

    e_.i(x) = softmax(V_i [x, 1])                                                           (1)

or a table of probabilities for each symbol of the input, as the transitions are. With one symbol it
is a plain HMM; n states of it with a learned start are n + 1 here, of which the first leads to the
others and cannot be entered. The input is the one that led to the state: an automaton whose answer
depends on its last symbol too may need fewer states than one whose states answer alone
(`driven=False`).

Reference: Y. Bengio, P. Frasconi, An Input Output HMM Architecture, 1994, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..types import Params
from ._state_distribution import StateDistribution


@dataclass(frozen=True)
class IOHMM(StateDistribution):
    """States with outputs that are learned.

    Args:
        driven: whether what a state says depends on the input.
    """

    driven: bool = True

    @property
    def classes(self) -> int | None:
        return None if self.targets is None else len(self.targets)

    def parameters(self, generator: torch.Generator, inputs: int, outputs: int) -> Params:
        """Transitions, and what states say."""
        params = super().parameters(generator, inputs, outputs)
        all_of_them = torch.ones(self.states, self.classes or outputs, dtype=torch.float64)
        said = self.drawn(generator, inputs if self.driven else 0, all_of_them)
        return params | {"emission": said}

    def emission(self, params: Params, x: Float[Tensor, " I"]) -> Float[Tensor, "N K"]:
        given = params["emission"]
        classes = given.shape[1] if self.bounds is None else given.shape[2]
        all_of_them = given.new_ones(self.states, classes)
        return self.under(given, x if self.driven else x[:0], all_of_them)  # (1)
