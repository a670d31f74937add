"""A place where the data enter: the input itself, or an embedding's output where it is tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..flow.scaled import Scaled
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
        if arrived[0] is None:
            return []
        error = self.layout.read_scaled(arrived[0])
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


def _ending_together(error: Scaled, lengths: Tensor, steps: int) -> Scaled:
    """Move row b of [K, T, B, F] by steps - length_b, so that its last step is step T - 1."""
    step = torch.arange(steps, device=lengths.device)[:, None] - (steps - lengths)
    step = step.clamp(min=0)
    row = torch.arange(len(lengths), device=lengths.device)
    return Scaled(error.mantissa[:, step, row], error.exponent[:, step, row])
