"""Simulated annealing with steps that adapt: Corana and others' method.

One coordinate h at a time, in turns, from the current point x with error E:

    x'_h = x_h + v_h U[-1, 1]           uniform in [-bound, bound] where that leaves the box   (1)
    x <- x'   with probability min(1, exp(-(E' - E) / temperature))                (2)

After `cycles` moves along every coordinate, of which a share u was accepted,

    v_h <- v_h (1 + 2 (u - 0.6) / 0.4)     where u > 0.6
    v_h <- v_h / (1 + 2 (0.4 - u) / 0.4)   where u < 0.4                              (3)

so that about half of the moves are accepted; a step is never longer than the box. After
`adaptations` of these the temperature falls by `cooling`, and the search goes on from the best
point so far (4). It stops by itself

    where the errors at the ends of the last four temperatures and the best one lie within `epsilon`
    where the error is not above `ideal`                                                        (5)

and is otherwise stopped by its budget. What has stopped shows its best point and moves no more;
`stopped` is 1 then. `accepted` is the share of moves accepted at the last adaptation.

A trial is judged by its best point. With few sequences a step the errors are noisy, and a lucky one
is hard to leave; a larger `batch`, or a fixed training set, makes them comparable. The box holds
the point at the start too: a parameter outside of it stays where it is until it is moved.

What the source leaves to its user, and what is chosen here: the box (10), the temperature at the
start (1), the steps at the start (1). With adaptations=None there are max(100, 5 P), the advice for
functions of P numbers; P cycles of that take far more sequences than Bengio and others report.

Reference: A. Corana, M. Marchesi, C. Martini, S. Ridella, Minimizing Multimodal Functions of
Continuous Variables with the Simulated Annealing Algorithm, 1987.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..engine.native import Told
from ..errors import WrongUsage, expect
from ..types import Params, flat, split_like
from ._learner import Memory
from ._search import Search, Tried

_REMEMBERED = 4
"""Temperatures whose errors are compared before it stops."""


@dataclass(frozen=True)
class Annealing(Search):
    """Moves along one coordinate, accepted by Metropolis' rule.

    Args:
        temperature: at the start, in units of the error.
        bound: points lie in [-bound, bound].
        length: v at the start.
        cycles: moves along every coordinate between two adaptations.
        adaptations: between two temperatures; None for max(100, 5 P) of P parameters.
        cooling: what the temperature is multiplied by.
        epsilon: differences of error that are none.
        ideal: an error that is good enough.
    """

    temperature: float = 1.0
    bound: float = 10.0
    length: float = 1.0
    cycles: int = 20
    adaptations: int | None = None
    cooling: float = 0.85
    epsilon: float = 1e-6
    ideal: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(
            1, cycles=self.cycles, adaptations=1 if self.adaptations is None else self.adaptations
        )
        positive = {"temperature": self.temperature, "bound": self.bound, "length": self.length}
        for name, value in positive.items():
            if not value > 0:
                raise WrongUsage(f"{name} came as {value}, expected more than 0; try {name}=1.")
        if not 0 < self.cooling < 1:
            raise WrongUsage(f"cooling came as {self.cooling}, expected 0 to 1; try cooling=0.85.")

    def chances(self, params: Params) -> int:
        """One for the move, one in case it leaves the box, one for whether it is accepted."""
        return 3

    def begin(self, params: Params) -> Memory:
        """The first step tries the start itself."""
        start = flat(params)
        none = start.new_zeros(())
        return {
            "x": start.clone(),
            "best": start.clone(),
            "errors": start.new_full((2,), torch.inf),  # of x and of the best
            "lengths": torch.full_like(start, min(self.length, self.bound)),
            "hits": torch.zeros_like(start),
            "ends": start.new_full((_REMEMBERED,), torch.inf),
            "temperature": none + self.temperature,
            "moves": none.clone(),
            "adapted": none.clone(),
            "accepted": none.clone(),
            "stopped": none.clone(),
        }

    def propose(self, params: Params, memory: Memory, chance: Float[Tensor, " 3"]) -> Tried:
        x = memory["x"]
        here = self._turn(memory, x)
        moved = x + memory["lengths"] * (2 * chance[0] - 1)
        out = moved.abs() > self.bound
        moved = torch.where(out, self.bound * (2 * chance[1] - 1), moved)  # (1)
        moves = here & memory["errors"][0].isfinite() & (memory["stopped"] == 0)
        tried = torch.where(moves, moved, torch.where(memory["stopped"] > 0, memory["best"], x))
        return split_like(tried, params), memory

    def judge(self, params: Params, memory: Memory, told: Told) -> Tried:
        tried, error = flat(params), told.losses.mean()
        known, lowest = memory["errors"].unbind()
        going = memory["stopped"] == 0
        # The first point is taken whatever it is: exp(inf) is above every chance.
        taken = going & (told.chance[2] < torch.exp((known - error) / memory["temperature"]))  # (2)
        better = going & (error < lowest)
        first = ~known.isfinite()
        here = self._turn(memory, tried) & going & ~first
        best = torch.where(better, tried, memory["best"])
        now = memory | {
            "x": torch.where(taken, tried, memory["x"]),
            "best": best,
            "errors": torch.stack(
                [torch.where(taken, error, known), torch.where(better, error, lowest)]
            ),
            "hits": memory["hits"] + (here & taken).to(tried),
            "moves": memory["moves"] + (going & ~first).to(error),
        }
        return split_like(best, params), self._cooled(self._adapted(now))

    def counted(self, memory: Memory) -> dict[str, Float[Tensor, " R"]]:
        """The share of moves accepted at the last adaptation, and whether it stopped by itself."""
        return {"accepted": memory["accepted"], "stopped": memory["stopped"]}

    def _turn(self, memory: Memory, like: Tensor) -> Tensor:
        """Which coordinate a move is along."""
        moves, places = memory["moves"], torch.arange(len(like)).to(like)
        return places == moves - len(like) * torch.floor(moves / len(like))

    def _adapted(self, memory: Memory) -> Memory:
        """Equation (3), where it is time."""
        hits, lengths = memory["hits"], memory["lengths"]
        due = memory["moves"] >= self.cycles * len(hits)
        share = hits / self.cycles
        longer = lengths * (1 + 2 * (share - 0.6) / 0.4)
        shorter = lengths / (1 + 2 * (0.4 - share) / 0.4)
        fitted = torch.where(share > 0.6, longer, torch.where(share < 0.4, shorter, lengths))
        return memory | {
            "lengths": torch.where(due, fitted.clamp(max=self.bound), lengths),
            "hits": torch.where(due, 0.0, hits),
            "accepted": torch.where(due, share.mean(), memory["accepted"]),
            "moves": torch.where(due, 0.0, memory["moves"]),
            "adapted": memory["adapted"] + due.to(hits),
        }

    def _cooled(self, memory: Memory) -> Memory:
        """Equations (4) and (5), where it is time."""
        size = len(memory["hits"])
        due = memory["adapted"] >= (self.adaptations or max(100, 5 * size))
        known, lowest = memory["errors"].unbind()
        close = (memory["ends"] - known).abs().amax() < self.epsilon
        stuck = due & close & (known - lowest < self.epsilon)
        ends = torch.cat([memory["ends"][1:], known.unsqueeze(0)])
        stops = stuck | (lowest <= self.ideal)
        cooler = self.cooling * memory["temperature"]
        return memory | {
            "x": torch.where(due, memory["best"], memory["x"]),
            "errors": torch.stack([torch.where(due, lowest, known), lowest]),
            "ends": torch.where(due, ends, memory["ends"]),
            "temperature": torch.where(due, cooler, memory["temperature"]),
            "adapted": torch.where(due, 0.0, memory["adapted"]),
            "stopped": torch.where(stops, 1.0, memory["stopped"]),
        }
