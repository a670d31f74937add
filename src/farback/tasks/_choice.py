"""What tasks share whose answer at a step is one of K classes, read from K logits.

    E = -log softmax(output)_k,    k the right class                                        (1)

Right is the class with the largest logit. The error of a sequence is (1), the mean over its scored
steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..types import Sequences
from ._task import Baseline, Task

_CONFIDENT = 100.0
"""A logit beside which zeros are nothing."""

_NEVER = 1e-12
"""The share given to a class that never occurs, so that its logit is finite."""


@dataclass(frozen=True)
class Choice(Task):
    """Classes by logits."""

    def loss(self, output: Float[Tensor, " O"], target: Float[Tensor, " O"]) -> Float[Tensor, ""]:
        """Equation (1)."""
        return -(target * torch.log_softmax(output, -1)).sum()

    def correct(
        self, outputs: Float[Tensor, "T *batch O"], answers: Float[Tensor, "T *batch O"]
    ) -> Bool[Tensor, "T *batch"]:
        """The largest logit is that of the right class."""
        return outputs.argmax(-1) == answers.argmax(-1)

    def perfect(self, answers: Float[Tensor, "T *batch O"]) -> Float[Tensor, "T *batch O"]:
        return _CONFIDENT * answers

    def error(
        self, outputs: Float[Tensor, "T *batch O"], sequences: Sequences
    ) -> Float[Tensor, " *batch"]:
        """Equation (1), the mean over scored steps."""
        losses = -(sequences.answers * torch.log_softmax(outputs, -1)).sum(-1)
        scored = sequences.scored
        return torch.where(scored > 0, losses, 0.0).sum(0) / scored.sum(0).clamp(min=1)


def blind(shares: Float[np.ndarray, " O"], *, right: float) -> Baseline:
    """The constant answer that knows how often each class is right."""
    known = np.maximum(shares, _NEVER)
    entropy = -(shares * np.log(known)).sum()
    return Baseline(tuple(np.log(known).tolist()), right=right, error=float(entropy))
