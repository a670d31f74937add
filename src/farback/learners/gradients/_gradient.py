"""The interface of a gradient: from parameters and a sequence to the derivative of its error.

A gradient is written once on `Problem` or `Trials` alike: time is the first axis, and whatever
other axes there are it leaves alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ..._part import Part
from ...cells._cell import Cell
from ...engine.native import Backward, Forward, Recursion
from ...errors import WrongUsage
from ...problem import Problem, Trials
from ...types import Params, Sequences

Net = Problem | Trials


@dataclass(frozen=True)
class ErrorGradient:
    """The error of some sequences and its derivative."""

    loss: Float[Tensor, " *batch"]
    """The error of each sequence, summed over its scored steps."""

    outputs: Float[Tensor, "T *batch O"]
    gradient: Params
    """dE/dparams, summed over the sequences of a trial."""


@dataclass(frozen=True)
class Gradient(Part, ABC):
    """One way to get the derivative of the error by the parameters."""

    @property
    @abstractmethod
    def exact(self) -> bool:
        """Whether it equals the derivative of the error, on a cell that has it and cuts nothing."""

    @property
    @abstractmethod
    def backward_passes(self) -> float:
        """Passes back through a sequence, in lengths of the sequence; the pass forward is one."""

    def dice(self, problem: Problem) -> int:
        """Chances that it needs at every step: the last numbers of `sequences.inputs`."""
        return 0

    @abstractmethod
    def __call__(self, net: Net, params: Params, sequences: Sequences) -> ErrorGradient:
        """The gradient over whole sequences, with the parameters held."""

    def schedule(self, problem: Problem) -> Backward | Forward | Recursion | None:
        """In which order the native engine calls what it compiled; None where it cannot."""
        return None


def expect_jacobian(cell: Cell, asking: Part) -> None:
    """Refuse a cell through which no Jacobian goes back.

    Args:
        cell: the cell.
        asking: the gradient or learner that multiplies, squares or decomposes Jacobians.

    Raises:
        WrongUsage: the cell passes back what is no linear map of the error.
    """
    if not cell.has_jacobian:
        advice = "DiscreteError()" if cell.dice else "BPTT()"
        raise WrongUsage(
            f"{cell!r} came with {asking!r}, expected a cell whose steps have a Jacobian: what "
            f"these pass back is not linear in the error that came; try {advice}, or a learner "
            "that takes no derivative, such as Guessing()."
        )
