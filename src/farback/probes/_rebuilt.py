"""Recurrent layers rebuilt from the names and shapes of their weights.

    weight_ih_l0 [G, I], weight_hh_l0 [G, P], G = gates x H:   4 gates an LSTM, 3 a GRU, 1 an RNN
    ..._l1, ..._l0_reverse    more layers, the other direction;   weight_hr_l0 [P, H] a projection
    weight_ih, weight_hh      (no _l0) a cell

These are the names that PyTorch's own layers give, under any prefix. The shapes say the rest, but
for the activation of an RNN, which is taken to be tanh.

Axes: I input, H hidden, P output (H where there is no projection), G nets.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor, nn

from ..errors import InputRefused
from ._checkpoint import listed, shown

_KEY = re.compile(
    r"(?P<prefix>(?:.*\.)?)(?P<part>weight_ih|weight_hh|bias_ih|bias_hh|weight_hr)"
    r"(?:_l(?P<number>0|[1-9][0-9]{0,3})(?P<reverse>_reverse)?)?",
    re.DOTALL,
)
_LAYERS = {4: nn.LSTM, 3: nn.GRU, 1: nn.RNN}
_CELLS = {4: nn.LSTMCell, 3: nn.GRUCell, 1: nn.RNNCell}
_INSTEAD = "probe the model itself (fb.probe)."


@dataclass(frozen=True)
class Rebuilt:
    """One layer or cell with its weights, and the keys that they came from."""

    name: str
    layer: nn.RNNBase | nn.RNNCellBase
    keys: tuple[str, ...]

    @property
    def text(self) -> str:
        """As in 'LSTM 2 layers of 64, both directions'."""
        kind, layer = type(self.layer).__name__, self.layer
        if isinstance(layer, nn.RNNCellBase):
            return f"{kind} of {layer.hidden_size}"
        plural = "" if layer.num_layers == 1 else "s"
        projected = f", projected to {layer.proj_size}" if layer.proj_size else ""
        both = ", both directions" if layer.bidirectional else ""
        return f"{kind} {layer.num_layers} layer{plural} of {layer.hidden_size}{projected}{both}"


@dataclass(frozen=True)
class _Group:
    """The weights of one layer: the keys as they were read, and the tensors, by key."""

    prefix: str
    keys: Mapping[str, re.Match[str]]
    tensors: Mapping[str, Tensor]
    file: str

    @property
    def stacked(self) -> bool:
        """Whether this is a fused layer, whose names carry numbers; a cell's do not."""
        return any(found["number"] is not None for found in self.keys.values())

    def missing(self, key: str) -> InputRefused:
        """The refusal of a layer that lacks `key`."""
        return InputRefused(
            f"{self.file}: {shown(key)} is missing, and was expected beside "
            f"{listed(self.tensors, 3)}; save the whole state_dict, or {_INSTEAD}"
        )


def rebuild(tensors: Mapping[str, Tensor], file: str) -> list[Rebuilt]:
    """The recurrent layers and cells among the tensors of a file, in one type.

    Raises:
        InputRefused: there is none, or the shapes of one do not fit together.
    """
    grouped: dict[tuple[str, bool], dict[str, re.Match[str]]] = {}
    for key in tensors:
        found = _KEY.fullmatch(key)
        if found is not None:
            place = found["prefix"], found["number"] is not None
            grouped.setdefault(place, {})[key] = found
    if not grouped:
        raise InputRefused(
            f"{file} holds no recurrent layer that its names tell, and weight_ih_l0 and "
            "weight_hh_l0 (nn.LSTM, nn.GRU, nn.RNN) or weight_ih and weight_hh (a cell) were "
            f"expected; it holds {listed(tensors, 5) or 'no floating tensor'}: {_INSTEAD}"
        )
    used = {key: tensors[key] for keys in grouped.values() for key in keys}
    dtype = reduce(torch.promote_types, (tensor.dtype for tensor in used.values()))
    layers: list[Rebuilt] = []
    for (prefix, _), keys in sorted(grouped.items()):
        group = _Group(prefix, keys, {key: used[key] for key in keys}, file)
        layer = _filled(group, dtype)
        name = prefix[:-1] or type(layer).__name__.lower()
        while any(name == other.name for other in layers):
            name += "_"
        layers.append(Rebuilt(name, layer, tuple(prefix + key for key in layer.state_dict())))
    return layers


def _filled(group: _Group, dtype: torch.dtype) -> nn.RNNBase | nn.RNNCellBase:
    """The layer with its weights; every name and shape must be the layer's own."""
    layer = _blank(group)
    expected = {f"{group.prefix}{key}": x.shape for key, x in layer.state_dict().items()}
    for key, shape in expected.items():
        if key not in group.tensors:
            raise group.missing(key)
        came = group.tensors[key].shape
        if came != shape:
            raise InputRefused(
                f"{group.file}: {shown(key)} is {tuple(came)}, and {tuple(shape)} was expected "
                f"beside the other weights of this {type(layer).__name__}; {_INSTEAD}"
            )
    strange = [key for key in group.tensors if key not in expected]
    if strange:
        raise InputRefused(
            f"{group.file}: {listed(strange, 3)} is no weight of {type(layer).__name__}, and only "
            f"{listed(expected, 4)} were expected; {_INSTEAD}"
        )
    own = {key.removeprefix(group.prefix): x for key, x in group.tensors.items()}
    state = {key: x.to(dtype, copy=True) for key, x in own.items()}
    layer.load_state_dict(state, strict=True, assign=True)
    return layer


def _blank(group: _Group) -> nn.RNNBase | nn.RNNCellBase:
    """A layer of the right sizes on the meta device, where it draws no random numbers."""
    suffix = "_l0" if group.stacked else ""
    gates, inputs, hidden = _sizes(group, suffix)
    bias = any(found["part"].startswith("bias") for found in group.keys.values())
    if not group.stacked:
        return _CELLS[gates](inputs, hidden, bias=bias, device="meta")
    numbers = {int(found["number"]) for found in group.keys.values()}
    lacking = min(set(range(len(numbers))) - numbers, default=None)
    if lacking is not None:
        raise group.missing(f"{group.prefix}weight_ih_l{lacking}")
    projection = group.tensors.get(f"{group.prefix}weight_hr_l0")
    return _LAYERS[gates](
        inputs,
        hidden,
        len(numbers),
        bias=bias,
        batch_first=True,
        bidirectional=any(found["reverse"] for found in group.keys.values()),
        device="meta",
        **({} if projection is None else {"proj_size": len(projection)}),
    )


def _sizes(group: _Group, suffix: str) -> tuple[int, int, int]:
    """The number of gates, I and H, from the two or three matrices of the first layer."""
    names = [f"{group.prefix}{part}{suffix}" for part in ("weight_ih", "weight_hh", "weight_hr")]
    for name in names[:2]:
        if name not in group.tensors:
            raise group.missing(name)
    shapes = [tuple(group.tensors[name].shape) for name in names if name in group.tensors]
    if all(len(shape) == 2 and min(shape) > 0 for shape in shapes):
        hidden = shapes[-1][1]
        gates, rest = divmod(shapes[0][0], hidden)
        projected = len(shapes) == 3
        if not rest and gates in ((4,) if projected else _LAYERS):
            if not projected or shapes[2][0] < hidden:
                return gates, shapes[0][1], hidden
    told = ", ".join(f"{shown(n)} is {s}" for n, s in zip(names, shapes, strict=False))
    raise InputRefused(
        f"{group.file}: {told}, and 4, 3 or 1 times the hidden size (LSTM, GRU, RNN) was expected "
        f"as the first of these; {_INSTEAD}"
    )
