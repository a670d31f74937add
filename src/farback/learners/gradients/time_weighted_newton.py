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
from functools import partial

from ...engine.native import Recursion
from ...problem import Problem
from ._curvature import check_mu, scaled, second_order
from ._gradient import expect_jacobian
from ._recursive import RecursiveGradient


@dataclass(frozen=True)
class TimeWeightedNewton(RecursiveGradient):
    """Steps long ago are not outvoted by the last ones.

    Args:
        mu: what is added to the curvature; above 0.
    """

    mu: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        check_mu(self.mu)

    @property
    def exact(self) -> bool:
        return False

    @property
    def backward_passes(self) -> float:
        """One for the error and one for the curvature."""
        return 2.0

    def schedule(self, problem: Problem) -> Recursion:
        """What is carried is adjoint and curvature.

        Raises:
            WrongUsage: the cell has no Jacobian to take the squares of.
        """
        expect_jacobian(problem.cell, self)
        at_each = partial(scaled, mu=self.mu)  # (1)
        return second_order(problem, at_each=at_each, at_end=lambda total: total)
