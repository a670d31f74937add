"""Addition, in the form of Pascanu, Mikolov and Bengio: the mean of two marked values.

    target = (v0 + v1) / 2                                                                  (1)

at the end of l pairs, v0 marked among the first l/10 and v1 from there to l/2. Wrong is a squared
error above 0.04, so that the constant 0.5 is right on 64 % of sequences. `longest` is for one model
of all lengths, published with 50 to 200.

The authors' code draws l once for a minibatch; here each sequence has its own. It minimises the
squared error; here it is half of it, as everywhere.

Reference: R. Pascanu, T. Mikolov, Y. Bengio, On the Difficulty of Training Recurrent Neural
Networks, 2013, section 4.1 and supplementary material, with the authors' code.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ._marked_values import TOLERANCE, MarkedValues
from ._task import Baseline


@dataclass(frozen=True)
class Pascanu2013Addition(MarkedValues):
    """The mean of two marked values."""

    @property
    def baseline(self) -> Baseline:
        """0.5; the mean of two values has a triangular density."""
        return Baseline((0.5,), right=1 - (1 - 2 * TOLERANCE) ** 2, error=1 / 24)

    def combined(self, v0: Tensor, v1: Tensor) -> Tensor:
        """Equation (1)."""
        return (v0 + v1) / 2
