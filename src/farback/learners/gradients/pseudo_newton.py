"""Pseudo-Newton: the gradient over its own diagonal curvature.

    step_i = (sum_t g_it) / (sum_t h_it + mu)               (1)

g_it and h_it are the first and second derivative of the error by weight i of step t, as in
`_curvature`; h is never negative, and mu keeps a step from exploding where the error is flat. With
several sequences to an update each is scaled by its own curvature.

The source gives a rate of 0.01, mu between 0.001 and 0.3, and momentum of 0.8:

    Descent(PseudoNewton(mu=0.01), Momentum(lr=0.01, momentum=0.8))

Reference: Y. Bengio, P. Simard, P. Frasconi, Learning Long-Term Dependencies with Gradient Descent
is Difficult, 1994; Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to
Backpropagation, 1994; S. Becker, Y. LeCun, Improving the Convergence of Back-Propagation Learning
with Second-Order Methods, 1988.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.native import Recursion
from ...problem import Problem
from ._curvature import ScaledGradient, second_order
from ._gradient import expect_jacobian


@dataclass(frozen=True)
class PseudoNewton(ScaledGradient):
    """Weights go further where the error is flat."""

    def schedule(self, problem: Problem) -> Recursion:
        """What is carried is adjoint and curvature.

        Raises:
            WrongUsage: the cell has no Jacobian to take the squares of.
        """
        expect_jacobian(problem.cell, self)
        return second_order(problem, at_end=self.scaled)  # (1)
