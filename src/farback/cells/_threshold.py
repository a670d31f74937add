"""The threshold unit, and the discrete wish for another value that is passed back through it.

    y = sign(x),  sign(0) = +1                                                             (1)
    g = -dC/dy,  held in [MIN, MAX]                  the wished change of y                (2)
    P(S = +2) = (g - MIN) / (MAX - MIN),  else S = -2;  S = 0 where g = 0                  (3)
    Dx = -x          where S = +2 and x < 0                                                (4)
         -x - lam    where S = -2 and x >= 0
         0           otherwise: the unit has the wished value
    dC/dx := -Dx                                                                           (5)

A real wish g becomes one of the changes that a unit can make, with the expectation E[S] = g where
MIN = -2 and MAX = +2. The change of x that would bring it about is what is passed on: through a
weight, the wish for a source y_j is sum_i w_ij Dx_i, and Dw_ij is proportional to Dx_i y_j.
That S = 0 where nothing is wished is our choice, without which units that nobody asks would be
moved at random; it changes no expectation.

Reference: Y. Bengio, P. Simard, P. Frasconi, Learning Long-Term Dependencies with Gradient Descent
is Difficult, 1994; Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to
Backpropagation, 1993. As told second-hand, with the slips repaired: the two signs of the change of
y are exchanged there, and the error is missing from what is passed on; with sign(0) = +1 the margin
belongs to the way down alone.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from ..errors import WrongUsage

Limits = tuple[float, float]
"""MIN and MAX."""


def threshold(
    x: Float[Tensor, "..."], dice: Float[Tensor, "..."], margin: float, limits: Limits
) -> Float[Tensor, "..."]:
    """Equation (1), with (2) to (5) for a derivative.

    Args:
        x: net inputs.
        dice: a number uniform in [0, 1) for each.
        margin: lam.
        limits: MIN and MAX.
    """
    made: Any = _Threshold.apply(x, dice, margin, *limits)
    return made


def check_wish(margin: float, limits: Limits) -> None:
    """Refuse a margin or limits that the rule is not made for.

    Raises:
        WrongUsage: what came, and what to try.
    """
    if not margin > 0:
        raise WrongUsage(f"margin came as {margin}, expected a number above 0; try margin=0.1.")
    if not limits[0] < 0 < limits[1]:
        raise WrongUsage(
            f"limits came as {limits}, expected the largest wish down, below 0, and the largest "
            "wish up, above 0; try limits=(-2.0, 2.0)."
        )


class _Threshold(torch.autograd.Function):
    """Equation (1) and its way back."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, dice: Tensor, margin: float, least: float, most: float) -> Tensor:
        one = torch.ones_like(x)
        return torch.where(x >= 0, one, -one)  # (1)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        x, dice, *ctx.settings = inputs
        ctx.save_for_backward(x, dice)

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None, None, None, None]:
        (slope,), (x, dice) = slopes, ctx.saved_tensors
        margin, least, most = ctx.settings
        wish = (-slope).clamp(least, most)  # (2)
        up = dice * (most - least) < wish - least  # (3)
        high, nothing = x >= 0, torch.zeros_like(x)
        down = torch.where(high, x + margin, nothing)
        passed = torch.where(up, torch.where(high, nothing, x), down)  # (4), (5)
        return torch.where(slope == 0, nothing, passed), None, None, None, None
