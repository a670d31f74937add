"""The interface of a squashing function: elementwise, pure, differentiable."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ..._part import Part


@dataclass(frozen=True)
class Squashing(Part, ABC):
    """One elementwise function of a net input."""

    @abstractmethod
    def __call__(self, net: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """The activation."""
