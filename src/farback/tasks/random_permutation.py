"""Random permutation: the first symbol, asked for behind a long run of random ones.

The first symbol is 0 or 1, all others are drawn from 98 distractors, and at the end the net has to
predict that the first symbol comes again. Of 100 classes only two ever are right. Despite the name
the distractors are drawn independently, as in the authors' code. `longest` is for one model of all
lengths, published with up to 200.

Reference: R. Pascanu, T. Mikolov, Y. Bengio, On the Difficulty of Training Recurrent Neural
Networks, 2013, section 4.1 and supplementary material, with the authors' code.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..drawn import Drawn, symbols
from ..draws import Source
from ..errors import expect
from . import _pascanu2013 as pascanu
from ._choice import Choice, blind
from ._criterion import Criterion
from ._task import Baseline, Lag

_FIRST = 2
"""Symbols that stand first; the others are distractors."""


@dataclass(frozen=True)
class RandomPermutation(Choice):
    """The first symbol behind random ones.

    Args:
        symbols: symbols, and classes, in all.
        length: the length of sequences.
        longest: with it, lengths are drawn from `length` to `longest`.
    """

    symbols: int = 100
    length: int = 100
    longest: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(_FIRST + 1, symbols=self.symbols)
        pascanu.refuse(self.length, self.longest, least=2)

    @property
    def inputs(self) -> int:
        return self.symbols

    @property
    def outputs(self) -> int:
        return self.symbols

    @property
    def lag(self) -> Lag:
        return Lag(self.length - 1, (self.longest or self.length) - 1)

    @property
    def criterion(self) -> Criterion:
        return pascanu.SOLVED

    @property
    def test(self) -> int:
        return pascanu.TEST

    @property
    def baseline(self) -> Baseline:
        """Either of the two."""
        shares = np.zeros(self.symbols)
        shares[:_FIRST] = 1 / _FIRST
        return blind(shares, right=1 / _FIRST)

    def draw(self, source: Source) -> Drawn:
        lengths = pascanu.lengths(self.length, self.longest, source)
        steps = self.longest or self.length
        first = source.integers(high=_FIRST)
        later = _FIRST + source.integers(steps, high=self.symbols - _FIRST)
        shown = torch.cat([first.unsqueeze(0), later[1:]])
        return Drawn(symbols(shown, self.symbols), symbols(first, self.symbols), lengths)

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """The first symbol."""
        return inputs[:1].expand_as(inputs)

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The first symbol."""
        return (inputs[..., :_FIRST] > 0).any(-1)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """All others."""
        return (inputs[..., _FIRST:] > 0).any(-1)
