"""Temporal order, in the form of Pascanu, Mikolov and Bengio: no start, no trigger, a softmax.

Six symbols: A and B, and four distractors. Two or three positions hold A or B, all others a
distractor; the class is asked for at the end. With l the length, position j is uniform in

    2 symbols: [0.1 l, 0.2 l) and [0.5 l, 0.6 l)
    3 symbols: [0.1 l, 0.2 l), [0.3 l, 0.4 l) and [0.6 l, 0.7 l)

and class = sum_j 2^j v_j, v_j = 1 for B. The positions are those of the authors' code; what its
docstring says of them, [1, l/10] and [5 l/10, 6 l/10], differs. `longest` is for one model of all
lengths, published with 50 to 200 and `tested` up to 5000. There every minibatch has one length, in
the authors' code one below `longest`; here every sequence has its own.

Reference: R. Pascanu, T. Mikolov, Y. Bengio, On the Difficulty of Training Recurrent Neural
Networks, 2013, sections 4.1 and 4.2, with the authors' code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..drawn import Drawn, along, symbols
from ..draws import Source
from ..errors import WrongUsage, expect
from . import _pascanu2013 as pascanu
from ._choice import Choice, blind
from ._criterion import Criterion
from ._task import Baseline, Lag, Task

_B = 1
_RELEVANT, _ALPHABET = 2, 6
_TENTHS = {2: (1, 5), 3: (1, 3, 6)}
"""Where the stretch of each relevant symbol starts, in tenths of the length."""


@dataclass(frozen=True)
class Pascanu2013TemporalOrder(Choice):
    """The order of two or three relevant symbols.

    Args:
        symbols: relevant symbols, 2 or 3.
        length: the length of sequences.
        longest: with it, lengths are drawn from `length` to `longest`.
        wrong: answers, of the test's 10 000, that may be wrong; 0 as the authors' code stops.
        tested: lengths that a solved net is tested at as well, each with measures of its own, as
            test_500_wrong.
    """

    symbols: int = 2
    length: int = 100
    longest: int | None = None
    wrong: int = pascanu.SOLVED.wrong
    tested: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.symbols not in _TENTHS:
            raise WrongUsage(f"symbols came as {self.symbols}, expected 2 or 3; try symbols=2.")
        expect(0, wrong=self.wrong)
        pascanu.refuse(self.length, self.longest, least=10)
        for length in self.tested:
            pascanu.refuse(length, None, least=10)

    @property
    def inputs(self) -> int:
        return _ALPHABET

    @property
    def outputs(self) -> int:
        """The classes."""
        return 2**self.symbols

    @property
    def lag(self) -> Lag:
        """From the first relevant symbol to the end."""
        lengths = np.arange(self.length, (self.longest or self.length) + 1)
        early = lengths // 10
        return Lag(int((lengths - 2 * early).min()), int((lengths - 1 - early).max()))

    @property
    def criterion(self) -> Criterion:
        return replace(pascanu.SOLVED, wrong=self.wrong)

    @property
    def test(self) -> int:
        return pascanu.TEST

    @property
    def elsewhere(self) -> tuple[tuple[str, Task], ...]:
        """The same at each length of `tested`."""
        own = replace(self, longest=None, tested=())
        return tuple((f"test_{length}", replace(own, length=length)) for length in self.tested)

    @property
    def baseline(self) -> Baseline:
        return blind(np.full(self.outputs, 1 / self.outputs), right=1 / self.outputs)

    def draw(self, source: Source) -> Drawn:
        lengths = pascanu.lengths(self.length, self.longest, source)
        steps = self.longest or self.length
        shown = _RELEVANT + source.integers(steps, high=_ALPHABET - _RELEVANT)
        values = source.integers(self.symbols, high=2)
        classes = torch.zeros_like(lengths)
        for place, tenths in enumerate(_TENTHS[self.symbols]):
            at = tenths * lengths // 10 + source.integers(high=lengths // 10)
            shown = torch.where(along(steps, lengths) == at, values[place], shown)
            classes = classes + values[place] * 2**place
        return Drawn(symbols(shown, _ALPHABET), symbols(classes, self.outputs), lengths)

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """The class of the relevant symbols."""
        place = self.informative(inputs).cumsum(0) - 1
        classes = (inputs[..., _B] * 2.0**place).sum(0).long()
        coded = torch.nn.functional.one_hot(classes, self.outputs).to(inputs.dtype)
        return coded.expand(*inputs.shape[:-1], self.outputs)

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """A and B."""
        return (inputs[..., :_RELEVANT] > 0).any(-1)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The other symbols."""
        return (inputs[..., _RELEVANT:] > 0).any(-1)
