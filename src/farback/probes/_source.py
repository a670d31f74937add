"""A place where the data enter: the input itself, or an embedding's output where it is tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..flow.scaled import Scaled, scaled, total
from ._products import working
from ._tape import Call, Entry, Errors, Records
from .layers._layout import Layout


@dataclass
class Source(Call):
    """The start of the tape: it takes nothing, and hands out the sequence.

    `lengths` [B] are the rows' true lengths where a later layer packs them; the rows of a padded
    sequence are then moved so that all end together, as the packed layer's do.
    """

    name: str
    layout: Layout
    outs: list[Tensor]
    lengths: Tensor | None = None
    module: str = ""
    clock: int = 0
    steps: int = 0
    rows: int = 0
    entries: list[Entry] = field(default_factory=list)

    def read_times(self, gradients: Sequence[Tensor | None]) -> set[int]:
        return set()

    def pull(
        self, errors: Errors, arrived: Sequence[Scaled | None], records: Records
    ) -> list[Scaled | None]:
        found = [part for part in (self._arrived(arrived[0]), self._direct(errors)) if part]
        if not found:
            return []
        error = found[0] if len(found) == 1 else total(*found, rescale=errors.rescale)
        if self.lengths is not None:
            error = _ending_together(error, self.lengths, records.steps)
        steps, rows = error.mantissa.shape[1:3]
        record = records.entrance(self.name, rows)
        clock = np.arange(min(steps, records.steps))
        by_step = Scaled(error.mantissa.transpose(0, 1), error.exponent.transpose(0, 1))
        kept = Scaled(by_step.mantissa[: len(clock)], by_step.exponent[: len(clock)])
        valid = None
        if self.lengths is not None:
            first = records.steps - self.lengths
            valid = torch.arange(len(clock), device=first.device)[:, None] >= first
        elif self.layout.valid is not None:
            valid = self.layout.valid
        record.take_adjoint(clock, kept, {}, valid)
        return []

    def _arrived(self, error: Scaled | None) -> Scaled | None:
        return None if error is None else self.layout.read_scaled(error)

    def _direct(self, errors: Errors) -> Scaled | None:
        """What the loss takes from the input past the recurrent layers, step t at loss time t.

        The last step of a loop written by hand is often read without passing its cell again.
        """
        entering = [
            None if g is None else self.layout.read(g) for g in errors.entering(self.outs[0])
        ]
        if not any(g is not None and bool(g.any()) for g in entering):
            return None
        like = next(g for g in entering if g is not None)
        plain = like.new_zeros(len(errors.times), *like.shape, dtype=working(like.dtype))
        for k, t in enumerate(errors.times):
            gradient = entering[errors.draw[k]]
            if gradient is not None and t < len(gradient):
                plain[k, t] = gradient[t]
        return scaled(plain, rescale=errors.rescale)


def _ending_together(error: Scaled, lengths: Tensor, steps: int) -> Scaled:
    """Move row b of [K, T, B, F] by steps - length_b, so that its last step is step T - 1."""
    step = torch.arange(steps, device=lengths.device)[:, None] - (steps - lengths)
    step = step.clamp(min=0)
    row = torch.arange(len(lengths), device=lengths.device)
    return Scaled(error.mantissa[:, step, row], error.exponent[:, step, row])
