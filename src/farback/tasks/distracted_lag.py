"""A very long time lag without local regularities: the second symbol, across random distractors.

    b y a_i1 a_i2 ... a_i(q+k) e y        b x a_i1 a_i2 ... a_i(q+k) e x

with distractors drawn from a_1 ... a_p and k = 0, 1, ... with probability 1/10 (9/10)^k. There are
p + 4 symbols, each with an input of its own, in the order a_1 ... a_p, e, b, x, y; the two outputs
stand for x and y. Only the last symbol is to be predicted, after the trigger e, q + 1 + k steps
after x or y. Right: both outputs off by less than 0.2, in 10 000 random sequences.

What the source leaves open or prints wrongly: the sets are written with distractors up to a_q, the
text and the weight counts say a_p; the mean length is printed as q + 14, its series sums to q + 13.

Reference: S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, 1997, experiment 2c and tables 3,
10 and 11.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..drawn import Drawn, along, symbols
from ..draws import Source, longest
from ..errors import WrongUsage
from ._criterion import Criterion
from ._task import Baseline, Lag, Task, within

_MORE = 0.9
"""The probability of one more distractor."""


@dataclass(frozen=True)
class DistractedLag(Task):
    """The second symbol, after many random ones.

    Args:
        delay: q, the distractors of the shortest sequences.
        symbols: p, how many different distractors there are.
    """

    delay: int = 50
    symbols: int = 50

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.delay < 1 or self.symbols < 1:
            raise WrongUsage(
                f"DistractedLag came with delay {self.delay} and {self.symbols} symbols, expected "
                "at least one of each; try DistractedLag(delay=50, symbols=50)."
            )

    @property
    def inputs(self) -> int:
        return self.symbols + 4

    @property
    def outputs(self) -> int:
        return 2

    @property
    def lag(self) -> Lag:
        """From x or y to e."""
        return Lag(self.delay + 1, None)

    @property
    def criterion(self) -> Criterion:
        return Criterion(on=("test",))

    @property
    def baseline(self) -> Baseline:
        return Baseline((0.5, 0.5), right=0.0, error=0.5)

    @property
    def test(self) -> int:
        return 10_000

    def draw(self, source: Source) -> Drawn:
        e, b, x = (self.symbols + it for it in range(3))
        last = source.integers(high=2)
        lengths = self.delay + 3 + source.geometric(more=_MORE)
        steps = self.delay + 3 + longest(_MORE)
        step = along(steps, lengths)
        shown = source.integers(steps, high=self.symbols)
        shown = torch.where(step == 0, b, torch.where(step == 1, x + last, shown))
        shown = torch.where(step == lengths - 1, e, shown)
        return Drawn(symbols(shown, self.inputs), symbols(last, 2), lengths)

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """The second symbol."""
        return inputs[1, ..., -2:].expand(*inputs.shape[:-1], 2)

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The second symbol."""
        return inputs[..., -2:].bool().any(-1)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """a_1 to a_p."""
        return inputs[..., : self.symbols].bool().any(-1)

    def correct(
        self, outputs: Float[Tensor, "T *batch O"], answers: Float[Tensor, "T *batch O"]
    ) -> Bool[Tensor, "T *batch"]:
        """Both outputs off by less than 0.2."""
        return within(0.2, outputs, answers)
