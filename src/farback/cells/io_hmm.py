"""The input-output hidden Markov model: states that an input moves, each with its own outputs.

    e_ik = a table of probabilities, or softmax_k(b_i)                                      (1)

With one symbol of input it is a plain HMM; n states of it with a learned start are n + 1 here, of
which the first leads to the others and cannot be entered. The source lets outputs of a state
depend on the input too; here they do not.

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
    """States with outputs that are learned."""

    @property
    def classes(self) -> int | None:
        return None if self.targets is None else len(self.targets)

    @property
    def learned(self) -> bool:
        return True

    def emission(self, params: Params) -> Float[Tensor, "N K"]:
        given = params["emission"]
        return torch.softmax(given, -1) if self.bounds is None else given  # (1)
