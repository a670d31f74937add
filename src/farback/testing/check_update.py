"""The contract of an update, checked on a quadratic whose way downhill is known.

    E(p) = |p|^2 / 2,    dE/dp = p                      (1)

Any step along p goes down.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils import _pytree as pytree

from ..engine.reference import batched
from ..learners.updates._update import Memory, Step, Update
from ..types import Params, stacked
from ._contract import check_configuration, copied, keep, require, require_close, require_kind, same

_STEPS = 3
"""Steps looked at, so that what is remembered is used."""


def check_update(update: Update) -> None:
    """Hold an update to the contract.

    >>> from farback.learners import updates
    >>> check_update(updates.SGD(lr=0.5))

    Raises:
        ContractBroken: the first claim that it breaks, and how.
    """
    require_kind(update, Update)
    keep(CLAIMS, update, repr(update))


def _shapes_and_types(update: Update) -> None:
    for dtype in (torch.float64, torch.float32):
        params = _parameters(0, dtype)
        memory = update.init(params)
        tensors = all(isinstance(it, Tensor) for it in pytree.tree_leaves(memory))
        require(tensors, f"it remembers {memory}, expected a dict of dicts of tensors.")
        for _ in range(_STEPS):
            params, (step, remembered) = _descend(update, params, memory)
            for what, came, expected in (("step", step, params), ("memory", remembered, memory)):
                forms = [pytree.tree_map(_form, tree) for tree in (came, expected)]
                require(forms[0] == forms[1], f"its {what} has {forms[0]}, expected {forms[1]}.")
            memory = remembered


def _pure(update: Update) -> None:
    params = _parameters(0)
    memory = update.init(params)
    for _ in range(_STEPS):
        given = copied((params, memory))
        taken = update(params, memory, params)
        require(same((params, memory), given), "it writes into its arguments.")
        again = update(params, memory, params)
        require(same(taken, again), "it gives other numbers at the second call.")
        params, (_, memory) = _descend(update, params, memory)


def _traced_once_for_all_numbers(update: Update) -> None:
    params, other = _parameters(0), _parameters(1)
    traced = make_fx(update)(params, update.init(params), params)
    memory = update.init(other)
    require(
        same(traced(other, memory, other), update(other, memory, other)),
        "traced on some numbers it is another function on others.",
    )


def _alone_as_among_others(update: Update) -> None:
    trials = [_parameters(seed) for seed in range(3)]
    # One gradient far larger than the others must be no business of theirs.
    trials[1] = {name: 1e3 * value for name, value in trials[1].items()}
    together = stacked(trials)
    memory = batched(update.init, (0,))(together)
    alone = [update.init(it) for it in trials]
    descend = batched(lambda params, memory: _descend(update, params, memory), (0, 0))
    for _ in range(_STEPS):
        together, (_, memory) = descend(together, memory)
        for number, params in enumerate(trials):
            trials[number], (_, alone[number]) = _descend(update, params, alone[number])
            for name, value in trials[number].items():
                sentence = f"a trial alone steps otherwise than among others along '{name}'"
                require_close(together[name][number], value, 1e-12, sentence)


def _downhill(update: Update) -> None:
    params = _parameters(0)
    _, (step, _) = _descend(update, params, update.init(params))
    slope = sum(float((params[name] * it).sum()) for name, it in step.items())
    require(slope > 0, f"along its first step the gradient is {slope:.3g}, expected more than 0.")


CLAIMS = {
    "an update is a frozen value that its repr tells whole": check_configuration,
    "it is pure": _pure,
    "steps and memory keep their shapes and types": _shapes_and_types,
    "it can be traced": _traced_once_for_all_numbers,
    "a trial's step is its own": _alone_as_among_others,
    "the first step goes downhill": _downhill,
}
"""What an update promises, and the check of each promise."""


def _parameters(seed: int, dtype: torch.dtype = torch.float64) -> Params:
    """A matrix, a vector and a scalar."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {"weights": (3, 2), "bias": (4,), "slope": ()}
    return {name: torch.randn(it, generator=generator).to(dtype) for name, it in shapes.items()}


def _descend(update: Update, params: Params, memory: Memory) -> tuple[Params, Step]:
    """One step on the quadratic (1)."""
    taken = update(params, memory, params)
    return {name: value - taken.step[name] for name, value in params.items()}, taken


def _form(value: Tensor) -> tuple[tuple[int, ...], torch.dtype]:
    return tuple(value.shape), value.dtype
