"""The forward in another arithmetic: everything cast, and the model left as it is."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ._batch import Batch
from ._border import border

NAMES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}


def name_of(dtype: torch.dtype) -> str:
    """'float32' for torch.float32."""
    return str(dtype).removeprefix("torch.")


def model_dtype(model: nn.Module | None, batch: Batch) -> torch.dtype:
    """The floating type of the parameters, or of the input where there are none."""
    parameters = [] if model is None else list(model.parameters())
    for x in [*parameters, *batch.tensors()]:
        if x.is_floating_point() or x.is_complex():
            return x.dtype.to_real()
    return torch.get_default_dtype()


def cast(x: Tensor, dtype: torch.dtype) -> Tensor:
    """A floating or complex tensor in `dtype`, any other as it is."""
    if x.is_complex():
        dtype = dtype.to_complex()
    return x.detach().to(dtype) if x.is_floating_point() or x.is_complex() else x


def copied(batch: Batch, dtype: torch.dtype | None) -> Batch:
    """The batch for a forward to read, in `dtype` (None: its own), or to write into."""
    return batch.mapped(lambda x: x.clone() if dtype is None else cast(x, dtype).clone())


def forward(model: nn.Module, batch: Batch, dtype: torch.dtype | None) -> Any:
    """Run the model, with everything floating cast to `dtype` (None: as it is).

    Raises:
        InputRefused: the model's own forward fails.
    """
    # a compiled forward would be compiled again for the replaced ones, and may not run them at all
    with torch.compiler.set_stance("force_eager"), border(model, batch):
        if dtype is None:
            return model(*batch.args, **batch.kwargs)
        named = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        state = {name: cast(x, dtype) for name, x in named.items()}
        for name, _ in model.named_parameters():
            if state[name].is_floating_point():
                state[name].requires_grad_()
        return functional_call(model, state, batch.args, dict(batch.kwargs))
