"""Random weight guessing: draw all parameters, keep them as long as every answer is right.

    params uniform in [-width, width]^P           whenever an answer was wrong             (1)

The floor under every table: a task that guessing solves in a few thousand draws says little about a
learner. A guess is dropped at its first wrong answer, so most cost one or two sequences; the one
that is never wrong stays, and is found when the criterion is next looked at. `guesses` counts the
draws, which is what the source reports.

Which task a small net can do at all depends on the order in which its units change; that is the
cell's choice (`FullyRecurrent(hidden_first=...)`).

Reference: S. Hochreiter, J. Schmidhuber, LSTM Can Solve Hard Long Time Lag Problems, 1996, section
1; J. Schmidhuber, S. Hochreiter, Y. Bengio, Evaluating Benchmark Problems by Random Guessing, 2001.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ..engine.native import Told
from ..errors import WrongUsage
from ..types import Params, chosen_from, size_of, split_like
from ._chance import number_of, onward
from ._learner import Memory
from ._search import Search, Tried


@dataclass(frozen=True)
class Guessing(Search):
    """Guess until nothing is wrong.

    Args:
        width: parameters are uniform in [-width, width].
    """

    width: float = 100.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.width < math.inf:
            raise WrongUsage(
                f"width came as {self.width}, expected more than 0 and a number; try width=100."
            )

    def chances(self, params: Params) -> int:
        return size_of(params)

    def begin(self, params: Params) -> Memory:
        """The parameters at the start are no guess."""
        none = next(iter(params.values())).new_zeros(())
        return {"wrong": none + 1, "guesses": none.new_zeros(2)}

    def propose(self, params: Params, memory: Memory, chance: Float[Tensor, " P"]) -> Tried:
        fresh = split_like(self.width * (2 * chance - 1), params)
        again = memory["wrong"] > 0
        tried = chosen_from(again, fresh, params)  # (1)
        return tried, memory | {"guesses": onward(memory["guesses"], memory["wrong"])}

    def judge(self, params: Params, memory: Memory, told: Told) -> Tried:
        return params, memory | {"wrong": (told.right < 1).any().to(told.right)}

    def counted(self, memory: Memory) -> dict[str, Float[Tensor, " R"]]:
        """How many were drawn."""
        return {"guesses": number_of(memory["guesses"])}
