"""The interface of an update: from a gradient to the step that is taken against it.

    params <- params - step(gradient)

An update is written for the parameters of one trial. What it gives is again shaped like a
gradient, so that updates can be chained: each takes the last one's step for its gradient.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

from ..._part import Part
from ...errors import WrongUsage
from ...types import Params

Memory = dict[str, Params]
"""What an update keeps between steps: named trees shaped like the parameters, or scalars in one."""


class Step(NamedTuple):
    """What is subtracted from the parameters, and what is remembered."""

    step: Params
    memory: Memory


@dataclass(frozen=True)
class Update(Part, ABC):
    """One way to turn a gradient into a step. Pure torch functions, traceable."""

    @abstractmethod
    def init(self, params: Params) -> Memory:
        """What is remembered before the first step."""

    @abstractmethod
    def __call__(self, gradient: Params, memory: Memory, params: Params) -> Step:
        """The step for this gradient."""


def check_rate(lr: float) -> None:
    """Refuse a learning rate that leads uphill or nowhere.

    Raises:
        WrongUsage: it is negative, or no number.
    """
    if not lr >= 0:
        raise WrongUsage(f"lr came as {lr}, expected at least 0; try lr=0.1.")
