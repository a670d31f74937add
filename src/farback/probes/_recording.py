"""The model's forward, run once with its recurrent calls answered by the tape.

For the length of one `with`, the forward of each recurrent module is replaced on the instance; the
model's own code, its hooks and its other modules run as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..errors import InputRefused
from ._batch import Batch
from ._cell import step
from ._entrance import embed
from ._fused_layer import meet
from ._tape import Tape

_FORWARDS = (nn.RNN.forward, nn.LSTM.forward, nn.GRU.forward)
"""The forwards of the layers that can be replayed."""


@contextmanager
def recording(
    tape: Tape,
    model: nn.Module,
    *,
    cells: Sequence[str],
    tokens: Sequence[Tensor | PackedSequence],
    batch: Batch,
) -> Iterator[None]:
    """Replace the forwards of fused layers, cells, named cells, and embeddings of tokens."""
    replaced: list[nn.Module] = []
    try:
        for name, module in model.named_modules():
            called = name or type(module).__name__
            answer = _answer(tape, called, module, name in cells, tokens, batch)
            if answer is not None:
                replaced.append(module)
                module.__dict__["forward"] = answer
        yield
    finally:
        for module in replaced:
            module.__dict__.pop("forward", None)


def _answer(
    tape: Tape,
    name: str,
    module: nn.Module,
    named: bool,
    tokens: Sequence[Tensor | PackedSequence],
    batch: Batch,
) -> Callable[..., Any] | None:
    own = module.forward
    if isinstance(module, nn.RNNBase) and type(module).forward not in _FORWARDS:
        raise InputRefused(
            f"{name} is a {type(module).__name__}, an {type(module).__mro__[1].__name__} whose "
            "forward is its own, and PyTorch's was expected; let it hold the layer instead of "
            "being one."
        )
    if isinstance(module, nn.RNNBase):
        fused = partial(meet, tape, name, module, own)
        return _seeing(tape, name, own, lambda input, hx=None: fused(input, hx))
    if isinstance(module, nn.RNNCellBase) or named:
        return _seeing(
            tape,
            name,
            own,
            lambda *args, **kwargs: step(tape, name, module, own, args, kwargs, batch=batch),
        )
    if isinstance(module, nn.Embedding) and tokens:
        return lambda input: embed(tape, name, own, input, tokens, batch)
    return None


def _seeing(
    tape: Tape, name: str, own: Callable[..., Any], answer: Callable[..., Any]
) -> Callable[..., Any]:
    """Under the user's no_grad a call carries no error: it is left to the module itself."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if torch.is_grad_enabled():
            return answer(*args, **kwargs)
        if name not in tape.blind:
            tape.blind.append(name)
        tape.note(f"{name} is called under no_grad, and no error passes through it there.")
        return own(*args, **kwargs)

    return call
