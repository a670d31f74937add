"""Which engine runs a study, and why: one word and one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from traceback import format_exception_only

import torch

from ..engine import _machine
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
    """Why it is this one; of the native one, what it runs on."""

    native: Native | None = None

    @property
    def sentence(self) -> str:
        """What runs, and why or on what."""
        first, space, device = self.name.partition(" ")
        end = f" ({self.why})" if self.native else f", {self.why}"
        return f"{first} engine{space}{device}{end}"


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
        return Choice(name, "as asked for")
    try:
        if device != "cpu":
            raise Unavailable("compiled C runs on the CPU alone")
        if asked == "auto":
            _expect_worth(problem, sequences)
        _machine.working()
        made = native(problem, learner, dtype)
    except Unavailable as reason:
        if asked == "native":
            raise InputRefused(
                f"The native engine cannot run this: {reason}; try engine='reference'."
            ) from None
        return Choice(name, f"since {reason}")
    except Exception as error:
        if asked == "native":
            raise
        raised = "".join(format_exception_only(error)).strip().partition("\n")[0]
        return Choice(name, f"since the native one fails on it ({raised})")
    return Choice("native", _where(dtype), made)


def _where(dtype: torch.dtype) -> str:
    """What a program runs on, for people."""
    compiler, threads = _machine.named(_machine.working()), _machine.threads()
    lanes = _machine.lanes(str(dtype).removeprefix("torch."))
    return f"{compiler}, {lanes} lanes, {threads} thread{'s' * (threads != 1)}"


def _expect_worth(problem: Problem, sequences: int) -> None:
    if sequences < _SHORTEST:
        raise Unavailable(f"{sequences:,} sequences are done before a compiler is")
    size = sum(it.numel() for it in problem.parameters(0).values())
    if size > _LARGEST:
        raise Unavailable(f"a net of {size:,} parameters is faster in torch's matrices")
