"""The logistic function stretched to a range.

    f(net) = low + (high - low) / (1 + exp(-net))

Its slope is at most (high - low) / 4. Hochreiter and Schmidhuber 1997 use [0, 1] for gates and
outputs, [-2, 2] for g, [-1, 1] for h (appendix A.1, equations 3 to 5).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ._squashing import Squashing


@dataclass(frozen=True)
class Logistic(Squashing):
    """Logistic between `low` and `high`."""

    low: float = 0
    high: float = 1

    def __call__(self, net: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        squashed = torch.sigmoid(net)
        if (self.low, self.high) == (0, 1):
            return squashed
        return self.low + (self.high - self.low) * squashed
