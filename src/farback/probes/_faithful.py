"""Whether the replay is the layer: both run on the same input, and compared.

A layer that magnifies rounding errors (an exploding one) may leave its own float32 trajectory
without being another function; float64 tells the two cases apart. Anything else is refused, because
every number that follows would describe a different layer.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..errors import InputRefused
from ._tape import Tape
from .layers._stack import layout_of, run_layers, states_of

_PART = 16
"""Rows compared at a time, so that no second copy of a long output is made."""


def compare(
    tape: Tape,
    module: str,
    layer: nn.RNNBase,
    given: Any,
    hx: Any,
    *,
    answer: Sequence[Tensor] | None,
    ours: Sequence[Tensor],
) -> None:
    """Hold the replay against the layer's own answer; without one, both are run without dropout.

    Raises:
        InputRefused: the replay does not reproduce the layer.
    """
    if answer is None:
        tape.note(
            f"{module}: the dropout between its layers is one mask drawn by the probe; the "
            "replay was compared with the layer without dropout."
        )
        answer, ours = _side_by_side(layer, given, hx, ours[0].dtype)
    difference = _difference(answer, ours)
    if not difference <= torch.finfo(answer[0].dtype).eps ** 0.5:
        in_double = _difference(*_side_by_side(layer, given, hx, torch.float64))
        if not in_double <= torch.finfo(torch.float64).eps ** 0.5:
            raise InputRefused(
                f"The replay of {module} differs from the layer's own output by "
                f"{difference:.1e} of its largest value, where rounding alone was expected; is "
                "its forward changed, or a weight computed by a hook? Try the plain layer."
            )
        tape.note(
            f"{module}: the replay leaves the layer's own trajectory (by {difference:.1e}) "
            "because the layer magnifies rounding errors; in float64 both agree."
        )
    tape.largest_difference = max(tape.largest_difference, difference)


def flat(answer: Any) -> list[Tensor]:
    """The output's data and the final states."""
    output, finals = answer
    data = output.data if isinstance(output, PackedSequence) else output
    return [data, *(finals if isinstance(finals, tuple) else (finals,))]


def _side_by_side(
    layer: nn.RNNBase, given: Any, hx: Any, dtype: torch.dtype
) -> tuple[list[Tensor], list[Tensor]]:
    """The layer's own answer without dropout and its replay, both in `dtype`."""
    plain = copy.deepcopy(layer).to(dtype)
    plain.dropout = 0.0
    states = tuple(s.detach().to(dtype) for s in states_of(hx))
    data = given.to(dtype)
    layout = layout_of(layer, data)
    x = layout.read(data.data.detach())
    starts = [layout.read_rows(s) for s in states]
    ours = run_layers(plain, x, starts, layout, masks=(None,) * layer.num_layers).values
    start = states if len(states) > 1 else next(iter(states), None)
    answer = type(plain).forward(plain, data, start)  # past the replacement on the instance
    return flat(answer), ours


def _difference(answer: Sequence[Tensor], ours: Sequence[Tensor]) -> float:
    """The largest difference, relative to the largest value."""
    pairs = list(zip(answer, ours, strict=True))
    size = max(_largest(a) for a, _ in pairs) or 1.0
    parts = [part for a, b in pairs for part in zip(a.split(_PART), b.split(_PART), strict=True)]
    return max(_largest(a - b) for a, b in parts) / size


def _largest(x: Tensor) -> float:
    """The largest modulus; NaN where there is one."""
    low, high = x.aminmax()
    return max(-float(low), float(high)) if float(low) == float(low) else float("nan")
