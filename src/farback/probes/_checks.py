"""What a model must be before it is probed, and what is taken off it."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from ..errors import InputRefused

_MOST_NAMED = 8
"""Tensors named in one sentence."""

_WRAPPERS = {
    nn.DataParallel: "torch.nn.DataParallel",
    nn.parallel.DistributedDataParallel: "DistributedDataParallel",
}


class Checked(NamedTuple):
    """A module that can be measured, and what the reader should know of how it came."""

    module: nn.Module
    remarks: tuple[str, ...]


def checked_model(model: Any) -> Checked:
    """The module itself, without the wrappers that only run it.

    Raises:
        InputRefused: it cannot be measured.
    """
    if isinstance(model, type):
        raise InputRefused(
            f"The model is the class {model.__name__}, and an instance was expected; "
            f"try {model.__name__}(...)."
        )
    if not isinstance(model, nn.Module):
        raise InputRefused(
            f"The model is a {type(model).__name__}, and a torch.nn.Module or a StepMap was "
            "expected; wrap a function as StepMap(step, start=...)."
        )
    compiled = any(_is_compiled(module) for module in model.modules())
    model, remarks = _unwrapped(model)
    if compiled:
        remarks = (*remarks, "The model is compiled (torch.compile); its own code was run instead.")
    for name, module in model.named_modules():
        _check_module(name or type(module).__name__, module)
    _check_tensors({**dict(model.named_parameters()), **dict(model.named_buffers())})
    _check_numbers(dict(model.named_parameters()))
    return Checked(model, remarks)


def _is_compiled(module: nn.Module) -> bool:
    return hasattr(module, "_orig_mod") or module._compiled_call_impl is not None


def _unwrapped(model: nn.Module) -> tuple[nn.Module, tuple[str, ...]]:
    remarks: list[str] = []
    inner: Any = model
    while isinstance(inner, nn.Module):
        model = inner
        wrapper = next((name for kind, name in _WRAPPERS.items() if isinstance(model, kind)), None)
        inner = getattr(model, "_orig_mod", None)
        if wrapper is not None:
            remarks.append(f"The model came inside {wrapper}; the module in it was probed.")
            inner = model.module
    return model, tuple(remarks)


def _check_module(name: str, module: nn.Module) -> None:
    kind = type(module)
    if isinstance(module, torch.jit.ScriptModule):
        raise InputRefused(
            f"{name} is TorchScript, whose steps cannot be reached, and a Python module was "
            "expected; build that, and load its weights: model.load_state_dict("
            "scripted.state_dict())."
        )
    if "quantized" in kind.__module__:
        raise InputRefused(
            f"{name} is quantised, so its gradients mean nothing, and floating weights were "
            "expected; probe the float model that it came from."
        )
    if kind.__name__ == "FullyShardedDataParallel":
        raise _sharded(name)


def _sharded(name: str) -> InputRefused:
    return InputRefused(
        f"{name} is sharded over devices, and whole weights were expected; gather the full "
        "state_dict into a plain model."
    )


def _check_tensors(tensors: dict[str, Any]) -> None:
    for name, tensor in tensors.items():
        if is_lazy(tensor):
            raise InputRefused(
                f"{name} has no shape yet (a lazy module), and weights were expected; run one "
                "batch through the model first."
            )
        if type(tensor).__name__ == "DTensor" or hasattr(tensor, "_local_tensor"):
            raise _sharded(name)
        if tensor.is_meta:
            raise InputRefused(
                f"{name} is on the meta device and holds no numbers, and weights were expected; "
                "materialise the model with to_empty() and load them."
            )
        if tensor.is_inference():
            raise InputRefused(
                f"{name} was made under inference_mode and can carry no gradient, and an ordinary "
                "tensor was expected; build or load the model outside of it."
            )


def _check_numbers(parameters: dict[str, Tensor]) -> None:
    bad = [f"{name} has {told}" for name, p in parameters.items() if (told := _not_finite(p))]
    if bad:
        more = f"; {len(bad) - _MOST_NAMED} tensors more" if len(bad) > _MOST_NAMED else ""
        raise InputRefused(
            f"{'; '.join(bad[:_MOST_NAMED])}{more}: a gradient through that means nothing, and "
            "finite weights were expected; load an earlier checkpoint."
        )


def _not_finite(tensor: Tensor) -> str:
    """How many NaN and infinities there are, and where the first; '' where there are none."""
    bad = ~torch.isfinite(tensor)
    if not bool(bad.any()):
        return ""
    nans = int(tensor.isnan().sum())
    infinite = int(bad.sum()) - nans
    counts = [f"{nans} NaN"] if nans else []
    counts += [f"{infinite} infinit{'y' if infinite == 1 else 'ies'}"] if infinite else []
    first = "" if int(bad.sum()) == 1 else "first "
    return f"{' and '.join(counts)} {first}at {bad.nonzero()[0].tolist()}"
