"""A gradient cut to a length: its direction stays, its norm over all parameters is bounded.

    step = gradient min(1, threshold / |gradient|)      (1)
    threshold = norm, or norm times m                   (2)
    m = mean of |gradient| over all updates before      (3)

The norm is a trial's own. It is taken of the gradient over its largest entry, so that an exploding
one does not overflow in its square. Thresholds of 0.5 to 10 times the mean norm of many updates are
the paper's heuristic; (3) takes that mean on the way, of norms before they are cut. As long as it
is zero, at the first update above all, nothing is cut; a norm that is too large for its type counts
as the type's largest number.

A gradient that is not finite is handed on as it came: the trial diverges, and is said to have. The
authors' own program puts 0.02 W_rec for the recurrent weights' gradient and zero for all others
where the norm is NaN, infinite or above 1e10. That is a rule for one net, and not one of (1).

Reference: R. Pascanu, T. Mikolov, Y. Bengio, On the Difficulty of Training Recurrent Neural
Networks, 2013, algorithm 1 and section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ...errors import WrongUsage
from ...types import Params, flat
from ._update import Memory, Step, Update


@dataclass(frozen=True)
class Clip(Update):
    """The gradient, no longer than `norm`; chained before an update that makes a step of it.

    Args:
        norm: the largest length.
        of_mean: whether it is told in mean lengths of the gradients before.
    """

    norm: float = 1.0
    of_mean: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.norm > 0:
            raise WrongUsage(f"norm came as {self.norm}, expected more than 0; try Clip(1.0).")

    def init(self, params: Params) -> Memory:
        """Nothing, or the mean (3) and of how many gradients it is."""
        if not self.of_mean:
            return {}
        none = next(iter(params.values())).new_zeros(())
        return {"norms": {"mean": none, "count": none.clone()}}

    def __call__(self, gradient: Params, memory: Memory, params: Params) -> Step:
        entries = flat(gradient)
        kind, top = torch.finfo(entries.dtype), entries.abs().amax()
        largest = top.clamp(min=kind.tiny)
        relative = (entries / largest).square().sum().sqrt().clamp(min=1)
        # |gradient| is largest * relative, a product that may itself be too large for its type.
        threshold = self.norm
        if self.of_mean:
            mean, count = memory["norms"]["mean"], memory["norms"]["count"] + 1
            threshold = torch.where(mean > 0, self.norm * mean, torch.inf)  # (2)
            norm = (top * relative).clamp(max=kind.max)
            memory = {"norms": {"mean": mean + (norm - mean) / count, "count": count}}  # (3)
        factor = (threshold / largest / relative).clamp(max=1)  # (1)
        return Step({name: value * factor for name, value in gradient.items()}, memory)
