"""Why a measurement broke: looked for only once it is known that it did.

A NaN or an infinity met on the way forward or back is refused, and so is a graph that cannot be
followed. To say where that comes from, the forward is run again with every module watched, or the
whole again under autograd's anomaly mode, which remembers the line of code behind each step of the
backward pass.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree

from ..errors import FarbackError, InputRefused
from ._batch import Batch
from ._border import users_line

Answer = TypeVar("Answer")


class NoGraph(InputRefused):
    """An output without a gradient path."""


class NotFinite(InputRefused):
    """NaN or infinity in a state or an error; `module` is where it was met."""

    def __init__(self, message: str, module: str = ""):
        super().__init__(message)
        self.module = module


@dataclass(frozen=True)
class Forward:
    """A model's forward by itself, to look at again: `run` runs it on the batch."""

    model: nn.Module
    batch: Batch
    run: Callable[[], Any]


def finite(x: Tensor) -> bool:
    """Whether all of a real tensor is finite, told without another tensor of its size."""
    if not x.numel():
        return True
    low, high = x.detach().aminmax()
    return bool(torch.isfinite(low) & torch.isfinite(high))


def explained(run: Callable[..., Answer], forward: Forward | None = None) -> Answer:
    """The answer of `run`; where it fails in the user's code, a refusal that says where and why.

    A tensor that is handed out as a leaf cannot be written into, as the user's code may: then
    everything is run a second time, with copies handed out.

    Args:
        run: the whole measurement; `writable=` where the code writes into what it is handed.
        forward: what to look at again.
    """
    try:
        return run(writable=False)
    except InputRefused as refusal:
        if "leaf Variable that requires grad" not in str(refusal.__cause__):
            raise _reason(refusal, run, forward) from refusal.__cause__
    except RuntimeError as error:
        raise _backward_reason(error, lambda: run(writable=False)) from error
    try:
        return run(writable=True)
    except InputRefused as refusal:
        raise _reason(refusal, run, forward) from refusal.__cause__
    except RuntimeError as error:
        raise _backward_reason(error, lambda: run(writable=True)) from error


def _reason(
    refusal: InputRefused, run: Callable[..., Any], forward: Forward | None
) -> InputRefused:
    """The same refusal, with what a second look tells."""
    if isinstance(refusal, NotFinite):
        found = None if forward is None else first_broken(forward)
        if found is not None:
            first, sentence = found
            met = first.name == refusal.module and not first.took
            return refusal if met else NotFinite(sentence)
        line = line_behind(lambda: run(writable=True))
        return refusal if line is None else NotFinite(f"{refusal} It comes from {line}.")
    if isinstance(refusal, NoGraph) and forward is not None and runs_blind(forward.run):
        return InputRefused(
            "The model's forward runs under no_grad or inference_mode, and gradients were expected "
            "to pass through it; take that out of forward, and call the model under it instead."
        )
    return refusal


def _backward_reason(error: RuntimeError, run: Callable[[], Any]) -> Exception:
    """What autograd says of a graph that the user's code spoiled; any other error as it is."""
    if "modified by an inplace operation" in str(error):
        line = line_behind(run) or "an operation"
        return InputRefused(
            f"The backward pass needs what {line} took or gave, and the code has written into it "
            "in place since; it was expected to stay: write x = x + y for x += y from there on."
        )
    if "backward through the graph a second time" in str(error):
        return InputRefused(
            "The forward or the loss runs a backward pass of its own, which frees the graph, and a "
            "whole graph was expected; return the loss, and leave backward() out."
        )
    if type(error).__name__ == "CheckpointError":
        return InputRefused(
            "A recurrent call is checkpointed, so that the way back would run it again, and a "
            "graph that stays was expected; switch torch.utils.checkpoint off for the probe."
        )
    return error


def runs_blind(run: Callable[[], Any]) -> bool:
    """Whether any operation of the forward runs without gradients."""

    class Watch(TorchFunctionMode):
        blind = False

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None):
            Watch.blind = Watch.blind or not torch.is_grad_enabled()
            return func(*args, **(kwargs or {}))

    with torch.enable_grad(), Watch():
        run()
    return Watch.blind


@dataclass(frozen=True)
class First:
    """The first module that gave, or took, something that is not finite."""

    module: nn.Module
    name: str
    took: bool
    call: int
    step: int | None


def first_broken(forward: Forward) -> tuple[First, str] | None:
    """The module where the numbers of a forward first break, and a sentence."""
    model, batch = forward.model, forward.batch
    found: list[First] = []
    calls: Counter[nn.Module] = Counter()

    def after(
        module: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], output: Any
    ) -> None:
        calls[module] += 1
        if found:
            return
        taken, given = _broken((args, dict(kwargs))), _broken(output)
        if taken or given:
            which = (taken or given)[0]
            name = names[module] or type(module).__name__
            found.append(First(module, name, bool(taken), calls[module], _step(which, batch)))

    names = {module: name for name, module in model.named_modules()}
    hooks = [module.register_forward_hook(after, with_kwargs=True) for module in names]
    try:
        with torch.no_grad():
            forward.run()
    except FarbackError:
        pass
    finally:
        for hook in hooks:
            hook.remove()
    return (found[0], _told(found[0], calls, batch)) if found else None


def _told(first: First, calls: Counter[nn.Module], batch: Batch) -> str:
    step = first.step
    if step is None and calls[first.module] >= batch.steps:
        step = (first.call - 1) * batch.steps // calls[first.module]
    where, at = ("", "") if step is None else (f" at step {step}", " at that step")
    kind = type(first.module).__name__
    name = first.name if first.name == kind else f"{first.name} ({kind})"
    buffers = [name for name, x in first.module.named_buffers() if bool(x.isnan().any())]
    cause = f" (its buffer {buffers[0]} holds NaN)" if buffers else ""
    return (
        f"NaN or infinity first appears in what {name} {'takes' if first.took else 'gives'}{where}"
        f"{cause}, where finite numbers were expected; look at the input{at}, and at the code that "
        f"leads {'to' if first.took else 'through'} it."
    )


def _broken(tree: Any) -> list[Tensor]:
    tensors = [x for x in _pytree.tree_leaves(tree) if isinstance(x, Tensor)]
    return [x for x in tensors if not bool(torch.isfinite(x).all())]


def _step(x: Tensor, batch: Batch) -> int | None:
    """The first step that is not finite, where the tensor lies as the batch does."""
    axis = batch.time
    if x.dim() < max(axis + 1, 2) or x.shape[axis] != batch.steps:
        return None
    bad = ~torch.isfinite(x).movedim(axis, 0).flatten(1).all(1)
    return int(bad.nonzero()[0])


def line_behind(run: Callable[[], Any]) -> str | None:
    """The line of the user's code behind the step of the backward pass that fails in `run`."""
    with (
        warnings.catch_warnings(record=True) as caught,
        torch.autograd.set_detect_anomaly(True),
    ):
        warnings.simplefilter("always")
        try:
            run()
        except (RuntimeError, FarbackError):
            pass
    for warning in caught:
        text = str(warning.message)
        told = re.match(r"Error detected in (\w+)Backward\d*\.", text)
        if told:
            lines = re.findall(r'File "([^"]+)", line (\d+), in ', text)
            line = users_line([(file, int(number)) for file, number in lines])
            return f"the {told[1]} in {line}" if line else f"a {told[1]}"
    return None
