"""Discrete error propagation: BPTT through threshold units, which pass back wishes for a change.

    wish:        g = -dC/dy;  P(S = +2) = (g - MIN) / (MAX - MIN), else S = -2             (1)
    change:      Dx = -x where S = +2 and x < 0,  -x - lam where S = -2 and x >= 0, else 0  (2)
    pass back:   dC/dx := -Dx;  so that g_j = sum_i w_ij Dx_i and Dw_ij ~ Dx_i y_j          (3)

The rule is the unit's own (`farback.cells._threshold`), decided by dice that come with each step;
all that is differentiable is differentiated. What comes out is a random direction and no
derivative, but a wish does not get smaller around a loop as an error does.

The source has it otherwise in two places, and is repaired: it exchanges the two cases of the change
of y that a Dx brings about, and its pseudo-gradient lacks the error. MIN and MAX, lam and what is
done where nothing is wished (here nothing) were not recovered.

Reference: Y. Bengio, P. Simard, P. Frasconi, Learning Long-Term Dependencies with Gradient Descent
is Difficult, 1994; Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to
Backpropagation, 1993, section 5.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.native import Backward
from ...errors import WrongUsage
from ...problem import Problem
from ...types import Params, Sequences
from ._gradient import ErrorGradient, Gradient, Net
from .bptt import BPTT


@dataclass(frozen=True)
class DiscreteError(Gradient):
    """One pass forward, one back, through units that decide by chance what they pass back."""

    @property
    def exact(self) -> bool:
        return False

    @property
    def backward_passes(self) -> float:
        return 1.0

    def __call__(self, net: Net, params: Params, sequences: Sequences) -> ErrorGradient:
        """BPTT, over a cell that draws.

        Raises:
            WrongUsage: the cell has no threshold units.
        """
        if net.cell.has_jacobian:
            raise WrongUsage(
                f"{net.cell!r} came with DiscreteError(), expected a cell with threshold units, "
                "which decide what they pass back; try ThresholdNet(), or BPTT()."
            )
        return BPTT()(net, params, sequences)

    def schedule(self, problem: Problem) -> Backward:
        return Backward()
