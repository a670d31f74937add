"""The batch: what is input and what is target, and which axis is time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence
from torch.utils import _pytree

from ..errors import InputRefused, WrongUsage

LAYOUTS = {"batch-first": True, "time-first": False}


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

    @property
    def reading(self) -> str:
        """How the batch was read, in one line."""
        features = "" if self.features is None else f", features={self.features}"
        return f"read as batch={self.rows}, time={self.steps}{features}"

    def tensors(self) -> list[Tensor]:
        """All tensors of the input."""
        return [
            x for x in _pytree.tree_leaves((self.args, dict(self.kwargs))) if isinstance(x, Tensor)
        ]

    def mapped(self, change: Callable[[Tensor], Tensor]) -> Batch:
        """The same batch with every tensor of input and target changed."""

        def inner(x: Any) -> Any:
            if isinstance(x, PackedSequence):
                return PackedSequence(
                    change(x.data), x.batch_sizes, x.sorted_indices, x.unsorted_indices
                )
            return change(x) if isinstance(x, Tensor) else x

        whole = (self.args, dict(self.kwargs), self.target)
        args, kwargs, target = _pytree.tree_map(inner, whole)
        return replace(self, args=args, kwargs=kwargs, target=target)


def read_batch(
    batch: Any, model: nn.Module | None, *, layout: str | None = None, max_steps: int | None = None
) -> Batch:
    """Take a batch apart.

    Args:
        batch: (input, target), or the input alone; an input that is a tuple or dict is unpacked
            into the forward.
        model: what it is for; its first recurrent layer tells which axis is time.
        layout: 'batch-first' or 'time-first', where that must be said.
        max_steps: keep only the last so many steps.

    Raises:
        InputRefused: there is nothing in it to measure.
        WrongUsage: the layout is unknown.
    """
    given, target = _input_and_target(batch)
    if isinstance(given, list) and isinstance(model, nn.RNNBase):
        given = _packed(given)
    args: tuple[Any, ...] = (given,)
    if _is_plain_tuple(given):
        args = tuple(given)
    elif isinstance(given, dict):
        args = ()
    kwargs = given if isinstance(given, dict) else {}
    batch_first = _batch_first(model, layout)
    sequence = _sequence(args, kwargs)
    if isinstance(sequence, PackedSequence):
        shape = (len(sequence.batch_sizes), int(sequence.batch_sizes[0]), sequence.data.shape[-1])
        found = Batch(args, kwargs, target, False, *shape)
        return _checked(found)
    unbatched = sequence.dim() == 1 or (sequence.dim() == 2 and isinstance(model, nn.RNNBase))
    if unbatched:
        steps, rows, features = len(sequence), 1, sequence.shape[1] if sequence.dim() > 1 else None
    else:
        rows, steps = sequence.shape[:2] if batch_first else sequence.shape[1::-1]
        features = sequence.shape[2] if sequence.dim() == 3 else None
    found = Batch(args, kwargs, target, batch_first, steps, rows, features)
    if max_steps is not None and max_steps < steps:
        found = _shortened(found, max_steps, 0 if unbatched or not batch_first else 1)
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
    if not (isinstance(one, Tensor) and isinstance(other, Tensor)):
        return True
    return one.dim() != other.dim() or one.dtype != other.dtype


def _packed(rows: list[Any]) -> PackedSequence:
    empty = [number for number, row in enumerate(rows) if not len(row)]
    if empty or not rows:
        raise InputRefused(
            f"Row {empty[0] if empty else 0} of the list has length 0, and at least 2 steps were "
            "expected; leave it out."
        )
    return pack_sequence(rows, enforce_sorted=False)


def _batch_first(model: nn.Module | None, layout: str | None) -> bool:
    if layout is not None:
        key = layout.replace("_", "-").replace(" ", "-")
        if key not in LAYOUTS:
            raise WrongUsage(f"There is no layout '{layout}'; try {' or '.join(LAYOUTS)}.")
        return LAYOUTS[key]
    modules = [] if model is None else list(model.modules())
    return next((bool(m.batch_first) for m in modules if isinstance(m, nn.RNNBase)), True)


def _sequence(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """The first thing with a time axis."""
    for value in (*args, *kwargs.values()):
        if isinstance(value, PackedSequence) or (isinstance(value, Tensor) and value.dim() > 0):
            return value
        if isinstance(value, list | tuple) and value and isinstance(value[0], Tensor):
            longest = max(value, key=len)
            return longest.unsqueeze(0)
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
    for x in batch.tensors():
        if x.is_floating_point() and not bool(torch.isfinite(x).all()):
            place = (~torch.isfinite(x)).nonzero()[0].tolist()
            raise InputRefused(
                f"The input holds NaN or infinity, first at {place}, and finite numbers were "
                "expected; mask or impute them first."
            )
    if batch.steps * 4 <= batch.rows and batch.steps <= 16:
        note = (
            f"{batch.reading[0].upper()}{batch.reading[1:]}: if these are {batch.rows} steps of "
            f"{batch.steps} rows, the axes are swapped; say layout= (--layout)."
        )
        return replace(batch, remarks=(*batch.remarks, note))
    return batch
