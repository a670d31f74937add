"""Plain gradient descent.

step = lr * gradient
"""

from __future__ import annotations

from dataclasses import dataclass

from ...types import Params
from ._update import Memory, Step, Update, check_rate


@dataclass(frozen=True)
class SGD(Update):
    """Steps of `lr` times the gradient."""

    lr: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rate(self.lr)

    def init(self, params: Params) -> Memory:
        """Nothing."""
        return {}

    def __call__(self, gradient: Params, memory: Memory, params: Params) -> Step:
        return Step({name: self.lr * value for name, value in gradient.items()}, memory)
