"""Random-feedback local online learning: RTRL whose influence only leaks.

    P_0        = dstart/dparams                                                         (1)
    P_t        = leak P_{t-1} + dstate_t/dparams                with state_{t-1} held   (2)
    dE/dparams = sum_t P_t^T e_t                                                        (3)
    e_t        = B^T dE/doutput_t                                                       (4)

For units that leak with a time constant tau, h_t = (1 - 1/tau) h_{t-1} + f(net_t)/tau, the source's
leak is 1 - 1/tau. Two things are given up. First, all of J_t but the leak: what units do to each
other through recurrent weights, and each to itself. What is left of J_t is a number that is told,
since a step does not say which part of it leaks. Second, with `feedback`, the readout's weights on
the way back: B is random and fixed. Without, e_t is the true error that enters at step t. The
readout learns by its true gradient either way.

The source's readout is linear; where a cell bends its outputs, B takes the error of what came out,
without the slope. With leak = 0 and the true error this is Elman's procedure, but for what the
first error tells a learned start through the step.

Reference: J. M. Murray, Local Online Learning in Recurrent Networks with Random Feedback, 2019.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ...engine.native import Backward, Forward
from ...errors import WrongUsage
from ...problem import Problem
from ...types import Params, Sequences
from ._feedback import feedback_of
from ._gradient import Net
from ._influence import InfluenceGradient, Sensitive, approximated
from ._online import Advanced


@dataclass(frozen=True)
class RFLO(InfluenceGradient):
    """Each parameter's trace decays by itself, and meets the error of the moment.

    Args:
        leak: what a unit keeps of itself from step to step, other than by weights; 0.9 is a time
            constant of ten steps.
        feedback: the seed of B; None for the error through the true readout.
    """

    leak: float = 0.9
    feedback: int | None = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.leak <= 1:
            raise WrongUsage(f"leak came as {self.leak}, expected from 0 to 1; try 0.9.")

    def advance(
        self, net: Net, params: Params, carry: Sensitive, sequences: Sequences, t: int
    ) -> Advanced:
        def moved(jacobian: Tensor, influence: Params) -> Params:
            return {name: self.leak * it for name, it in influence.items()}  # (2)

        back = feedback_of(net, self.feedback)  # (4)
        return approximated(net, params, carry, sequences, t, moved, back)

    def schedule(self, problem: Problem) -> Backward | Forward:
        """As any that is carried along; B is a constant of the program."""
        feedback_of(problem, self.feedback)
        return super().schedule(problem)
