"""A clock in the state: it counts steps, and units of a period are changed once in it.

A clock shows whole numbers. What compares them does so half-way between, so that no number in the
state stands where a comparison turns.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def ticked(t: Float[Tensor, " 1"], longest: int) -> Float[Tensor, " 1"]:
    """One step later, modulo the longest period."""
    return torch.where(t + 1 > longest - 0.5, t + 1 - longest, t + 1)


def waits(t: Float[Tensor, " 1"], period: Float[Tensor, " units"]) -> Bool[Tensor, " units"]:
    """Whether units of these periods stay as they are at time t."""
    past = t - period * torch.floor((t + 0.5) / period)
    return past > 0.5
