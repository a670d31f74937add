"""The contract of an update, checked on a quadratic whose way downhill is known.

E(p) = |p|^2 / 2,    dE/dp = p                      (1)
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from ..engine.reference import batched
from ..learners.updates._update import Memory, Step, Update
from ..types import Params
from ._contract import check_configuration, claim, copied, same

STEPS = 3
"""Steps looked at, so that what is remembered is used."""


def check_update(update: Update) -> None:
    """Hold an update against its contract.

    A frozen object whose repr reads back; steps and memory of the parameters' shapes and types;
    the same step twice, its arguments untouched; traceable, and mapped over trials the same as for
    each alone; a first step that goes downhill.

    >>> from farback.learners import updates
    >>> check_update(updates.SGD(lr=0.5))

    Raises:
        AssertionError: with a sentence, at the first claim that does not hold.
    """
    check_configuration(update)
    for dtype in (torch.float64, torch.float32):
        _check_steps(update, _parameters(0, dtype))
    _check_trace(update)
    _check_trials(update)
    _check_descent(update)


def _parameters(seed: int, dtype: torch.dtype = torch.float64) -> Params:
    """A matrix, a vector and a scalar."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {"weights": (3, 2), "bias": (4,), "slope": ()}
    return {name: torch.randn(it, generator=generator).to(dtype) for name, it in shapes.items()}


def _descend(update: Update, params: Params, memory: Memory) -> tuple[Params, Step]:
    """One step on the quadratic (1)."""
    taken = update(params, memory, params)
    return {name: value - taken.step[name] for name, value in params.items()}, taken


def _check_steps(update: Update, params: Params) -> None:
    memory = update.init(params)
    tensors = all(isinstance(it, Tensor) for it in pytree.tree_leaves(memory))
    claim(tensors, f"{update!r}: it remembers {memory}, expected a dict of dicts of tensors.")
    for _ in range(STEPS):
        given = copied((params, memory))
        taken = update(params, memory, params)
        claim(same((params, memory), given), f"{update!r} changes what it is given.")
        claim(same(taken, update(params, memory, params)), f"{update!r} differs when repeated.")
        _check_alike(update, "its step", params, taken.step)
        _check_alike(update, "what it remembers", memory, taken.memory)
        params, (_, memory) = _descend(update, params, memory)


def _check_alike(update: Update, what: str, expected: object, came: object) -> None:
    """One tree has the form, the shapes and the types of another."""
    shapes, others = (
        pytree.tree_map(lambda it: (tuple(it.shape), it.dtype), tree) for tree in (expected, came)
    )
    claim(shapes == others, f"{update!r}: {what} came as {others}, expected {shapes}.")


def _check_trace(update: Update) -> None:
    params, other = _parameters(0), _parameters(1)
    memory, memory_of_other = update.init(params), update.init(other)
    try:
        traced = make_fx(update)(params, memory, params)
    except RuntimeError as error:
        raise AssertionError(
            f"{update!r} cannot be traced; let no Python look at its numbers ({error})"
        ) from None
    claim(
        same(traced(other, memory_of_other, other), update(other, memory_of_other, other)),
        f"{update!r}: its trace gives another step for other numbers; let no Python look at them.",
    )


def _check_trials(update: Update) -> None:
    trials = [_parameters(seed) for seed in range(3)]
    # One gradient far larger than the others must be no business of theirs.
    trials[1] = {name: 1e3 * value for name, value in trials[1].items()}
    together = {name: torch.stack([it[name] for it in trials]) for name in trials[0]}
    memory = batched(update.init, (0,))(together)
    alone = [update.init(it) for it in trials]
    mapped = batched(lambda params, memory: _descend(update, params, memory), (0, 0))
    for _ in range(STEPS):
        together, (_, memory) = mapped(together, memory)
        for number, params in enumerate(trials):
            trials[number], (_, alone[number]) = _descend(update, params, alone[number])
            row = {name: value[number] for name, value in together.items()}
            claim(
                _close(row, trials[number]),
                f"{update!r}: a trial's step depends on the trials beside it.",
            )


def _check_descent(update: Update) -> None:
    params = _parameters(0)
    _, taken = _descend(update, params, update.init(params))
    downhill = sum(float((params[name] * it).sum()) for name, it in taken.step.items())
    claim(downhill > 0, f"{update!r}: its first step does not go downhill.")


def _close(one: Params, other: Params) -> bool:
    def close(a: Tensor, b: Tensor) -> bool:
        return torch.allclose(a, b, rtol=1e-9, atol=1e-9)

    return all(close(one[name], other[name]) for name in other)
