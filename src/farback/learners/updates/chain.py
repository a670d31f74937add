"""Updates one after the other: each takes the last one's step for its gradient.

Reference: the composition of gradient transformations in DeepMind's Optax.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import WrongUsage
from ...types import Params
from ._update import Memory, Step, Update


@dataclass(frozen=True)
class Chain(Update):
    """The `links` in their order, as in Chain((Clip(1.0), SGD(0.01)))."""

    links: tuple[Update, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.links:
            raise WrongUsage(
                f"links came as {self.links!r}, expected a tuple of updates; "
                "try Chain((Clip(1.0), SGD(0.01)))."
            )

    def init(self, params: Params) -> Memory:
        """Every link's own, under its number."""
        return {
            f"{number}.{name}": tree
            for number, link in enumerate(self.links)
            for name, tree in link.init(params).items()
        }

    def __call__(self, gradient: Params, memory: Memory, params: Params) -> Step:
        remembered: Memory = {}
        for number, link in enumerate(self.links):
            prefix = f"{number}."
            own = {
                name.removeprefix(prefix): tree
                for name, tree in memory.items()
                if name.startswith(prefix)
            }
            gradient, own = link(gradient, own, params)
            remembered |= {prefix + name: tree for name, tree in own.items()}
        return Step(gradient, remembered)
