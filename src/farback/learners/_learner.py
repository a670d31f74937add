"""The interface of a learner: from sequences to better parameters, for all trials at once.

A learner counts in the units of the old tables: sequences presented, passes forward and passes
back, each in lengths of a sequence.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.utils import _pytree as pytree

from .._dice import bare
from .._part import Part
from ..engine.native import Ahead, Backward, Forward, Learning, Recursion
from ..errors import WrongUsage
from ..problem import Problem, Trials
from ..types import Params, Sequences
from .gradients._gradient import Gradient

Memory = Any
"""A tree of tensors, [R, ...] each."""


class Learned(NamedTuple):
    """What one step of a learner made of its sequences."""

    params: Params
    memory: Memory
    outputs: Float[Tensor, "T R B O"]
    """What the net answered before it learned from these sequences."""

    loss: Float[Tensor, "R B"]


Count = float | Float[Tensor, " R"]
"""A number, of each trial or of all alike."""


class Passes(NamedTuple):
    """How often sequences were gone through, in lengths of a sequence."""

    forward: Count
    backward: Count


class Compiled(NamedTuple):
    """How the native engine runs a learner."""

    schedule: Ahead | Backward | Forward | Recursion
    learning: Learning
    gradient: Gradient | None = None


@dataclass(frozen=True)
class Learner(Part, ABC):
    """One way to learn. A concrete learner is frozen, and its fields are its choices."""

    @property
    @abstractmethod
    def presented(self) -> int:
        """Sequences of one step."""

    @abstractmethod
    def passes(self, memory: Memory, presented: Count) -> Passes:
        """All passes of the trials since their start.

        Args:
            memory: as the last step left it.
            presented: sequences presented since the start.
        """

    @property
    def keeps_probabilities(self) -> bool:
        """Whether parameters that are probabilities are such behind its steps too."""
        return False

    def dice(self, problem: Problem) -> int:
        """Chances that its gradient needs at every step of a sequence."""
        return 0

    @abstractmethod
    def fits(self, problem: Problem) -> None:
        """Refuse a problem that it cannot learn on.

        Raises:
            WrongUsage: why not, and what can.
            InputRefused: a part of it is not what it says.
        """

    @abstractmethod
    def init(self, net: Trials, params: Params, seeds: Sequence[int]) -> Memory:
        """What is remembered before the first step.

        Args:
            net: the problem.
            params: each trial's parameters, [R, ...].
            seeds: each trial's seed, for what it draws.
        """

    @abstractmethod
    def step(self, net: Trials, params: Params, memory: Memory, sequences: Sequences) -> Learned:
        """Learn from `presented` sequences of every trial, [T, R, presented, ...]."""

    def counted(self, memory: Memory) -> dict[str, Float[Tensor, " R"]]:
        """What it counted by itself, by name, for the measures of each trial."""
        return {}

    def compiled(self, problem: Problem) -> Compiled | None:
        """What the native engine makes of it, for one trial; None where it cannot."""
        return None


def expect_weights(problem: Problem, learner: Learner) -> None:
    """Refuse a net that has more in its parameters than weights.

    Raises:
        WrongUsage: some of them say which units there are, and `learner` draws all alike.
    """
    if named := problem.cell.structure:
        raise WrongUsage(
            f"{bare(problem.cell)!r} came with {learner!r}, expected parameters that are all "
            f"weights, where {', '.join(named)} say which units there are; try the learner that "
            "grows it, or Descent."
        )


def chosen(rows: Bool[Tensor, " R"], new: Any, old: Any) -> Any:
    """`new` for these trials, `old` for the others, leaf by leaf of two trees alike."""

    def choose(new: Tensor, old: Tensor) -> Tensor:
        return torch.where(rows.reshape(-1, *(1,) * (new.ndim - 1)), new, old)

    return pytree.tree_map(choose, new, old)
