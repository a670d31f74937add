"""No squashing: a linear unit."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ._squashing import Squashing


@dataclass(frozen=True)
class Identity(Squashing):
    """The net input itself."""

    def __call__(self, net: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        return net
