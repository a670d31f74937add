"""Gradient descent with momentum: a step keeps part of the step before.

    velocity_t = momentum * velocity_{t-1} + gradient_t             (1)
    step_t     = lr * velocity_t                                    (2)

Reference: D. E. Rumelhart, G. E. Hinton, R. J. Williams, Learning Internal Representations by Error
Propagation, 1986, section on learning rates.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import WrongUsage
from ...types import Params, zeros_like
from ._update import Memory, Step, Update, check_rate


@dataclass(frozen=True)
class Momentum(Update):
    """Steps along a decaying sum of the gradients.

    Args:
        lr: the learning rate.
        momentum: how much of the last step is kept; below 1.
    """

    lr: float = 0.1
    momentum: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rate(self.lr)
        if not 0 <= self.momentum < 1:
            raise WrongUsage(
                f"momentum came as {self.momentum}, expected at least 0 and below 1; try 0.9."
            )

    def init(self, params: Params) -> Memory:
        return {"velocity": zeros_like(params)}

    def __call__(self, gradient: Params, memory: Memory, params: Params) -> Step:
        before = memory["velocity"]
        velocity = {  # (1)
            name: self.momentum * before[name] + value for name, value in gradient.items()
        }
        return Step(
            {name: self.lr * value for name, value in velocity.items()},  # (2)
            {"velocity": velocity},
        )
