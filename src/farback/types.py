"""Names for parameter trees and for batches of sequences.

Axis letters: T time, R trial, B sequences of one trial, N state, I input, O output. Time comes
first and the trial next, so that what is written for one sequence ([T, I], no R and no B) reads
the same for all of them ([T, R, B, I]).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Params = dict[str, Tensor]
"""The parameters of one cell by name; [R, ...] each where several trials run side by side."""

Self = TypeVar("Self", bound="Sequences")


@dataclass(frozen=True)
class Sequences:
    """What a task asks: inputs, what should come out, and where the answer counts.

    A sequence shorter than T is padded behind its end with zeros; `alive` tells where it is.
    """

    inputs: Float[Tensor, "T *batch I"]
    targets: Float[Tensor, "T *batch O"]
    """What the error is measured against while learning."""

    answers: Float[Tensor, "T *batch O"]
    """What the outputs are judged by: the targets, unless the task says otherwise."""

    scored: Float[Tensor, "T *batch"]
    """1 at the steps whose answer counts, else 0."""

    alive: Bool[Tensor, "T *batch"]
    """True up to the end of each sequence."""

    @property
    def lengths(self) -> Int[Tensor, " *batch"]:
        """Steps of each sequence."""
        return self.alive.sum(0)

    @property
    def steps(self) -> int:
        """Steps of the longest sequence."""
        return int(self.alive.reshape(len(self.alive), -1).any(1).sum())

    def to(self: Self, dtype: torch.dtype, device: torch.device | str = "cpu") -> Self:
        """The same sequences in another type of number."""
        return self._with(
            lambda it: it.to(device=device, dtype=dtype if it.is_floating_point() else None)
        )

    def trials(self: Self, numbers: Iterable[int]) -> Self:
        """The sequences of some trials, cut."""
        chosen = list(numbers)
        return self._with(lambda value: value[:, chosen])._cut()

    def rows(self: Self, first: int, count: int) -> Self:
        """Sequences `first` to `first + count` of the axis B (the second of *batch), cut."""
        return self._with(lambda value: value[:, :, first : first + count])._cut()

    def picked(self: Self, places: Int[Tensor, "R B"]) -> Self:
        """For every trial the sequences at its own places, in that order, cut."""

        def pick(value: Tensor) -> Tensor:
            index = places.reshape(1, *places.shape, *(1,) * (value.ndim - 3))
            wide = index.expand(len(value), *places.shape, *value.shape[3:])
            return value.gather(2, wide)

        return self._with(pick)._cut()

    def padded(self: Self, multiple: int) -> Self:
        """Zeros behind the end, until the number of steps is a multiple."""
        missing = -len(self.alive) % multiple
        if not missing:
            return self
        return self._with(lambda it: torch.cat([it, it.new_zeros(missing, *it.shape[1:])]))

    def between(self: Self, first: int, end: int) -> Self:
        """The steps from `first` up to `end`."""
        return self._with(lambda value: value[first:end])

    def one(self: Self, trial: int, row: int) -> Self:
        """A single sequence without the axes R and B, cut to its end."""
        return self._with(lambda value: value[:, trial, row])._cut()

    def _cut(self: Self) -> Self:
        """Without the steps behind the end of the longest."""
        steps = self.steps
        return self._with(lambda value: value[:steps])

    def _with(self: Self, change: Callable[[Tensor], Tensor]) -> Self:
        changed = {it.name: change(getattr(self, it.name)) for it in fields(type(self))}
        return type(self)(**{name: value.contiguous() for name, value in changed.items()})


def plus(one: Params, other: Params) -> Params:
    """The sum, name by name."""
    return {name: value + other[name] for name, value in one.items()}


def size_of(params: Params) -> int:
    """How many numbers the parameters of one trial are."""
    return sum(value.numel() for value in params.values())


def of_trial(several: Params, trial: int) -> Params:
    """One trial's, of those of several, [R, ...]."""
    return {name: value[trial] for name, value in several.items()}


def stacked(trials: Sequence[Params]) -> Params:
    """Those of several trials, [R, ...]."""
    return {name: torch.stack([it[name] for it in trials]) for name in trials[0]}


def flat(params: Params) -> Float[Tensor, " P"]:
    """The parameters of one trial, one behind the other."""
    return torch.cat([value.reshape(-1) for value in params.values()])


def split_like(numbers: Float[Tensor, " P"], params: Params) -> Params:
    """Numbers one behind the other, as parameters of those names and shapes."""
    parts = numbers.split([value.numel() for value in params.values()])
    return {
        name: part.reshape(value.shape)
        for (name, value), part in zip(params.items(), parts, strict=True)
    }


def chosen_from(choice: Bool[Tensor, ""], one: Params, other: Params) -> Params:
    """The one where it is chosen, else the other."""
    return {name: torch.where(choice, value, other[name]) for name, value in one.items()}


def zeros_like(params: Params) -> Params:
    """Zeros of the same shapes."""
    return {name: torch.zeros_like(value) for name, value in params.items()}
