"""What a model must be before it is probed, and what is taken off it."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from ..errors import InputRefused


def checked_model(model: Any) -> nn.Module:
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
    while True:
        if hasattr(model, "_orig_mod"):
            model = model._orig_mod
        elif isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            model = model.module
        else:
            break
    if isinstance(model, torch.jit.ScriptModule):
        raise InputRefused(
            "The model is TorchScript, whose steps cannot be reached; build the Python module and "
            "load its state_dict instead."
        )
    for name, module in model.named_modules():
        if "quantized" in type(module).__module__:
            raise InputRefused(
                f"{name or type(module).__name__} is quantised, and its gradients mean nothing; "
                "probe the float model that it came from."
            )
    _check_parameters(model)
    return model


def _check_parameters(model: nn.Module) -> None:
    bad: list[str] = []
    for name, parameter in model.named_parameters():
        if isinstance(parameter, nn.parameter.UninitializedParameter):
            raise InputRefused(
                f"{name} has no shape yet (a lazy module); run one batch through the model first."
            )
        if type(parameter).__name__ == "DTensor" or hasattr(parameter, "_local_tensor"):
            raise InputRefused(
                f"{name} is sharded over devices, and whole weights were expected; gather the full "
                "state_dict into a plain model."
            )
        if parameter.is_meta:
            raise InputRefused(
                f"{name} is on the meta device and holds no numbers; materialise the model with "
                "to_empty() and load its weights."
            )
        finite = torch.isfinite(parameter)
        if not bool(finite.all()):
            kind = "NaN" if bool(parameter.isnan().any()) else "infinity"
            count = int((~finite).sum())
            place = (~finite).nonzero()[0].tolist()
            bad.append(f"{name} has {count} {kind} at {place}")
    if bad:
        raise InputRefused(
            f"{'; '.join(bad)}: a gradient through it means nothing, and finite weights were "
            "expected; load an earlier checkpoint."
        )
