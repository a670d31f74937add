"""Sequences as the compiled program reads them: [trial, sequence, step, width], and rows by number.

Most tasks of the literature show few different vectors. Where a field has no more than 1024, it
is kept as their numbers; a one-hot field has its symbols for numbers.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...types import Sequences

SHIFTS = (0, 10, 20, 30)
MOST_ROWS = (1024, 1024, 1024, 4)
"""By field, as in sequences.h."""
_LOOKED_AT = 4096
_COLUMN = 32
"""As COLUMN in sequences.h."""


class CField(ctypes.Structure):
    _fields_ = (
        ("rows", ctypes.c_void_p),
        ("columns", ctypes.c_void_p),
        ("coded", ctypes.c_long),
        ("onehot", ctypes.c_long),
    )


class CSequences(ctypes.Structure):
    _fields_ = (
        ("steps", ctypes.c_long),
        ("count", ctypes.c_long),
        ("lengths", ctypes.c_void_p),
        ("words", ctypes.c_void_p),
        ("keys", ctypes.c_void_p),
        ("fields", CField * 4),
    )


@dataclass(frozen=True)
class Field:
    """One field of some sequences."""

    rows: np.ndarray
    """[R, B, T, width], or the table [rows, width]."""

    codes: np.ndarray | None = None
    """[R, B, T] places in the table."""

    onehot: bool = False
    columns: np.ndarray | None = None
    """The table by columns, where it is short."""

    def c(self) -> CField:
        columns = None if self.columns is None else self.columns.ctypes.data
        coded = 0 if self.codes is None else len(self.rows)
        return CField(self.rows.ctypes.data, columns, coded, int(self.onehot))


@dataclass(frozen=True)
class Laid:
    """Sequences as they lie in memory; the arrays live as long as this."""

    steps: int
    count: int
    lengths: np.ndarray
    words: np.ndarray
    fields: tuple[Field, Field, Field, Field]

    @property
    def hot(self) -> bool:
        """Whether every input is one-hot or zero."""
        return self.fields[0].onehot

    def c(self) -> CSequences:
        fields = (CField * 4)(*(it.c() for it in self.fields))
        lengths, words = self.lengths.ctypes.data, self.words.ctypes.data
        return CSequences(self.steps, self.count, lengths, words, None, fields)


@dataclass(frozen=True)
class Streamed:
    """Sequences that the program draws itself."""

    steps: int
    keys: np.ndarray
    """[purposes, R]."""

    tables: tuple[Field | None, ...]

    def c(self) -> CSequences:
        fields = (CField * 4)(*(CField() if it is None else it.c() for it in self.tables))
        count = self.keys.shape[1]
        return CSequences(self.steps, count, None, None, self.keys.ctypes.data, fields)


def laid(sequences: Sequences, dtype: torch.dtype) -> Laid:
    """[T, R, B, ...] as the program reads them."""
    kind = torch.empty((), dtype=dtype).numpy().dtype
    lengths = np.ascontiguousarray(sequences.lengths.numpy().astype(np.int32))
    most = MOST_ROWS
    inputs, targets = (
        _field(sequences.inputs, kind, most[0]),
        _field(sequences.targets, kind, most[1]),
    )
    same = sequences.answers is sequences.targets or torch.equal(
        sequences.answers, sequences.targets
    )
    answers = targets if same else _field(sequences.answers, kind, most[2])
    scored = _field(sequences.scored.unsqueeze(-1), kind, most[3])
    fields = inputs, targets, answers, scored
    steps, trials, count = sequences.alive.shape
    words = np.zeros((trials, count, steps), np.uint32)
    for place, field in enumerate(fields):
        if field.codes is not None:
            words |= field.codes.astype(np.uint32) << SHIFTS[place]
    return Laid(steps, count, lengths, words, fields)


def _field(values: Tensor, kind: np.dtype, most: int) -> Field:
    """[T, R, B, width] by no more than so many numbers where that can be, else whole."""
    return _one_hot(values, kind, most) or _tabled(values, kind, most) or _whole(values, kind)


def _whole(values: Tensor, kind: np.dtype) -> Field:
    moved = values.permute(1, 2, 0, 3).numpy()
    return Field(np.ascontiguousarray(moved, dtype=kind))


def _one_hot(values: Tensor, kind: np.dtype, most: int) -> Field | None:
    width = values.shape[-1]
    if not 1 < width < most:
        return None
    flat = values.flatten(0, 2)
    few = flat[:_LOOKED_AT]
    if not bool(((few == 0) | (few == 1)).all()) or not bool((few.sum(-1) <= 1).all()):
        return None
    # One pass: the sum, and the place of a lone 1 counted from 1.
    weights = torch.stack([torch.ones(width), torch.arange(1.0, width + 1)], 1).to(flat)
    total, place = (flat @ weights).unbind(1)
    shown = total != 0
    codes = torch.where(shown, place - 1, 0).long().clamp(0, width - 1)
    lone = flat.gather(1, codes.unsqueeze(1)).squeeze(1) == 1
    if not torch.equal((flat != 0).sum(1), shown.long()):
        return None
    if not bool((lone & (total == 1) & (place == codes + 1) | ~shown & (place == 0)).all()):
        return None
    codes = torch.where(shown, codes, width).to(torch.int16).reshape(values.shape[:-1])
    rows = np.concatenate([np.eye(width), np.zeros((1, width))])
    return table(rows, kind, _by_trial(codes), onehot=True)


def _tabled(values: Tensor, kind: np.dtype, most: int) -> Field | None:
    flat = values.flatten(0, 2).contiguous().numpy()
    marks = _marks(flat)
    if len(np.unique(marks[:_LOOKED_AT])) > max(4, most // 4):
        return None
    known, firsts, codes = np.unique(marks, return_index=True, return_inverse=True)
    if len(known) > most or not np.array_equal(flat[firsts][codes], flat):
        return None
    numbers = torch.from_numpy(codes.astype(np.int16).reshape(values.shape[:-1]))
    return table(flat[firsts], kind, _by_trial(numbers))


def table(rows: np.ndarray, kind: np.dtype, codes: np.ndarray, *, onehot: bool = False) -> Field:
    """A field of rows by number."""
    columns = None
    if len(rows) <= _COLUMN:
        columns = np.zeros((rows.shape[1], _COLUMN), kind)
        columns[:, : len(rows)] = rows.T
    return Field(np.ascontiguousarray(rows, dtype=kind), codes, onehot, columns)


def _marks(rows: np.ndarray) -> np.ndarray:
    """A number for each row, the same for the same rows and hardly ever for others."""
    words = rows.view(np.uint64 if rows.itemsize == 8 else np.uint32).astype(np.uint64)
    odd = np.random.default_rng(0).integers(1 << 62, size=rows.shape[1], dtype=np.uint64) * 2 + 1
    with np.errstate(over="ignore"):
        return ((words ^ (words >> np.uint64(29))) * odd).sum(1)


def _by_trial(codes: Tensor) -> np.ndarray:
    return np.ascontiguousarray(codes.permute(1, 2, 0).numpy())
