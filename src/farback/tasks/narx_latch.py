"""NARX latch: the minimal latch task with bounded noise and a fixed loop.

    x(t) = tanh(sum_{r=1..D} w_r x(t-r) + sum_{i=1..L} h_i^k u^k(t-i+1) + e(t))               (1)

u^k is 1 at the first step of a sequence of class k and 0 otherwise, e uniform in [-b, b] for t > L
and 0 before. The delay line of u stands here laid out: indicator i is u^k(t-i+1), so that a net
without input delays is (1). Published with w_r = 1.25 / D fixed and only h learned, T from 10 to
200, 30 strings of each class, targets +-0.8; a trial fails when after 100 epochs one is wrong.

What the source leaves open: L (3, as in the task of 1994), and what right is (the side of 0).

Reference: T. Lin, B. G. Horne, P. Tino, C. L. Giles, Learning Long-Term Dependencies Is Not as
Difficult with NARX Recurrent Neural Networks, 1995, section 4.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ..draws import Source
from ._latch import IndicatedClass


@dataclass(frozen=True)
class NARXLatch(IndicatedClass):
    """One bit through bounded noise.

    Args:
        noise: b, it is uniform in [-b, b].
    """

    strings: int | None = 30
    noise: float = 0.155

    def disturbance(self, source: Source) -> Float[Tensor, "T *batch"]:
        return source.uniform(self.steps, low=-self.noise, high=self.noise)
