"""Latch problem of Bengio and Frasconi: one free input value a class, then uniform noise.

The first step shows the class, by an indicator each, so that the net has one input value a class;
the noise of the other steps is uniform. Lengths are uniform in [T/2, T], targets +-0.8 at the end.
One tanh unit with a loop has 3 free parameters on it.

What the sources leave open, and what is chosen here: the bound of the noise, of which the papers
read say nothing (0.2, as told of the 1994 paper elsewhere); T/2 is rounded up; a trial has learned
when its last 100 sequences were on their side of 0. The Gaussian form of 2001, with variance 0.2 on
every element but the first, is `Latch(trainable=1, noise=0.2, variance=True, strings=None)`.

Reference: Y. Bengio, P. Simard, P. Frasconi, Learning Long-Term Dependencies with Gradient Descent
is Difficult, 1994; Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to
Backpropagation, 1993, section 7.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ..draws import Source
from ._latch import IndicatedClass


@dataclass(frozen=True)
class Bengio1994Latch(IndicatedClass):
    """One bit through uniform noise.

    Args:
        noise: it is uniform in [-noise, noise].
    """

    trainable: int = 1
    varied: bool = True

    def disturbance(self, source: Source) -> Float[Tensor, "T *batch"]:
        return source.uniform(self.steps, low=-self.noise, high=self.noise)
