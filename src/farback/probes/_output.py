"""The output of a module without recurrence, as the place where the error enters.

With an axis of T steps, E_t enters at output step t; without one, all of the loss is read at the
end.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence
from torch.utils import _pytree

from ..flow.scaled import Scaled, scaled
from ._products import working
from ._tape import Call, Entry, Errors, Records, Tape, as_real, is_floating, like


@dataclass
class Output(Call):
    """The last call of a tape that has no recurrent one; `time` numbers the axis of steps."""

    steps: int
    rows: int
    time: int
    entries: list[Entry]
    outs: list[Tensor]
    module: str = "output"
    name: str = "output"
    clock: int = 0

    def _axis(self, x: Tensor) -> int | None:
        """The axis of steps of one output: where the input has it, else another of that length."""
        candidates = (0,) if self.time == 0 else (self.time, 1, 2)
        fitting = [a for a in candidates if a < x.dim() > 1 and x.shape[a] == self.steps]
        return next(iter(fitting), None)

    def read_times(self, gradients: Sequence[Tensor | None]) -> set[int]:
        times: set[int] = set()
        for gradient in gradients:
            if gradient is None or not bool((gradient != 0).any()):
                continue
            axis = self._axis(gradient)
            if axis is not None:
                read = (gradient.movedim(axis, 0).flatten(1) != 0).any(1)
                times |= {int(t) for t in read.nonzero()}
            else:
                times.add(self.steps - 1)
        return times

    def pull(
        self, errors: Errors, arrived: Sequence[Scaled | None], records: Records
    ) -> list[Scaled | None]:
        records.advance(self.steps)
        return [self._entering(errors, out) for out in self.outs]

    def _entering(self, errors: Errors, out: Tensor) -> Scaled:
        shape = (len(errors.times), *out.shape)
        plain = torch.zeros(shape, dtype=working(out.dtype), device=out.device)
        entering = errors.entering(out)
        for k, t in enumerate(errors.times):
            gradient = entering[errors.draw[k]] if entering else None
            if gradient is None:
                continue
            axis = self._axis(gradient)
            if axis is not None:
                plain[k].select(axis, t).copy_(gradient.select(axis, t))
            elif t == self.steps - 1:
                plain[k] = gradient
        return scaled(plain, rescale=errors.rescale)


def cut_output(tape: Tape, output: Any, *, steps: int, rows: int, time: int) -> Any:
    """Put the output on the tape, and return it as leaves."""
    entries: list[Entry] = []
    outs: list[Tensor] = []

    def cut(x: Any) -> Any:
        if is_floating(x) and x.requires_grad:
            entries.append(tape.entry(as_real(x)))
            outs.append(tape.leaf(as_real(x)))
            return like(x, tape.handed(outs[-1]))
        if isinstance(x, Tensor) or not tensors_in(x, set()):
            return x
        fresh = copy.copy(x)  # an object with tensors in its fields
        for name, value in vars(x).items():
            object.__setattr__(fresh, name, _pytree.tree_map(cut, value))
        return fresh

    whole = _pytree.tree_map(cut, output)
    tape.add(Output(steps, rows, time, entries, outs))
    return whole


def tensors_in(output: Any, seen: set[int]) -> list[Tensor]:
    """All tensors of an output, those in the fields of an object among them."""
    found = []
    for value in _pytree.tree_leaves(output):
        if isinstance(value, Tensor):
            found.append(value)
        elif hasattr(value, "__dict__") and id(value) not in seen:
            seen.add(id(value))
            found += tensors_in(dict(vars(value)), seen)
    return found


def first_of_layer(model: nn.Module, output: Any, name: str | None) -> Any:
    """Of a recurrent layer by itself the output of every step; of any other model what it gives.

    Nothing is chosen where a part of the output is named.
    """
    if not isinstance(model, nn.RNNBase) or name is not None:
        return output
    return output[0].data if isinstance(output[0], PackedSequence) else output[0]
