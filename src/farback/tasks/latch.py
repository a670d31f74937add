"""Minimal latch task: keep one bit, written by trainable inputs, through noise.

    a_t = w tanh(a_{t-1}) + h_t^k + e_t,    target +-0.8 for tanh(a_T)                        (1)

of class k, with h_t^k free parameters for t <= L and 0 after it, e_t Gaussian noise for t > L. The
inputs are indicators of class and step, then the noise, so that (1) is one neuron with a loop.

What the source leaves open, and what is chosen here:

- whether 0.2 is the noise's standard deviation or its variance: the standard deviation. As a
  variance, with w = 1.25, nothing is left of the bit after 50 steps.
- L and T: 3 and 20. How many sequences a trial sees, and when it has converged: 30 noise strings of
  each class and all of them on their side of 0, as in the NARX variant of the task.

Reference: Y. Bengio, P. Simard, P. Frasconi, Learning Long-Term Dependencies with Gradient Descent
is Difficult, 1994, section III.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ..draws import Source
from ._latch import IndicatedClass


@dataclass(frozen=True)
class Latch(IndicatedClass):
    """One bit through Gaussian noise.

    Args:
        noise: s, its standard deviation.
        variance: whether s is its variance instead.
    """

    strings: int | None = 30
    variance: bool = False

    def disturbance(self, source: Source) -> Float[Tensor, "T *batch"]:
        return source.normal(self.steps, std=self.noise**0.5 if self.variance else self.noise)
