"""The batch: what is input and what is target, and which axis is time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence, unpack_sequence
from torch.utils import _pytree

from ..errors import InputRefused, unknown

LAYOUTS = ("batch-first", "time-first", "channels-first")
"""[B, T, ...], [T, B, ...], and [B, C, T] as convolutions take it."""


@dataclass(frozen=True)
class Batch:
    """What goes into the forward, what the loss compares with, and how the sequence lies."""

    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    target: Any
    batch_first: bool
    steps: int
    rows: int
    features: int | None
    remarks: tuple[str, ...] = ()
    channels_first: bool = False

    @property
    def reading(self) -> str:
        """How the batch was read, in one line."""
        features = "" if self.features is None else f", features={self.features}"
        order = " (channels first)" if self.channels_first else ""
        return f"read as batch={self.rows}, time={self.steps}{features}{order}"

    @property
    def time(self) -> int:
        """The number of the axis of time."""
        return 2 if self.channels_first else int(self.batch_first)

    def parts(self) -> list[Tensor | PackedSequence]:
        """All tensors and packed sequences of the input."""
        leaves = _pytree.tree_leaves((self.args, dict(self.kwargs)), is_leaf=is_packed)
        return [x for x in leaves if isinstance(x, Tensor | PackedSequence)]

    def tensors(self) -> list[Tensor]:
        """All tensors of the input, the data of packed sequences among them."""
        return [x.data if isinstance(x, PackedSequence) else x for x in self.parts()]

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """The same batch with every tensor of input and target changed."""

        def inner(x: Any) -> Any:
            if isinstance(x, PackedSequence):
                return PackedSequence(
                    change(x.data), x.batch_sizes, x.sorted_indices, x.unsorted_indices
                )
            return change(x) if isinstance(x, Tensor) else x

        whole = (self.args, dict(self.kwargs), self.target)
        args, kwargs, target = _pytree.tree_map(inner, whole, is_leaf=is_packed)
        return replace(self, args=args, kwargs=kwargs, target=target)


def is_packed(x: Any) -> bool:
    """Whether `x` is a PackedSequence, which torch's trees would take apart as a named tuple."""
    return isinstance(x, PackedSequence)


def read_batch(
    batch: Any, model: nn.Module | None, *, layout: str | None = None, max_steps: int | None = None
) -> Batch:
    """Take a batch apart.

    Args:
        batch: (input, target), or the input alone; an input that is a tuple or dict is unpacked
            into the forward.
        model: what it is for; its first recurrent layer tells which axis is time.
        layout: 'batch-first', 'time-first' or 'channels-first', where that must be said.
        max_steps: keep only the last so many steps.

    Raises:
        InputRefused: there is nothing in it to measure.
        WrongUsage: the layout is unknown.
    """
    given, target = _input_and_target(batch)
    if isinstance(given, list) and isinstance(model, nn.RNNBase):
        given = pack_sequence(_checked_rows(given), enforce_sorted=False)
    args: tuple[Any, ...] = (given,)
    if _is_plain_tuple(given):
        args = tuple(given)
    elif isinstance(given, dict):
        args = ()
    kwargs = given if isinstance(given, dict) else {}
    named = None if layout is None else _named(layout)
    sequence = _sequence(args, kwargs)
    if isinstance(sequence, PackedSequence | list):
        return _checked(_ragged(args, kwargs, target, sequence, max_steps))
    unbatched = sequence.dim() == 1 or (sequence.dim() == 2 and isinstance(model, nn.RNNBase))
    batch_first = _batch_first(model, named)
    channels_first = _channels_first(model, sequence, named)
    if channels_first:
        rows, features, steps = sequence.shape
    elif unbatched:
        steps, rows, features = len(sequence), 1, sequence.shape[1] if sequence.dim() > 1 else None
    else:
        rows, steps = sequence.shape[:2] if batch_first else sequence.shape[1::-1]
        features = sequence.shape[2] if sequence.dim() == 3 else None
    found = Batch(
        args, kwargs, target, batch_first, steps, rows, features, channels_first=channels_first
    )
    if max_steps is not None and max_steps < steps:
        found = _shortened(found, max_steps, 0 if unbatched else found.time)
    return _checked(found)


def _input_and_target(batch: Any) -> tuple[Any, Any]:
    if not _is_plain_tuple(batch) and not (
        isinstance(batch, list) and len(batch) == 2 and _differ(batch)
    ):
        return batch, None
    if len(batch) == 1:
        return batch[0], None
    if len(batch) != 2:
        raise InputRefused(
            f"The batch is a tuple of {len(batch)}, and (input, target) was expected; put several "
            "inputs into a tuple or dict of their own: ((x, lengths), y)."
        )
    return batch[0], batch[1]


def _is_plain_tuple(x: Any) -> bool:
    return isinstance(x, tuple) and not isinstance(x, PackedSequence)


def _differ(pair: Sequence[Any]) -> bool:
    """A list of two tensors of different kinds is a loader's [input, target], not two sequences."""
    one, other = pair
    if not isinstance(one, Tensor) or isinstance(other, list):
        return not isinstance(one, list)
    if not isinstance(other, Tensor):
        return True
    return one.dim() != other.dim() or one.dtype != other.dtype or one.dim() > 2


def _checked_rows(rows: list[Any]) -> list[Tensor]:
    """A list of sequences, one tensor [T, ...] for each row, of lengths of their own."""
    if not rows:
        raise InputRefused("The list of rows is empty, and at least one row was expected; fill it.")
    for number, row in enumerate(rows):
        if not isinstance(row, Tensor) or not row.dim():
            raise InputRefused(
                f"Row {number} of the list is {_told(row)}, and a tensor [steps, features] was "
                "expected; convert it with torch.as_tensor."
            )
        if not len(row):
            raise InputRefused(
                f"Row {number} of the list has length 0, and at least 2 steps were expected; leave "
                "it out."
            )
        if row.shape[1:] != rows[0].shape[1:] or row.dtype != rows[0].dtype:
            raise InputRefused(
                f"Row {number} of the list is {_told(row)}, and row 0 is {_told(rows[0])}, where "
                "rows that differ in their length alone were expected; make them alike."
            )
    return rows


def _told(row: Any) -> str:
    if not isinstance(row, Tensor):
        return f"a {type(row).__name__}"
    return f"{list(row.shape)} {str(row.dtype).removeprefix('torch.')}"


def _ragged(
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    target: Any,
    sequence: PackedSequence | list[Any],
    max_steps: int | None,
) -> Batch:
    """A batch whose rows have lengths of their own."""
    packed = isinstance(sequence, PackedSequence)
    rows = unpack_sequence(sequence) if packed else _checked_rows(sequence)
    lengths = [len(row) for row in rows]
    features = rows[0].shape[1] if rows[0].dim() == 2 else None
    remarks: tuple[str, ...] = ()
    if min(lengths) < max(lengths):
        remarks = (
            f"The rows have {min(lengths)} to {max(lengths)} steps: they end together, so a lag "
            "counts from each row's own end.",
        )
    found = Batch(args, kwargs, target, False, max(lengths), len(rows), features, remarks)
    if max_steps is None or max_steps >= max(lengths):
        return found
    kept = [row[-max_steps:] for row in rows]
    given = pack_sequence(kept, enforce_sorted=False) if packed else kept

    def shorter(value: Any) -> Any:
        return given if value is sequence else value

    args = tuple(shorter(value) for value in args)
    kwargs = {name: shorter(value) for name, value in kwargs.items()}
    note = f"Only the last {max_steps} of {max(lengths)} steps were used (max_steps)."
    return replace(found, args=args, kwargs=kwargs, steps=max_steps, remarks=(*remarks, note))


def _named(layout: str) -> str:
    key = layout.replace("_", "-").replace(" ", "-")
    if key not in LAYOUTS:
        raise unknown("layout", layout, LAYOUTS)
    return key


def _batch_first(model: nn.Module | None, layout: str | None) -> bool:
    if layout is not None:
        return layout != "time-first"
    modules = [] if model is None else list(model.modules())
    return next((bool(m.batch_first) for m in modules if isinstance(m, nn.RNNBase)), True)


def _channels_first(model: nn.Module | None, x: Tensor, layout: str | None) -> bool:
    """Said so, or told by a convolution that comes first and takes that axis as its channels."""
    if layout is not None or model is None or x.dim() != 3:
        return layout == "channels-first" and x.dim() == 3
    first = next((m for m in model.modules() if isinstance(m, nn.Conv1d | nn.RNNBase)), None)
    return isinstance(first, nn.Conv1d) and x.shape[1] == first.in_channels != x.shape[2]


def _sequence(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The first thing with a time axis: a tensor, packed rows, or a list of rows."""
    for value in (*args, *kwargs.values()):
        if isinstance(value, PackedSequence | list):
            return value
        if isinstance(value, Tensor) and value.dim() > 0:
            return value
    kinds = ", ".join(type(v).__name__ for v in (*args, *kwargs.values())) or "nothing"
    raise InputRefused(
        f"The batch holds no tensor (it holds {kinds}), and a sequence [B, T, ...] was expected; "
        "convert it with torch.as_tensor."
    )


def _shortened(batch: Batch, steps: int, axis: int) -> Batch:
    """The last `steps` steps of every tensor that is as long as the sequence along `axis`."""

    def last(x: Tensor) -> Tensor:
        if x.dim() > axis and x.shape[axis] == batch.steps:
            return x.narrow(axis, batch.steps - steps, steps)
        return x

    for x in batch.tensors():
        if x.dim() == 1 and len(x) == batch.rows and bool((x == batch.steps).any()):
            raise InputRefused(
                f"max_steps would cut the {batch.steps} steps, and the input holds lengths of its "
                "own for the rows; shorten the batch and its lengths together before the probe."
            )
    note = f"Only the last {steps} of {batch.steps} steps were used (max_steps)."
    return replace(batch.mapped(last), steps=steps, remarks=(*batch.remarks, note))


def _checked(batch: Batch) -> Batch:
    if batch.steps == 0:
        raise InputRefused(
            "The sequence length is 0, and at least 2 steps are needed to measure a flow; "
            f"give longer sequences ({batch.reading})."
        )
    if batch.rows == 0:
        raise InputRefused(
            f"The batch is empty ({batch.reading}), and at least one row was expected; "
            "look at the loader or the filter before it."
        )
    if batch.steps == 1:
        raise InputRefused(
            f"There is one step ({batch.reading}), so no dependency to measure; give at least 2 "
            "steps, or say which axis is time with layout= (--layout)."
        )
    for number, x in enumerate(batch.tensors()):
        # a mask beside the sequence may well be infinite
        bad = ~torch.isfinite(x) if not number else torch.isnan(x)
        if bool(bad.any()):
            raise InputRefused(
                f"The input holds NaN or infinity, first at {bad.nonzero()[0].tolist()}, and "
                "finite numbers were expected; mask or impute them first."
            )
    if batch.steps * 4 <= batch.rows and batch.steps <= 16:
        note = (
            f"{batch.reading[0].upper()}{batch.reading[1:]}: if these are {batch.rows} steps of "
            f"{batch.steps} rows, the axes are swapped; say layout= (--layout)."
        )
        return replace(batch, remarks=(*batch.remarks, note))
    return batch
