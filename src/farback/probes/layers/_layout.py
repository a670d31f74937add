"""How a fused layer's input lies in memory, and the way to [T, B, F] and back.

Inside, time comes first and **rows end together**: a packed row of length n occupies the last n
steps. Then the last step of every row is step T - 1, and a lag means the same for all rows.
Dimensions before [T, B, F] (loss times) are carried along.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ...flow.scaled import NOTHING, Scaled


class Layout(ABC):
    """One way in which sequences are handed over."""

    @property
    @abstractmethod
    def valid(self) -> Bool[Tensor, "T B"] | None:
        """Which steps of which rows exist; None where all do."""

    @abstractmethod
    def read(self, x: Tensor) -> Float[Tensor, "T B F"]:
        """The user's tensor as [T, B, F]."""

    @abstractmethod
    def write(self, x: Float[Tensor, "*K T B F"]) -> Tensor:
        """[..., T, B, F] as the user's tensor, after the leading dimensions."""

    def read_rows(self, state: Tensor) -> Tensor:
        """[..., B, H] of the user's row order in the order used inside."""
        return state

    def write_rows(self, state: Tensor) -> Tensor:
        """The inverse of `read_rows`."""
        return state

    def write_scaled(self, error: Scaled) -> Scaled:
        """`write` for a scaled error [K, T, B, F]."""
        exponent = self.write(error.exponent.unsqueeze(-1)).squeeze(-1)
        return Scaled(self.write(error.mantissa), exponent)

    @abstractmethod
    def read_scaled(self, error: Scaled) -> Scaled:
        """A scaled error in the user's layout as [K, T, B, F]."""


@dataclass(frozen=True)
class Dense(Layout):
    """A padded or equal-length tensor: [T, B, F], [B, T, F] or, unbatched, [T, F]."""

    batch_first: bool
    unbatched: bool

    @property
    def valid(self) -> None:
        return None

    def read(self, x: Tensor) -> Tensor:
        if self.unbatched:
            return x.unsqueeze(-2)
        return x.transpose(-3, -2) if self.batch_first else x

    def write(self, x: Tensor) -> Tensor:
        if self.unbatched:
            return x.squeeze(-2)
        return x.transpose(-3, -2) if self.batch_first else x

    def read_rows(self, state: Tensor) -> Tensor:
        return state.unsqueeze(-2) if self.unbatched else state

    def write_rows(self, state: Tensor) -> Tensor:
        return state.squeeze(-2) if self.unbatched else state

    def read_scaled(self, error: Scaled) -> Scaled:
        exponent = self.read(error.exponent.unsqueeze(-1)).squeeze(-1)
        return Scaled(self.read(error.mantissa), exponent)


@dataclass(frozen=True)
class Packed(Layout):
    """The data of a PackedSequence, [sum of lengths, F], rows sorted by length."""

    step: Int[Tensor, " M"]
    row: Int[Tensor, " M"]
    exists: Bool[Tensor, "T B"]
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None

    @property
    def valid(self) -> Bool[Tensor, "T B"]:
        return self.exists

    @classmethod
    def of(cls, packed: PackedSequence) -> Packed:
        """The layout of `packed`."""
        sizes = packed.batch_sizes.to(packed.data.device)
        steps, rows = len(sizes), int(sizes[0])
        step = torch.repeat_interleave(torch.arange(steps, device=sizes.device), sizes)
        row = torch.cat([torch.arange(int(n), device=sizes.device) for n in sizes])
        lengths = torch.bincount(row, minlength=rows)
        step = step + (steps - lengths)[row]
        valid = torch.zeros(steps, rows, dtype=torch.bool, device=sizes.device)
        valid[step, row] = True
        return cls(step, row, valid, packed.sorted_indices, packed.unsorted_indices)

    def read(self, x: Tensor) -> Tensor:
        lead = x.shape[:-2]
        out = x.new_zeros(*lead, *self.valid.shape, x.shape[-1])
        out[..., self.step, self.row, :] = x
        return out

    def write(self, x: Tensor) -> Tensor:
        return x[..., self.step, self.row, :]

    def read_rows(self, state: Tensor) -> Tensor:
        return state if self.sorted_indices is None else state[..., self.sorted_indices, :]

    def write_rows(self, state: Tensor) -> Tensor:
        return state if self.unsorted_indices is None else state[..., self.unsorted_indices, :]

    def read_scaled(self, error: Scaled) -> Scaled:
        shape = (len(error.mantissa), *self.valid.shape)
        exponent = error.exponent.new_full(shape, NOTHING)
        exponent[:, self.step, self.row] = error.exponent
        return Scaled(self.read(error.mantissa), exponent)
