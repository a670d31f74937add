"""A gradient cut to a length: its direction stays, its norm over all parameters is bounded.

    step = gradient min(1, norm / |gradient|)           (1)

The norm is a trial's own. It is taken of the gradient over its largest entry, so that an exploding
one does not overflow in its square.

Reference: R. Pascanu, T. Mikolov, Y. Bengio, On the Difficulty of Training Recurrent Neural
Networks, 2013, algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ...errors import WrongUsage
from ...types import Params
from ._update import Memory, Step, Update


@dataclass(frozen=True)
class Clip(Update):
    """The gradient, no longer than `norm`; chained before an update that makes a step of it."""

    norm: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.norm > 0:
            raise WrongUsage(f"norm came as {self.norm}, expected more than 0; try Clip(1.0).")

    def init(self, params: Params) -> Memory:
        """Nothing."""
        return {}

    def __call__(self, gradient: Params, memory: Memory, params: Params) -> Step:
        entries = torch.cat([value.reshape(-1) for value in gradient.values()])
        largest = entries.abs().amax().clamp(min=torch.finfo(entries.dtype).tiny)
        relative = (entries / largest).square().sum().sqrt().clamp(min=1)
        # |gradient| is largest * relative, a product that may itself be too large for its type.
        factor = (self.norm / largest / relative).clamp(max=1)  # (1)
        return Step({name: value * factor for name, value in gradient.items()}, memory)
