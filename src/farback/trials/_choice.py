"""Which engine runs a study, and why: one word and one sentence."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..engine.native import Unavailable
from ..errors import InputRefused
from ..learners._learner import Learner
from ..problem import Problem
from ._compiled import Native, native

ENGINES = ("auto", "native", "reference")

_SHORTEST = 1000
"""Sequences; a shorter budget is spent before a compiler is done."""

_LARGEST = 20_000
"""Parameters; the matrices of a larger net are better left to torch."""


@dataclass(frozen=True)
class Choice:
    """The engine of a study."""

    name: str
    """As the trial names it. Another kind of device gives other last digits, and another trial."""

    why: str
    """Half a sentence."""

    native: Native | None = None

    @property
    def sentence(self) -> str:
        """What runs, and why."""
        return f"{self.name} engine: {self.why}"


def choose(
    asked: str,
    problem: Problem,
    learner: Learner,
    dtype: torch.dtype,
    device: str,
    sequences: int,
) -> Choice:
    """The engine that is asked for; by auto the native one where it is faster.

    Args:
        asked: one of `ENGINES`.
        problem: the cell on the task.
        learner: the learner.
        dtype: of the numbers.
        device: the kind of device.
        sequences: the budget of a trial.

    Raises:
        InputRefused: the native engine is asked for and cannot have it.
    """
    name = "reference" if device == "cpu" else f"reference on {device}"
    if asked == "reference":
        return Choice(name, "it was asked for")
    try:
        if device != "cpu":
            raise Unavailable(f"the native engine runs on the CPU, and this is {device}")
        if asked == "auto":
            _expect_worth(problem, sequences)
        made = native(problem, learner, dtype)
    except Unavailable as reason:
        if asked == "native":
            raise InputRefused(
                f"The native engine cannot run this: {reason}; try engine='reference'."
            ) from None
        return Choice(name, str(reason))
    return Choice("native", made.where, made)


def _expect_worth(problem: Problem, sequences: int) -> None:
    if sequences < _SHORTEST:
        raise Unavailable(f"{sequences:,} sequences are done before a compiler is")
    size = sum(it.numel() for it in problem.parameters(0).values())
    if size > _LARGEST:
        raise Unavailable(f"a net of {size:,} parameters is faster in torch's matrices")
