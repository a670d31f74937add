"""The promise that nothing is left behind on the user's model, kept by one `with`.

Before: parameters and buffers by reference and (buffers) by value, requires_grad, training flags,
hooks, instance attributes with the contents of their lists and dicts, and the random states of
Python, NumPy and torch. After, also on an exception or Ctrl-C: the same.
"""

from __future__ import annotations

import random
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


@contextmanager
def untouched(model: nn.Module | None, seed: int) -> Iterator[list[str]]:
    """Run a block under its own seed, and put everything back; yields the attributes it changed.

    The list is filled when the block ends: names of attributes that the forward itself rewrote,
    which is how a model carries a state from call to call.
    """
    changed: list[str] = []
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    on_devices = [torch.cuda.get_rng_state(d) for d in devices]
    before = [] if model is None else [_Module(m, name) for name, m in model.named_modules()]
    try:
        seed_all(seed)
        yield changed
    finally:
        for module in before:
            changed += module.restore()
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        for device, state in zip(devices, on_devices, strict=True):
            torch.cuda.set_rng_state(state, device)


def seed_all(seed: int) -> None:
    """Start every random state that a forward may draw from at `seed`."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


class _Module:
    """One module as it was."""

    def __init__(self, module: nn.Module, name: str):
        self.module = module
        self.name = name
        self.attributes = dict(module.__dict__)
        self.contents = {key: _copy(value) for key, value in module.__dict__.items()}
        self.parameters = [
            (p, p.requires_grad, p.grad) for p in module._parameters.values() if p is not None
        ]
        self.buffers = [
            (b, b.detach().clone(), b._version) for b in module._buffers.values() if b is not None
        ]

    def restore(self) -> list[str]:
        """Put everything back; return the names of the attributes that had changed."""
        now = self.module.__dict__
        changed = [
            f"{self.name}.{key}".lstrip(".")
            for key in {*now, *self.attributes}
            if now.get(key) is not self.attributes.get(key) and key != "forward"
        ]
        for key in [key for key in now if key not in self.attributes]:
            del now[key]
        now.update(self.attributes)
        for key, content in self.contents.items():
            if content is not None:
                _refill(now[key], content)
        for parameter, required, grad in self.parameters:
            parameter.requires_grad_(required)
            parameter.grad = grad
        with torch.no_grad():
            for buffer, value, version in self.buffers:
                if buffer._version != version:
                    buffer.copy_(value)
        return changed


def _copy(value: Any) -> Any:
    """The contents of a container, so that appending to it can be undone."""
    if type(value) in (list, dict, set, deque, OrderedDict):
        return type(value)(value)
    return None


def _refill(container: Any, content: Any) -> None:
    if type(container) is not type(content) or container == content if _cheap(content) else False:
        return
    container.clear()
    (container.update if hasattr(container, "update") else container.extend)(content)


def _cheap(content: Any) -> bool:
    """Whether comparing cannot meet a tensor."""
    values = content.values() if isinstance(content, dict) else content
    return not any(isinstance(value, Tensor) for value in values)
