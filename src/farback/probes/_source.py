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
        direct = self._direct(errors, records.steps)
        found = [part for part in (self._arrived(arrived[0]), direct) if part]
        if not found:
            return []
        error = found[0] if len(found) == 1 else total(*found, rescale=errors.rescale)
        if self.lengths is not None:
            error = _ending_together(error, self.lengths, records.steps)
        steps, rows = error.mantissa.shape[1:3]
        record = records.entrance(self.name, rows, max(steps, records.steps))
        record.times = self._times(errors, steps, records.steps)
        clock = np.arange(steps)
        kept = Scaled(error.mantissa.transpose(0, 1), error.exponent.transpose(0, 1))
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

    def _times(self, errors: Errors, own: int, clock: int) -> list[int]:
        """The input's step that stands beside each loss time.

        Where the input has more steps than the layers, it was strided (a whole multiple, nearly),
        or its first steps lie before the clock's first.
        """
        if self.lengths is not None or own <= clock:
            return list(errors.times)
        if 2 * own < 3 * clock:
            return [t + own - clock for t in errors.times]
        return [round((t + 1) * own / clock) - 1 for t in errors.times]

    def _direct(self, errors: Errors, clock: int) -> Scaled | None:
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
        for k, t in enumerate(self._times(errors, len(like), clock)):
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
