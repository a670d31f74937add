"""Multi-grid random search: random points in a box around the best one, and the box shrinks.

    candidate = best + half o U[-1, 1]^P                                                    (1)
    best <- candidate                          where its error on the step's sequences is less (2)
    half <- shrink half                        after every `points` candidates              (3)
    half <- width                              once it is below `least`                     (4)

The best point's error is that of the sequences which it was tried on, so with few of them a lucky
point stands for long; a larger `batch`, or a fixed training set, makes the errors comparable.

What the sources leave open, and what is chosen here: the box at the start (10), the points of a
round (20), and what comes when the box has shrunk to nothing (it is wide again, around the best).
The box is centred where the trial starts. `rounds` counts the boxes.

Reference: Y. Bengio, P. Simard, P. Frasconi, Learning Long-Term Dependencies with Gradient Descent
is Difficult, 1994, section on alternatives; Y. Bengio, P. Frasconi, Credit Assignment through Time,
1993, section 7.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..engine.native import Told
from ..errors import WrongUsage, expect
from ..types import Params, chosen_from, size_of, split_like
from ._learner import Memory
from ._search import Search, Tried


@dataclass(frozen=True)
class Multigrid(Search):
    """Look around the best point, ever closer.

    Args:
        width: half the side of the box at the start.
        points: candidates before the box shrinks.
        shrink: by how much.
        least: half a side below which the box is wide again.
    """

    width: float = 10.0
    points: int = 20
    shrink: float = 0.9
    least: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, points=self.points)
        if not 0 < self.least <= self.width < math.inf:
            raise WrongUsage(
                f"width came as {self.width} and least as {self.least}, expected numbers with "
                "0 < least <= width; try width=10, least=0.001."
            )
        if not 0 < self.shrink < 1:
            raise WrongUsage(f"shrink came as {self.shrink}, expected between 0 and 1; try 0.9.")

    def chances(self, params: Params) -> int:
        return size_of(params)

    def begin(self, params: Params) -> Memory:
        """The start has not been tried, so the first candidate is the best so far."""
        none = next(iter(params.values())).new_zeros(())
        return {
            "best": {name: value.clone() for name, value in params.items()},
            "error": none + torch.inf,
            "half": none + self.width,
            "tried": none.clone(),
            "rounds": none.clone(),
        }

    def propose(self, params: Params, memory: Memory, chance: Float[Tensor, " P"]) -> Tried:
        away = split_like(memory["half"] * (2 * chance - 1), params)
        tried = {name: best + away[name] for name, best in memory["best"].items()}  # (1)
        return tried, memory

    def judge(self, params: Params, memory: Memory, told: Told) -> Tried:
        error, tried = told.losses.mean(), memory["tried"] + 1
        better = error < memory["error"]
        best = chosen_from(better, params, memory["best"])  # (2)
        ended = tried >= self.points
        half = torch.where(ended, self.shrink * memory["half"], memory["half"])  # (3)
        return best, memory | {
            "best": best,
            "error": torch.where(better, error, memory["error"]),
            "half": torch.where(half < self.least, self.width, half),  # (4)
            "tried": torch.where(ended, 0.0, tried),
            "rounds": memory["rounds"] + ended.to(half),
        }

    def counted(self, memory: Memory) -> dict[str, Float[Tensor, " R"]]:
        """How many boxes were searched."""
        return {"rounds": memory["rounds"]}
