"""A hash of all that a probe could leave behind on a model."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy


def fingerprint(model: nn.Module) -> str:
    """Hash parameters, buffers, gradients, flags, hooks and attributes of every module.

    The random states of torch, NumPy and Python count as well.

    >>> model = nn.Linear(2, 2)
    >>> before = fingerprint(model)
    >>> model.note = "left behind"
    >>> fingerprint(model) == before
    False
    """
    digest = hashlib.sha256()
    for name, module in model.named_modules():
        digest.update(f"{name} {type(module).__name__}".encode())
        for key in sorted(module.__dict__):
            digest.update(f"{key}={_told(module.__dict__[key])}".encode())
    digest.update(torch.get_rng_state().numpy().tobytes())
    digest.update(repr((np.random.get_state(), random.getstate())).encode())
    return digest.hexdigest()


def _told(value: Any) -> str:
    """A value as text: tensors by content, containers by their items, others by type or repr."""
    match value:
        case Tensor():
            grad = _told(value.grad) if value.is_leaf else "of a graph"
            return f"{value.dtype} {value.requires_grad} {_content(value)} {grad}"
        case dict():
            return "{" + ",".join(f"{key}:{_told(item)}" for key, item in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(_told(item) for item in value) + "]"
        case set():
            return "[" + ",".join(sorted(_told(item) for item in value)) + "]"
        case bool() | int() | float() | str() | None:
            return repr(value)
        case _:
            return type(value).__name__


def _content(tensor: Tensor) -> str:
    """The numbers of a tensor that has numbers."""
    if is_lazy(tensor):
        return "no shape"
    if tensor.is_meta or tensor.layout != torch.strided or tensor.is_quantized:
        return f"{tuple(tensor.shape)}"
    plain = tensor.detach().cpu()
    return str((plain.double() if plain.is_floating_point() else plain).tolist())
