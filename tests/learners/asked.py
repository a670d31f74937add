"""Sequences that ask for classes at some steps, drawn at random."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from farback.draws import Draws
from farback.tasks import Criterion, Lag
from farback.tasks._task import Baseline, Task, sequences, up_to
from farback.types import Sequences


@dataclass(frozen=True)
class Asked(Task):
    """Noise in, classes that have nothing to do with it out.

    Args:
        steps: of the longest sequences.
        symbols: inputs; one is a number, several are one-hot.
        classes: one-hot outputs; 1 for one output at -0.8 or 0.8.
        whole: whether every step is asked, or about every other.
    """

    steps: int = 9
    symbols: int = 1
    classes: int = 1
    whole: bool = False

    @property
    def inputs(self) -> int:
        return self.symbols

    @property
    def outputs(self) -> int:
        return self.classes

    @property
    def lag(self) -> Lag:
        return Lag(0, None)

    @property
    def criterion(self) -> Criterion:
        return Criterion(on=("last",), last=10)

    @property
    def baseline(self) -> Baseline | None:
        return None

    def sample(self, draws: Draws) -> Sequences:
        lengths = 2 + draws.branch("lengths").integers(high=self.steps - 1)
        alive = up_to(lengths, self.steps)
        noise = draws.branch("inputs").uniform(self.steps, low=-1.0, high=1.0)
        shown = noise[..., None]
        if self.symbols > 1:
            number = draws.branch("symbols").integers(self.steps, high=self.symbols)
            shown = np.eye(self.symbols)[number]
        said = draws.branch("classes").integers(self.steps, high=max(self.classes, 2))
        targets = np.eye(self.classes)[said] if self.classes > 1 else (1.6 * said - 0.8)[..., None]
        scored = draws.branch("scored").uniform(self.steps, low=0.0, high=1.0) > 0.5
        scored = (scored | self.whole | (np.arange(self.steps)[:, None, None] == 1)) & alive
        return sequences(shown, targets * scored[..., None], scored=scored, alive=alive)

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        return torch.zeros(inputs.shape[:-1], dtype=torch.bool)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        return torch.ones(inputs.shape[:-1], dtype=torch.bool)

    def correct(
        self, outputs: Float[Tensor, "T *batch O"], answers: Float[Tensor, "T *batch O"]
    ) -> Bool[Tensor, "T *batch"]:
        return ((outputs - answers).abs() < 0.5).all(-1)
