"""The interface of a squashing function: elementwise, pure, differentiable."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Squashing(ABC):
    """One elementwise function of a net input."""

    @abstractmethod
    def __call__(self, net: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """The activation."""
