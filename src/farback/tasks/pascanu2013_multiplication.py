"""Multiplication, in the form of Pascanu, Mikolov and Bengio: the product of two marked values.

    target = v0 v1                                                                          (1)

at the end of l pairs, v0 marked among the first l/10 and v1 from there to l/2. Wrong is a squared
error above 0.04. What is said of their addition holds here too.

Reference: R. Pascanu, T. Mikolov, Y. Bengio, On the Difficulty of Training Recurrent Neural
Networks, 2013, section 4.1 and supplementary material, with the authors' code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from ._marked_values import TOLERANCE, MarkedValues
from ._task import Baseline

_MEAN = 0.25


@dataclass(frozen=True)
class Pascanu2013Multiplication(MarkedValues):
    """The product of two marked values."""

    @property
    def baseline(self) -> Baseline:
        """1/4, the mean product: right on P(product < 0.45) - P(product < 0.05)."""
        right = _below(_MEAN + TOLERANCE) - _below(_MEAN - TOLERANCE)
        return Baseline((_MEAN,), right=right, error=7 / 144)

    def combined(self, v0: Tensor, v1: Tensor) -> Tensor:
        """Equation (1)."""
        return v0 * v1


def _below(product: float) -> float:
    """How likely a product of two numbers uniform in [0, 1] is smaller."""
    return product - product * math.log(product)
