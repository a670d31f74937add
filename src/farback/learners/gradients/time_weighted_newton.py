"""Time-weighted pseudo-Newton: each step's part of the gradient over that step's own curvature.

    step_i = sum_t g_it / (h_it + mu)                       (1)

g_it and h_it are the first and second derivative of the error by weight i of step t, as in
`_curvature`. A gradient that has become small on its way back comes with a curvature smaller still,
so that the far past counts for more than in the plain gradient. With |J| = rho in a loop of one
unit that sees x, an error of k steps later makes a step of about

    rho^k x / (rho^(2k) x^2 + mu)                           (2)

which grows as rho^-k up to a lag of ln(mu / x^2) / (2 ln rho) and vanishes as rho^k behind it: 7
steps for rho = 0.62, mu = 0.001 and x = 1, 29 for mu = 1e-12. With several sequences to an update
each is scaled by its own curvatures.

Reference: Y. Bengio, P. Simard, P. Frasconi, Learning Long-Term Dependencies with Gradient Descent
is Difficult, 1994; Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to
Backpropagation, 1994. (2) is derived here.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...engine.native import Recursion
from ...problem import Problem
from ._curvature import ScaledGradient, second_order
from ._gradient import expect_jacobian


@dataclass(frozen=True)
class TimeWeightedNewton(ScaledGradient):
    """Steps long ago are not outvoted by the last ones."""

    def schedule(self, problem: Problem) -> Recursion:
        """What is carried is adjoint and curvature.

        Raises:
            WrongUsage: the cell has no Jacobian to take the squares of.
        """
        expect_jacobian(problem.cell, self)
        return second_order(problem, at_each=self.scaled, at_end=lambda total: total)  # (1)
