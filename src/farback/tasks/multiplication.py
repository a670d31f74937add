"""Multiplication problem: the product of two marked values, told at the end of a long sequence.

As the adding problem, with values uniform in [0, 1] and

    target = X1 X2                                                                          (1)

where X1 = 1 if the first pair was drawn for it. Right: absolute error below 0.04. Solved: fewer
than `n_seq` of the last 2000 sequences wrong. The paper's minimal lag, T/2, counts from X2.

What the source leaves open is said at the adding problem: a first pair drawn for X1 shows its mark
and the value 1, or keeps its -1 and its value (`shown=False`). What table 8 calls MSE, 0.0223 and
0.0139, cannot be one: with 14 of 2560 errors above 0.04 a mean square is below 0.0071. The text
calls nearly the same numbers an average error, so they are mean absolute errors.

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, 1997, experiment 5 and tables 8,
10 and 11.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import expect
from ._criterion import Criterion
from ._marked_pairs import TOLERANCE, MarkedPairs, marked, values
from ._task import Baseline


@dataclass(frozen=True)
class Multiplication(MarkedPairs):
    """The product of two marked values.

    Args:
        length: T, the length of the shortest sequences.
        first_pair: whether the first pair may be drawn for X1, which makes it 1.
        shown: whether it then shows its mark and the 1; else it keeps its -1 and its value.
        n_seq: fewer than this many of the last 2000 sequences may be wrong; the paper takes 140
            and 13.
    """

    n_seq: int = 140

    low = 0.0
    neutral = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, n_seq=self.n_seq)

    @property
    def criterion(self) -> Criterion:
        return Criterion(on=("last",), last=2000, wrong=self.n_seq - 1)

    @property
    def baseline(self) -> Baseline:
        """1/4, the mean product of two values: 7/144 for two, 7/48 for one.

        With the first pair the mean is 0.275, whose error is smaller by (0.025)^2.
        """
        one, low, high = self.at_first, 0.25 - TOLERANCE, 0.25 + TOLERANCE
        two_right = _product_below(high) - _product_below(low)
        right = (1 - one) * two_right + one * (high - low)
        return Baseline((0.25,), right=right, error=(1 - one) * 7 / 144 + one * 7 / 48)

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """Equation (1)."""
        product = torch.where(marked(inputs), values(inputs), 1.0).prod(0)
        return product.unsqueeze(-1).expand(*inputs.shape[:-1], 1)


def _product_below(value: float) -> float:
    """The share of products of two uniform numbers that lie below."""
    return value * (1 - math.log(value))
