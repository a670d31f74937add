"""What a layer of torch must be to enter as a cell, and the linear head that may come with it."""

from __future__ import annotations

from torch import nn

from ..errors import InputRefused
from ..types import Params


def check(layer: nn.Module, head: nn.Module | None, kind: type[nn.RNNBase]) -> None:
    """Refuse what is not one layer of one direction, or a head that does not fit it.

    Raises:
        InputRefused: what came, and what would do.
    """
    name = kind.__name__
    if not isinstance(layer, kind):
        raise InputRefused(
            f"A {type(layer).__name__} came for the layer, expected an nn.{name}; try the cell "
            "that goes by its name."
        )
    if layer.num_layers > 1 or layer.bidirectional or layer.proj_size:
        raise InputRefused(
            f"An nn.{name} came with {layer.num_layers} layers, bidirectional="
            f"{layer.bidirectional} and proj_size={layer.proj_size}, expected one layer of one "
            f"direction without projection; try farback.probe for a stack."
        )
    if head is not None and not isinstance(head, nn.Linear):
        raise InputRefused(
            f"A {type(head).__name__} came for the head, expected an nn.Linear; try head=None "
            "for the layer alone."
        )
    if head is not None and head.in_features != layer.hidden_size:
        raise InputRefused(
            f"A head of {head.in_features} inputs came for a layer of {layer.hidden_size} units; "
            f"try nn.Linear({layer.hidden_size}, {head.out_features})."
        )


def copied(module: nn.Module) -> Params:
    """Its parameters by torch's names, in float64 and in memory of their own."""
    return {name: value.detach().double().clone() for name, value in module.named_parameters()}


def readout(head: nn.Linear | None) -> Params:
    """The parameters of the linear readout; none without a head."""
    names = {"weight": "readout", "bias": "readout_bias"}
    return {names[name]: value for name, value in copied(head).items()} if head else {}
