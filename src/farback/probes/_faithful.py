"""Whether the replay is the layer: both run on the same input, and compared.

A layer that magnifies rounding errors (an exploding one) may leave its own float32 trajectory
without being another function; float64 tells the two cases apart. Anything else is refused, because
every number that follows would describe a different layer.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..errors import InputRefused
from ._tape import Tape
from .layers._stack import handed_out, layout_of, run_layers, states_of


def compare(
    tape: Tape,
    module: str,
    layer: nn.RNNBase,
    own: Callable[..., Any],
    given: Any,
    hx: Any,
    ours: Sequence[Tensor],
    *,
    masks: Sequence[Tensor | None],
) -> list[Tensor] | None:
    """Hold the replay against the layer; return the layer's own values where they can be handed on.

    Raises:
        InputRefused: the replay does not reproduce the layer.
    """
    dropped = any(mask is not None for mask in masks)
    with torch.no_grad():
        if dropped:
            tape.note(
                f"{module}: the dropout between its layers is one mask drawn by the probe; the "
                "replay was compared with the layer without dropout."
            )
            answer, ours = _side_by_side(layer, given, hx, torch.float32)
        else:
            answer = flat(own(given, hx))
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
    return None if dropped else answer


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
    runs = run_layers(plain, x, starts, layout, masks=(None,) * layer.num_layers)
    start = None if not states else states if len(states) > 1 else states[0]
    answer = type(plain).forward(plain, data, start)  # past the replacement on the instance
    return flat(answer), handed_out(runs, layout)


def _difference(answer: Sequence[Tensor], ours: Sequence[Tensor]) -> float:
    """The largest difference, relative to the largest value."""
    pairs = [(a.double(), b.double()) for a, b in zip(answer, ours, strict=True)]
    size = max(float(a.abs().max()) for a, _ in pairs) or 1.0
    return max(float((a - b).abs().max()) for a, b in pairs) / size
