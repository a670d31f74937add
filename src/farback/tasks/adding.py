"""Adding problem: the sum of two marked values, to be told at the end of a long sequence.

Each element is a pair of a value, uniform in [-1, 1], and a marker. Of T to T + T/10 pairs one
among the first ten is marked by 1 (X1) and one among the pairs 2 to T/2 (X2); the first and the
last pair carry -1, the rest 0. At the end

    target = 0.5 + (X1 + X2) / 4                                                            (1)

Right: absolute error below 0.04. Solved: the last 2000 sequences right, with a mean error below
0.01. The paper's minimal lag, T/2, counts from X2.

What the source leaves open, and what is chosen here:

- "In the rare case where the first pair gets marked, we set X1 to zero." Since "exactly two pairs
  are marked" and the -1 is said of "all remaining pairs", a marked first pair shows 1 and, for X1
  is the name of its value, 0. `shown=False` is the other reading: it keeps its -1 and its value,
  the net sees one mark, and (1) holds with X1 = 0. That is harder (docs/reproductions.md).
- Only X1 is spoken of there, so X2 is never drawn at the first pair.
- "One of the first T/2 - 1 still unmarked pairs" for X2: the T/2 - 1 pairs after the first, without
  that of X1. The last of them is T/2 steps before the end of a sequence of T, as table 10 says.
- "Average training error": the mean absolute error of the last 2000 sequences. Table 8 calls an
  average error of this kind a mean squared one, which its own counts of wrong answers rule out.

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, 1997, experiment 4 and tables 7,
10 and 11; LSTM Can Solve Hard Long Time Lag Problems, 1997, experiment 1.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ._criterion import Criterion
from ._marked_pairs import TOLERANCE, MarkedPairs, marked, values
from ._task import Baseline


@dataclass(frozen=True)
class Adding(MarkedPairs):
    """The sum of two marked values.

    Args:
        length: T, the length of the shortest sequences.
        first_pair: whether the first pair may be drawn for X1, which makes it 0.
        shown: whether it then shows its mark and the 0; else it keeps its -1 and its value.
    """

    low = -1.0
    neutral = 0.0

    @property
    def criterion(self) -> Criterion:
        return Criterion(on=("last",), last=2000, error=0.01)

    @property
    def baseline(self) -> Baseline:
        """0.5: 1/24 for two values, 1/48 for one; the sum of two has a triangular density."""
        one, within_tolerance = self.at_first, 4 * TOLERANCE
        right = (1 - one) * (1 - (1 - within_tolerance / 2) ** 2) + one * within_tolerance
        return Baseline((0.5,), right=right, error=(1 - one) / 24 + one / 48)

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """Equation (1)."""
        total = (values(inputs) * marked(inputs)).sum(0)
        return (0.5 + total / 4).unsqueeze(-1).expand(*inputs.shape[:-1], 1)
