"""The loss as a function of the parameters, on the batch of a probe.

    E(theta_1, ..., theta_n)

The same random draws (dropout, noise) are made each time, so that two values differ by their
parameters alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Landscape:
    """E, and the parameters at which the subject stands.

    `loss` takes one tensor for each name, in place of the subject's own; it computes in their type,
    and is differentiable as often as the subject is.
    """

    names: tuple[str, ...]
    parameters: tuple[Tensor, ...]
    loss: Callable[[Sequence[Tensor]], Tensor]
