"""What the latch tasks share: a class shown at the first steps, then noise, asked for at the end.

Inputs are 2 L indicators, one for each class and each of the first L steps, and last the noise. At
each of the first L steps one indicator is 1. With a trainable weight on each they are the free
input values h_t^k of the sources (t <= L); a fixed weight 1 on the last adds the noise (t > L).
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..drawn import Drawn, along
from ..draws import Source
from ..errors import WrongUsage, expect
from ._task import Lag
from ._two_classes import Classes, TwoClasses, between, half


@dataclass(frozen=True)
class IndicatedClass(TwoClasses):
    """A class to be kept through noise.

    Args:
        steps: T, the length of the longest sequences.
        trainable: L, the steps that show the class.
        varied: whether lengths are uniform in [T/2, T]; otherwise all are T.
        noise: how strong it is.
    """

    steps: int = 20
    trainable: int = 3
    varied: bool = False
    noise: float = 0.2

    def refuse(self) -> None:
        expect(1, trainable=self.trainable)
        expect(0, noise=self.noise)
        if self.shortest <= self.trainable:
            raise WrongUsage(
                f"the shortest sequences came with {self.shortest} steps, expected more than the "
                f"{self.trainable} that show the class; try steps={2 * self.trainable + 2}."
            )

    @property
    def shortest(self) -> int:
        """Steps of the shortest sequences."""
        return half(self.steps) if self.varied else self.steps

    @property
    def inputs(self) -> int:
        return 2 * self.trainable + 1

    @property
    def lag(self) -> Lag:
        """From the first step that shows the class to the end."""
        return Lag(self.shortest - 1, self.steps - 1)

    @abstractmethod
    def disturbance(self, source: Source) -> Float[Tensor, "T *batch"]:
        """The noise of every step."""

    def of(self, classes: Classes, source: Source) -> Drawn:
        lengths = between(self.shortest, self.steps, source)
        step = along(self.steps, lengths)
        shown = [
            ((step == it) & (classes == number)).double()
            for number in (0, 1)
            for it in range(self.trainable)
        ]
        noise = torch.where(step < self.trainable, 0.0, self.disturbance(source))
        inputs = torch.stack([*shown, noise], dim=-1)
        return self.asked(inputs, classes, lengths if self.varied else None)

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """The class that more indicators have shown."""
        low, high = inputs[..., :-1].chunk(2, dim=-1)
        return self.told((high - low).sum(-1).cumsum(0) > 0, inputs)

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The steps that show the class."""
        return (inputs[..., :-1] != 0).any(-1)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The noise."""
        return inputs[..., -1] != 0
