"""2-sequence problem of Bengio and Frasconi: tell two classes by their first N = 3 elements.

A sequence of class k starts with the N numbers of pattern k; uniform noise is added to all of its
elements, of which the rest is noise alone. Lengths are uniform in [T/2, T]; the class is asked for
at the end. Published for a fully recurrent net of 5 units, one of which takes the input.

What the sources leave open, and what is chosen here:

- the patterns: two of numbers uniform in [-1, 1], of each trial's own, as in the same task of El
  Hihi and Bengio. Only with `patterns` given does a rule from input to class exist.
- whether the noise is on the N elements too: it is. Its bound: 0.2 (El Hihi and Bengio: 0.1).
- the targets: +-0.8, as in the latch problem. T/2 is rounded up, to N at least. A trial has learned
  when its last 100 sequences were on their side of 0.

Reference: Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to Backpropagation,
1993, section 7, tables 1 and 2; S. El Hihi, Y. Bengio, Hierarchical Recurrent Neural Networks for
Long-Term Dependencies, 1995, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..drawn import Drawn
from ..draws import Source
from ..errors import WrongUsage, expect
from ._task import Lag
from ._two_classes import Classes, TwoClasses, between, half


@dataclass(frozen=True)
class Bengio1994TwoSequence(TwoClasses):
    """Two patterns at the start of noise.

    Args:
        steps: T, the length of the longest sequences.
        elements: N, how many elements a pattern has.
        noise: it is uniform in [-noise, noise].
        patterns: the patterns of the low and of the high class; None for each trial's own.
    """

    steps: int = 20
    elements: int = 3
    noise: float = 0.2
    patterns: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    def refuse(self) -> None:
        expect(0, noise=self.noise)
        if not 1 <= self.elements <= self.steps:
            raise WrongUsage(
                f"elements came as {self.elements}, expected 1 to the {self.steps} steps; "
                "try elements=3."
            )
        if self.patterns and [len(it) for it in self.patterns] != [self.elements] * 2:
            raise WrongUsage(
                f"patterns came as {self.patterns}, expected two of {self.elements} numbers; try "
                "patterns=None for each trial's own."
            )

    @property
    def inputs(self) -> int:
        return 1

    @property
    def shortest(self) -> int:
        """Steps of the shortest sequences."""
        return max(half(self.steps), self.elements)

    @property
    def lag(self) -> Lag:
        """From the first element to the end."""
        return Lag(self.shortest - 1, self.steps - 1)

    def of(self, classes: Classes, source: Source) -> Drawn:
        lengths = between(self.shortest, self.steps, source)
        noise = source.uniform(self.steps, low=-self.noise, high=self.noise)
        low, high = self._patterns(source, noise)
        shown = noise[: self.elements] + torch.where(classes == 1, high, low)
        inputs = torch.cat([shown, noise[self.elements :]])
        return self.asked(inputs.unsqueeze(-1), classes, lengths)

    def _patterns(self, source: Source, like: Tensor) -> list[Float[Tensor, "elements *#batch"]]:
        """The pattern of each class of each trial, whatever the sequences are drawn for."""
        if self.patterns is None:
            own = (source.own("patterns", number) for number in (0, 1))
            return [it.uniform(self.elements, low=-1.0, high=1.0) for it in own]
        each = (torch.tensor(it, dtype=torch.float64) for it in self.patterns)
        return [it.reshape(-1, *(1,) * (like.ndim - 1)) for it in each]

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"] | None:
        """The class of the nearer pattern; None where each trial has its own."""
        if self.patterns is None:
            return None
        low, high = torch.tensor(self.patterns, dtype=inputs.dtype)
        shown = inputs[: self.elements, ..., 0].movedim(0, -1)
        nearer = ((shown - high) ** 2).sum(-1) < ((shown - low) ** 2).sum(-1)
        return self.told(nearer.expand(inputs.shape[:-1]), inputs)

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The first N elements."""
        steps = torch.arange(len(inputs)).reshape(-1, *(1,) * (inputs.ndim - 2))
        return (steps < self.elements).expand(inputs.shape[:-1])

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The elements behind them."""
        return ~self.informative(inputs) & (inputs[..., 0] != 0)
