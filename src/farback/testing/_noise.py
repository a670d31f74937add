"""Noise to be answered by noise: a task of any size for the contracts, with nothing to learn."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..draws import Draws
from ..tasks._criterion import Criterion
from ..tasks._task import Baseline, Lag, Task, sequences, up_to, within
from ..types import Sequences


@dataclass(frozen=True)
class Noise(Task):
    """Gaussian inputs and targets, scored at about half of the steps and at the first.

    Args:
        inputs: I.
        outputs: O.
        steps: T of the longest sequence; others have three steps at least.
    """

    inputs: int = 3  # type: ignore
    outputs: int = 2  # type: ignore
    steps: int = 6

    @property
    def lag(self) -> Lag:
        return Lag(0, self.steps)

    @property
    def criterion(self) -> Criterion:
        return Criterion(on=("test",))

    @property
    def baseline(self) -> Baseline | None:
        return None

    def sample(self, draws: Draws) -> Sequences:
        alive = up_to(draws.integers(high=self.steps - 2) + 3, self.steps)
        scored = draws.uniform(self.steps) < 0.5
        scored[0] = True
        return sequences(
            draws.normal(self.steps, self.inputs).transpose(0, 2, 3, 1),
            draws.normal(self.steps, self.outputs).transpose(0, 2, 3, 1),
            scored=scored & alive,
            alive=alive,
        )

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        return torch.zeros(inputs.shape[:-1], dtype=torch.bool)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        return torch.zeros(inputs.shape[:-1], dtype=torch.bool)

    def correct(
        self, outputs: Float[Tensor, "T *batch O"], answers: Float[Tensor, "T *batch O"]
    ) -> Bool[Tensor, "T *batch"]:
        return within(0.1, outputs, answers)
