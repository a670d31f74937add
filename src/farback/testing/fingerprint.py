"""A hash of all that a probe could leave behind on a model."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from torch import Tensor, nn


def fingerprint(model: nn.Module) -> str:
    """Hash parameters, buffers, gradients, flags, hooks and attributes of every module.

    >>> model = nn.Linear(2, 2)
    >>> before = fingerprint(model)
    >>> model.note = "left behind"
    >>> fingerprint(model) == before
    False
    """
    digest = hashlib.sha256()
    for name, module in model.named_modules():
        digest.update(f"{name} {type(module).__name__} {module.training}".encode())
        for key in sorted(module.__dict__):
            digest.update(f"{key}={_told(module.__dict__[key])}".encode())
    digest.update(str(torch.get_rng_state().sum().item()).encode())
    return digest.hexdigest()


def _told(value: Any) -> str:
    """A value as text: tensors by content, containers by their items, others by type or repr."""
    match value:
        case Tensor():
            content = value.detach().cpu().contiguous()
            if content.is_floating_point():
                content = content.double()
            grad = None if value.grad is None or not value.is_leaf else _told(value.grad)
            return f"{value.dtype}{value.requires_grad}{content.flatten().tolist()}{grad}"
        case dict():
            return "{" + ",".join(f"{key}:{_told(item)}" for key, item in value.items()) + "}"
        case list() | tuple() | set():
            return "[" + ",".join(_told(item) for item in value) + "]"
        case bool() | int() | float() | str() | None:
            return repr(value)
        case _:
            return type(value).__name__
