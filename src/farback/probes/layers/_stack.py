"""A whole fused layer replayed: all its layers and directions, from the bottom up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ._kind import Kind, Weights
from ._layout import Dense, Layout, Packed
from ._replay import Replay, replay
from .gru import GRU
from .lstm import LSTM
from .rnn import RNN

Runs = tuple[tuple[Replay, ...], ...]
"""The replays by layer and direction."""

Masks = tuple[Tensor | None, ...]
"""The dropout mask on the input of each layer, or None."""


def kind_of(layer: nn.Module) -> Kind:
    """The kind of one of PyTorch's recurrent layers or cells."""
    if isinstance(layer, nn.LSTM | nn.LSTMCell):
        return LSTM()
    if isinstance(layer, nn.GRU | nn.GRUCell):
        return GRU()
    return RNN(str(getattr(layer, "nonlinearity", "tanh")))


def weights_of(layer: nn.Module, suffix: str, dtype: torch.dtype) -> Weights:
    """The weights whose names end in `suffix` ('_l0_reverse'; '' for a cell)."""
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    return Weights(*(getattr(layer, name + suffix, None) for name in names)).to(dtype)


def run_layers(
    layer: nn.RNNBase,
    x: Tensor,
    starts: Sequence[Tensor],
    layout: Layout,
    *,
    masks: Masks,
    chunk: int | None = None,
) -> Runs:
    """Replay all layers and directions of `layer` on x [T, B, I], from the bottom up."""
    kind, directions = kind_of(layer), 2 if layer.bidirectional else 1
    layers: list[tuple[Replay, ...]] = []
    for number, mask in enumerate(masks):
        x = x if mask is None else x * mask
        runs: list[Replay] = []
        for d in range(directions):
            weights = weights_of(layer, f"_l{number}{'_reverse' if d else ''}", x.dtype)
            parts = [start[number * directions + d] for start in starts]
            size = sum(where.stop - where.start for where in kind.blocks(weights).values())
            start = torch.cat(parts, -1) if parts else x.new_zeros(x.shape[1], size)
            valid = layout.valid.flip(0) if d and layout.valid is not None else layout.valid
            ordered = x.flip(0) if d else x
            runs.append(replay(kind, weights, ordered, start, valid=valid, chunk=chunk))
        layers.append(tuple(runs))
        x = _outputs(layers[-1])
    return tuple(layers)


def handed_out(runs: Runs, layout: Layout) -> list[Tensor]:
    """The replay's output and final states, in the user's layout."""
    flat = [run for layer in runs for run in layer]
    parts = flat[0].kind.blocks(flat[0].weights).values()
    finals = [torch.stack([run.final[:, where] for run in flat]) for where in parts]
    return [layout.write(_outputs(runs[-1])), *(layout.write_rows(final) for final in finals)]


def _outputs(runs: Sequence[Replay]) -> Tensor:
    """A layer's output [T, B, D x P], in the order of the data."""
    by_direction = [run.outputs.flip(0) if d else run.outputs for d, run in enumerate(runs)]
    return torch.cat(by_direction, -1) if len(by_direction) > 1 else by_direction[0]


def states_of(hx: Any) -> tuple[Tensor, ...]:
    """The initial states, as a tuple."""
    return () if hx is None else tuple(hx) if isinstance(hx, tuple | list) else (hx,)


def layout_of(layer: nn.RNNBase, given: Any) -> Layout:
    """How `given` lies in memory."""
    if isinstance(given, PackedSequence):
        return Packed.of(given)
    unbatched = given.dim() == 2
    return Dense(batch_first=layer.batch_first and not unbatched, unbatched=unbatched)
