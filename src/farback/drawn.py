"""Sequences as a task draws them: no longer than need be, vectors of a table by their place in it.

It is what a task's `draw` makes of random numbers, with torch, for all sequences at once or for one
alone; so that the same function is run as it stands and compiled.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .types import Sequences


@dataclass(frozen=True)
class Rows:
    """Vectors that are rows of a table."""

    table: Float[Tensor, "K width"]
    places: Int[Tensor, "*axes"]
    onehot: bool = False
    """Whether the table is the identity."""

    @property
    def ndim(self) -> int:
        """Axes of the vectors."""
        return self.places.ndim + 1

    def whole(self) -> Float[Tensor, "*axes width"]:
        """The vectors."""
        return self.table[self.places]


def symbols(places: Int[Tensor, "*axes"], count: int) -> Rows:
    """One of `count` symbols at each place, as a vector with a 1 for it."""
    return Rows(torch.eye(count, dtype=torch.float64), places, onehot=True)


@dataclass(frozen=True)
class Drawn:
    """What a task asks, drawn afresh. T is the most steps that there can be."""

    inputs: Float[Tensor, "T *batch I"] | Rows
    """Whatever they are behind a sequence's end, nobody sees it."""

    targets: Float[Tensor, "T *batch O"] | Float[Tensor, "*batch O"] | Rows
    """What the error is measured against; without the axis T the same at every scored step."""

    lengths: Int[Tensor, " *batch"] | None = None
    """Steps of each sequence; None where all have T."""

    answers: Float[Tensor, "T *batch O"] | Float[Tensor, "*batch O"] | Rows | None = None
    """What outputs are judged by, where it is not the targets."""

    scored: Float[Tensor, "T *#batch"] | None = None
    """1 at the steps whose answer counts, else 0; None where it is the last alone."""

    @property
    def steps(self) -> int:
        """T."""
        return len(self.inputs.places if isinstance(self.inputs, Rows) else self.inputs)

    def whole(self) -> Sequences:
        """The same as sequences, zero behind their end and cut behind the longest one's."""
        inputs = _whole(self.inputs)
        lengths = self.lengths
        if lengths is None:
            lengths = torch.full(inputs.shape[1:-1], self.steps)
        step = along(self.steps, lengths)
        alive = step < lengths
        scored = step == lengths - 1 if self.scored is None else (self.scored > 0) & alive
        end = int(lengths.max())
        targets = self._at_steps(self.targets, scored)[:end]
        answers = targets if self.answers is None else self._at_steps(self.answers, scored)[:end]
        return Sequences(
            inputs=torch.where(alive.unsqueeze(-1), inputs, 0.0)[:end].contiguous(),
            targets=targets,
            answers=answers,
            scored=scored[:end].double().expand(end, *lengths.shape).contiguous(),
            alive=alive[:end].contiguous(),
        )

    def _at_steps(self, field: Tensor | Rows, scored: Tensor) -> Tensor:
        if field.ndim == self.inputs.ndim:
            return _whole(field).contiguous()
        return _whole(field) * scored.unsqueeze(-1)


def along(steps: int, like: Tensor) -> Int[Tensor, "T *ones"]:
    """0 ... T - 1 along a first axis, to go with what has the axes of `like`."""
    return torch.arange(steps).reshape(steps, *(1,) * like.ndim)


def _whole(field: Tensor | Rows) -> Tensor:
    return field.whole() if isinstance(field, Rows) else field
