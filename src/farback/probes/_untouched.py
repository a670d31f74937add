"""The promise that nothing is left behind on the user's model, kept by one `with`.

Before: every tensor of the model (parameters, buffers, and tensors that it keeps as attributes)
with its value, its gradient and requires_grad; the attributes of every module, and what is in their
lists, dicts and sets, hooks and flags among them; the random states of Python, NumPy and torch.
After, also on an exception or Ctrl-C: the same. The price is one copy of the model's tensors.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_BY_ITEM = ("_parameters", "_buffers")
"""Attributes whose items are the user's names."""

_OF_TORCH = ("forward", "_flat_weights", "_flat_weight_refs")
"""Attributes that farback's replay and torch's functional_call set for the time of a call."""

_CONTAINERS = list | tuple | dict | set | deque
"""What a forward may fill."""


@dataclass
class Changes:
    """What the forward itself did to the model, known when the block has ended.

    `rewritten` names attributes and buffers, which is how a model carries a state from call to
    call; `drew` tells whether it drew random numbers.
    """

    rewritten: list[str] = field(default_factory=list)
    drew: bool = False


@contextmanager
def untouched(model: nn.Module | None, seed: int) -> Iterator[Changes]:
    """Run a block under its own seed, put everything back, and tell what had changed."""
    changes = Changes()
    generators = _generators()
    states = [read() for read, _ in generators]
    known: dict[int, _Tensor] = {}
    modules = [] if model is None else list(model.named_modules())
    before = [_Module(module, name, known) for name, module in modules]
    try:
        seed_all(seed)
        seeded = [read() for read, _ in generators]
        yield changes
        pairs = zip(generators, seeded, strict=True)
        changes.drew = not all(_same_state(read(), state) for (read, _), state in pairs)
    finally:
        changed = {id(one.tensor) for one in known.values() if one.restore()}
        for module in before:
            changes.rewritten += module.restore(changed)
        for (_, put), state in zip(generators, states, strict=True):
            put(state)


def seed_all(seed: int) -> None:
    """Start every random state that a forward may draw from at `seed`."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.default_generator.manual_seed(seed)  # torch.manual_seed also seeds devices not yet in use
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)


def _generators() -> list[tuple[Callable[[], Any], Callable[[Any], object]]]:
    """How to read and how to set each random state that is in use."""
    found: list[tuple[Callable[[], Any], Callable[[Any], object]]] = [
        (random.getstate, random.setstate),
        (np.random.get_state, np.random.set_state),
        (torch.get_rng_state, torch.set_rng_state),
    ]
    for device in range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ():
        read, put = torch.cuda.get_rng_state, torch.cuda.set_rng_state
        found.append((partial(read, device), partial(put, device=device)))
    if torch.backends.mps.is_available():
        found.append((torch.mps.get_rng_state, torch.mps.set_rng_state))
    return found


def _same_state(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


class _Tensor:
    """One tensor as it was; kept once, however many names it has."""

    def __init__(self, tensor: Tensor):
        self.tensor = tensor
        self.value = _copied(tensor)
        self.was_leaf = tensor.is_leaf
        self.required = tensor.requires_grad
        self.grad = tensor.grad if tensor.is_leaf else None
        self.grad_value = None if self.grad is None else _copied(self.grad)

    def restore(self) -> bool:
        """Put the tensor back; return whether its value had changed."""
        if self.was_leaf:
            if not self.tensor.is_leaf:  # written into under autograd
                self.tensor.detach_()
            if self.tensor.requires_grad != self.required:
                self.tensor.requires_grad_(self.required)
            self.tensor.grad = self.grad
            if self.grad is not None:
                _put_back(self.grad, self.grad_value)
        return _put_back(self.tensor, self.value)


def _copied(tensor: Tensor) -> Tensor | None:
    """The value of an ordinary tensor; of a sparse one, or one without numbers, no copy is made."""
    plain = tensor.layout == torch.strided and not tensor.is_meta
    return tensor.detach().clone() if plain else None


def _put_back(tensor: Tensor, value: Tensor | None) -> bool:
    if value is None:
        return False
    told = (tensor.shape, tensor.dtype, tensor.device)
    if told != (value.shape, value.dtype, value.device):
        tensor.data = value
        return True
    if torch.equal(tensor.detach(), value):
        return False
    with torch.no_grad():
        tensor.copy_(value)
    return True


class _Module:
    """One module as it was: what its attributes were, and what was in them."""

    def __init__(self, module: nn.Module, name: str, known: dict[int, _Tensor]):
        self.module = module
        self.name = name
        self.attributes = dict(module.__dict__)
        self.held: dict[str, _Held] = {}
        for key, value in module.__dict__.items():
            self.held[key] = _Held(value, set())
            for tensor in self.held[key].tensors:
                if id(tensor) not in known:
                    known[id(tensor)] = _Tensor(tensor)

    def restore(self, changed: set[int]) -> list[str]:
        """Put the attributes back; name those that the user's own code had changed.

        `changed` are the tensors whose values had changed. What torch's own modules note on
        themselves (a batch norm's statistics, a layer's flat weights) is put back but not named.
        """
        now = self.module.__dict__
        rewritten = [key for key in {*now, *self.attributes} if self._moved(key, changed)]
        for key in _BY_ITEM:
            before = dict(self.held[key].containers[0][1]) if self.held[key].containers else {}
            rewritten += _other_items(now.get(key, {}), before, changed)
        for held in self.held.values():
            held.restore()
        for key in [key for key in now if key not in self.attributes]:
            del now[key]
        now.update(self.attributes)
        if type(self.module).__module__.startswith("torch."):
            return []
        return [f"{self.name}.{key}".lstrip(".") for key in rewritten]

    def _moved(self, key: str, changed: set[int]) -> bool:
        """Whether an attribute of the user's is another object, or holds something else."""
        if key in (*_BY_ITEM, *_OF_TORCH):
            return False
        if self.module.__dict__.get(key) is not self.attributes.get(key):
            return True
        held = self.held[key]
        return held.moved() or any(id(tensor) in changed for tensor in held.tensors)


class _Held:
    """A value as it was: the items of a list, dict or set; of an object, what it holds itself."""

    def __init__(self, value: Any, seen: set[int]):
        self.tensors: list[Tensor] = [value] if isinstance(value, Tensor) else []
        self.containers: list[tuple[Any, Any]] = []
        if _plain_object(value):
            self.containers.append((vars(value), dict(vars(value))))
            self.tensors += [item for item in vars(value).values() if isinstance(item, Tensor)]
            return
        if not isinstance(value, _CONTAINERS) or id(value) in seen:
            return
        seen.add(id(value))
        if not isinstance(value, tuple):
            self.containers.append((value, dict(value) if isinstance(value, dict) else [*value]))
        for item in value.values() if isinstance(value, dict) else value:
            inner = _Held(item, seen)
            self.tensors += inner.tensors
            self.containers += inner.containers

    def moved(self) -> bool:
        """Whether any container has other items than it had."""
        return not all(_same_items(*pair) for pair in self.containers)

    def restore(self) -> None:
        """Fill every container as it was."""
        for container, content in self.containers:
            if _same_items(container, content):
                continue
            container.clear()
            if isinstance(container, dict | set):
                container.update(content)
            else:
                container.extend(content)


def _plain_object(value: Any) -> bool:
    """An object of the user's own class, which the forward may use as a notebook."""
    own = type(value).__module__.partition(".")[0] not in ("builtins", "torch", "numpy")
    known = isinstance(value, _CONTAINERS | Tensor | nn.Module | type) or callable(value)
    return own and not known and isinstance(getattr(value, "__dict__", None), dict)


def _same_items(container: Any, content: Any) -> bool:
    """Whether the same objects are in both, in the same order."""
    now, before = list(container), list(content)
    if isinstance(container, dict):
        now, before = [*now, *container.values()], [*before, *content.values()]
    return len(now) == len(before) and all(a is b for a, b in zip(now, before, strict=True))


def _other_items(now: dict[str, Any], before: dict[str, Any], changed: set[int]) -> list[str]:
    """The parameters or buffers that were written into or replaced."""
    return [
        name
        for name in {*now, *before}
        if now.get(name) is not before.get(name) or id(before.get(name)) in changed
    ]
