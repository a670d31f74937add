"""Dual parity: tell whether a string of 0 and 1 has an even number of 0s and an even number of 1s.

Three inputs, one for each symbol and one for the end, at which the answer is asked for. The
training set is learned in turn: all strings of at most `short` symbols, the empty one too, and
behind them `added` longer ones of at most `longest`, of either class with the same chance, which
each trial draws for itself. Fresh strings are drawn so from all lengths up to `longest`; those of a
solved net's other test, "longer", have more than `longest` and at most `tested` symbols.

The source adds those longer strings that the net errs on, as `learners.GrowingSet` does of all that
there are (`short=10, added=0`). Solved: all of the training set right, on their side of the middle
where no tolerance is given, and their mean absolute error below `error_below`; the source leaves
both open.

The language is Tomita's fifth (`Tomita(grammar=5)`).

Reference: C. L. Giles, G. Z. Sun, H. H. Chen, Y. C. Lee, D. Chen, Higher Order Recurrent Networks
and Grammatical Inference, NIPS 2, 1990.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ..drawn import Drawn, along, symbols
from ..draws import Draws, Source
from ..errors import WrongUsage, expect
from ..types import Sequences
from ._criterion import Criterion
from ._task import Lag, Task
from ._two_classes import Classes, TwoClasses, between

_END = 2

Signs = Float[Tensor, "L *batch"]
"""-1 for 0 and +1 for 1."""


@dataclass(frozen=True)
class DualParity(TwoClasses):
    """Even numbers of both symbols, or not.

    Args:
        short: strings of at most so many symbols are all learned from.
        added: longer strings that are learned from too.
        longest: symbols of these, and of fresh strings, at most.
        shortest: symbols of fresh strings, at least.
        tested: symbols of the strings of the other test, at most; None for no such test.
        error_below: the mean absolute error below which the training set is learned.
    """

    low: float = 0.0
    high: float = 1.0
    short: int = 4
    added: int = 30
    longest: int = 10
    shortest: int = 1
    tested: int | None = 20
    error_below: float = 0.1

    def refuse(self) -> None:
        if self.strings is not None:
            raise WrongUsage(
                f"strings came as {self.strings}, expected None for a training set of all short "
                "strings and some longer ones; try added=30."
            )
        expect(0, short=self.short, added=self.added)
        expect(1, shortest=self.shortest)
        least = self.short + 2 if self.added else self.short
        expect(max(least, self.shortest + 1), longest=self.longest)
        if self.tested is not None:
            expect(self.longest + 2, tested=self.tested)
        if not self.error_below > 0:
            raise WrongUsage(
                f"error_below came as {self.error_below}, expected more than 0; try "
                "error_below=0.1."
            )
        if self.short > 10:
            raise WrongUsage(
                f"short came as {self.short}, expected at most 10, since all strings up to it are "
                "learned from; try short=4."
            )

    @property
    def inputs(self) -> int:
        return 3

    @property
    def lag(self) -> Lag:
        """From the first symbol to the end."""
        return Lag(self.shortest, self.longest)

    @property
    def criterion(self) -> Criterion:
        return Criterion(on=("training",), error=self.error_below)

    @property
    def training(self) -> int:
        return self._all_short + self.added

    @property
    def in_turn(self) -> bool:
        return True

    @property
    def elsewhere(self) -> tuple[tuple[str, Task], ...]:
        """Strings longer than any that is learned from."""
        if self.tested is None:
            return ()
        longer = replace(self, shortest=self.longest + 1, longest=self.tested, tested=None)
        return (("longer", longer),)

    @property
    def _all_short(self) -> int:
        return 2 ** (self.short + 1) - 1

    def training_set(self, draws: Draws) -> Sequences:
        longer = replace(self, shortest=self.short + 1) if self.added else self
        classes = draws.tensors.branch("classes").integers(high=2)
        signs, lengths = longer.strings_of(classes, draws.tensors)
        places = torch.from_numpy(np.broadcast_to(draws.numbers, draws.shape).copy())
        # String number k is k + 1 in binary behind its first 1: the empty one, 0, 1, 00, ...
        number = places.clamp(max=self._all_short - 1) + 1
        short = torch.log2(number.double()).floor().long()
        step = along(self.longest, short)
        bits = number >> (short - 1 - step).clamp(min=0) & 1
        is_short = places < self._all_short
        signs = torch.where(is_short, 2.0 * bits - 1, signs)
        return self.shown(signs, torch.where(is_short, short, lengths)).whole()

    def of(self, classes: Classes, source: Source) -> Drawn:
        return self.shown(*self.strings_of(classes, source))

    def strings_of(self, classes: Classes, source: Source) -> tuple[Signs, Int[Tensor, " *batch"]]:
        """Strings of these classes, and their lengths, which are even in the high one."""
        even = 2 * between((self.shortest + 1) // 2, self.longest // 2, source)
        lengths = torch.where(classes == 1, even, between(self.shortest, self.longest, source))
        signs = source.signs(self.longest)
        last = along(self.longest, lengths) == lengths - 1
        _, ones = _counts(signs, lengths - 1)
        # Before the last symbol of an even number of them, one of the two is odd: it completes.
        completing = torch.where(_odd(ones) == 1, 1.0, -1.0)
        other = torch.where(_odd(lengths) == 1, signs, -completing)
        return torch.where(last, torch.where(classes == 1, completing, other), signs), lengths

    def shown(self, signs: Signs, lengths: Int[Tensor, " *batch"]) -> Drawn:
        """Strings with the end behind them, and what is asked there."""
        zeros, ones = _counts(signs, lengths)
        classes = (1 - _odd(zeros)) * (1 - _odd(ones))
        past = torch.cat([signs, torch.zeros_like(signs[:1])])
        step = along(self.longest + 1, lengths)
        places = torch.where(step < lengths, (past > 0).long(), _END)
        return self.asked(symbols(places, 3), classes, lengths + 1)

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"]:
        """Whether both numbers so far are even."""
        odd = inputs[..., :_END].cumsum(0) % 2 == 1
        return self.told(~odd.any(-1), inputs)

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """All symbols."""
        return inputs[..., :_END].any(-1)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """None."""
        return torch.zeros(inputs.shape[:-1], dtype=torch.bool)


def _counts(signs: Signs, ends: Int[Tensor, " *batch"]) -> tuple[Tensor, Tensor]:
    """How many 0s and 1s stand before the ends."""
    before = along(len(signs), ends) < ends
    return ((signs < 0) & before).sum(0), ((signs > 0) & before).sum(0)


def _odd(count: Int[Tensor, " *batch"]) -> Int[Tensor, " *batch"]:
    """1 where it is odd, else 0."""
    return count - 2 * (count // 2)
