"""Adam: steps of equal size, from running means of the gradient and of its square.

    m_t    = beta1 m_{t-1} + (1 - beta1) g_t                                    (1)
    v_t    = beta2 v_{t-1} + (1 - beta2) g_t^2                                  (2)
    step_t = lr (m_t / (1 - beta1^t)) / (sqrt(v_t / (1 - beta2^t)) + epsilon)   (3)

Reference: D. P. Kingma, J. Ba, Adam: A Method for Stochastic Optimization, 2015, algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ...errors import WrongUsage
from ...types import Params, zeros_like
from ._update import Memory, Step, Update, check_rate


@dataclass(frozen=True)
class Adam(Update):
    """Adaptive moments.

    Args:
        lr: the learning rate.
        beta1: how much of the mean is kept; below 1.
        beta2: how much of the mean square is kept; below 1.
        epsilon: added to the root, so that a gradient of zero takes no step.
    """

    lr: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rate(self.lr)
        if not (0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            raise WrongUsage(
                f"Adam came with beta1={self.beta1} and beta2={self.beta2}, expected both at "
                "least 0 and below 1; try Adam(beta1=0.9, beta2=0.999)."
            )

    def init(self, params: Params) -> Memory:
        like = next(iter(params.values()))
        return {
            "mean": zeros_like(params),
            "square": zeros_like(params),
            "count": {"t": like.new_zeros(())},
        }

    def __call__(self, gradient: Params, memory: Memory, params: Params) -> Step:
        t = memory["count"]["t"] + 1
        mean = _blended(self.beta1, memory["mean"], gradient)  # (1)
        squares = {name: value**2 for name, value in gradient.items()}
        square = _blended(self.beta2, memory["square"], squares)  # (2)
        grown, grown_square = 1 - self.beta1**t, 1 - self.beta2**t
        step = {
            name: self.lr * (m / grown) / (torch.sqrt(square[name] / grown_square) + self.epsilon)
            for name, m in mean.items()
        }  # (3)
        return Step(step, {"mean": mean, "square": square, "count": {"t": t}})


def _blended(beta: float, before: Params, now: Params) -> Params:
    """A running mean, one step on."""
    return {name: beta * before[name] + (1 - beta) * value for name, value in now.items()}
