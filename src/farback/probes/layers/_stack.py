"""A whole fused layer replayed: all its layers and directions, from the bottom up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

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


_OPTIONAL = ("bias_ih", "bias_hh", "weight_hr")


def kind_of(layer: nn.Module) -> Kind:
    """The kind of one of PyTorch's recurrent layers or cells."""
    if isinstance(layer, nn.LSTM | nn.LSTMCell):
        return LSTM()
    if isinstance(layer, nn.GRU | nn.GRUCell):
        return GRU()
    return RNN(str(getattr(layer, "nonlinearity", "tanh")))


def weights_of(layer: nn.Module, suffix: str, dtype: torch.dtype) -> Weights:
    """The weights whose names end in `suffix` ('_l0_reverse'; '' for a cell)."""
    names = ("weight_ih", "weight_hh", *_OPTIONAL)
    found = {it: getattr(layer, it + suffix, None) for it in names}
    return weights_in({it: w for it, w in found.items() if w is not None}).to(dtype)


def weights_in(named: Mapping[str, Tensor]) -> Weights:
    """The weights of a cell or layer by their names without a suffix."""
    optional = (named.get(name) for name in _OPTIONAL)
    return Weights(named["weight_ih"], named["weight_hh"], *optional)


class Stack(NamedTuple):
    """A replayed layer: its runs, what it hands out, and where it first broke, if it did.

    `values` are the output [T, B, D x P] in the user's layout, then the final states. `broken` is
    (layer, direction, step) of the first output that is not finite.
    """

    runs: Runs
    values: list[Tensor]
    broken: tuple[int, int, int] | None


def run_layers(
    layer: nn.RNNBase,
    x: Tensor,
    starts: Sequence[Tensor],
    layout: Layout,
    *,
    masks: Masks,
    chunk: int | None = None,
) -> Stack:
    """Replay all layers and directions of `layer` on x [T, B, I], from the bottom up."""
    kind, directions = kind_of(layer), 2 if layer.bidirectional else 1
    layers: list[tuple[Replay, ...]] = []
    broken: tuple[int, int, int] | None = None
    for number, mask in enumerate(masks):
        x = x if mask is None else x * mask
        runs, outputs = [], []
        for d in range(directions):
            weights = weights_of(layer, f"_l{number}{'_reverse' if d else ''}", x.dtype)
            parts = [start[number * directions + d] for start in starts]
            size = sum(where.stop - where.start for where in kind.blocks(weights).values())
            start = torch.cat(parts, -1) if parts else x.new_zeros(x.shape[1], size)
            valid = layout.valid.flip(0) if d and layout.valid is not None else layout.valid
            ordered = x.flip(0) if d else x
            run, output = replay(kind, weights, ordered, start, valid=valid, chunk=chunk)
            if broken is None and not torch.isfinite(output.sum()):
                broken = _broken(number, d, output)
            runs.append(run)
            outputs.append(output.flip(0) if d else output)
        layers.append(tuple(runs))
        x = torch.cat(outputs, -1) if directions > 1 else outputs[0]
    every = [run for runs in layers for run in runs]
    blocks = kind.blocks(every[0].weights).values()
    finals = [torch.stack([run.final[:, where] for run in every]) for where in blocks]
    values = [layout.write(x), *(layout.write_rows(final) for final in finals)]
    return Stack(tuple(layers), values, broken)


def _broken(number: int, d: int, output: Tensor) -> tuple[int, int, int] | None:
    bad = ~torch.isfinite(output).flatten(1).all(1)
    return (number, d, int(bad.nonzero()[0])) if bad.any() else None


def states_of(hx: Any) -> tuple[Tensor, ...]:
    """The initial states, as a tuple."""
    return () if hx is None else tuple(hx) if isinstance(hx, tuple | list) else (hx,)


def layout_of(layer: nn.RNNBase, given: Any) -> Layout:
    """How `given` lies in memory."""
    if isinstance(given, PackedSequence):
        return Packed.of(given)
    unbatched = given.dim() == 2
    return Dense(batch_first=layer.batch_first and not unbatched, unbatched=unbatched)
