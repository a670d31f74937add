"""The border to the user's code: what fails in a forward comes out as one sentence.

The sentence names the module and the line, how the batch was read, and the first line of the error
itself; where the cause can be told (rows of length 0, ids outside a table, mixed types), it is.
A fault of farback's own passes as it is.
"""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import FarbackError, InputRefused
from ._batch import Batch

_HOUSE = str(Path(__file__).parents[1])
_INSTALLED = (str(Path(torch.__file__).parents[1]), sysconfig.get_path("stdlib"))
_LONGEST = 200


@contextmanager
def border(model: nn.Module, batch: Batch) -> Iterator[None]:
    """Run the user's forward on `batch` in a block.

    Raises:
        InputRefused: the forward fails.
    """
    tables = [
        (name or type(module).__name__, module)
        for name, module in model.named_modules()
        if isinstance(module, nn.Embedding | nn.EmbeddingBag)
    ]
    guards = [
        table.register_forward_pre_hook(partial(_refuse_foreign_ids, name), with_kwargs=True)
        for name, table in tables
    ]
    try:
        yield
    except FarbackError:
        raise
    except Exception as error:
        place = _place(error, model)
        if place is None:
            raise
        raise InputRefused(
            f"The model's forward fails in {place} on a batch {batch.reading}: "
            f"{first_line(error)}; {_remedy(error, model, batch)}."
        ) from error
    finally:
        for guard in guards:
            guard.remove()


def first_line(error: BaseException) -> str:
    """What an error says, in one line, without its full stop."""
    lines = str(error).strip().splitlines()
    told = lines[0].strip().rstrip(".") if lines else ""
    kind = type(error).__name__
    told = kind if not told else told if isinstance(error, RuntimeError) else f"{kind}: {told}"
    return told if len(told) <= _LONGEST else f"{told[: _LONGEST - 3]}..."


def users_line(frames: list[tuple[str, int]]) -> str:
    """The innermost of the (file, line) pairs that is the user's own; '' where there is none."""
    own = [pair for pair in frames if not pair[0].startswith((_HOUSE, *_INSTALLED, "<"))]
    return f"{Path(own[-1][0]).name} line {own[-1][1]}" if own else ""


def _place(error: Exception, model: nn.Module) -> str | None:
    """The innermost module of the model in which the error was raised; None for a fault of ours.

    It is ours where no module was called after the last line of farback.
    """
    names = {id(module): name for name, module in model.named_modules()}
    place, ours = None, True
    frames: list[tuple[str, int]] = []
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = frame.f_locals.get("self")
        if frame.f_code.co_filename.startswith(_HOUSE):
            place, ours = None, True
        elif id(module) in names:
            kind, name = type(module).__name__, names[id(module)]
            place, ours = f"{name} ({kind})" if name else kind, False
        if not ours:
            frames.append((frame.f_code.co_filename, line))
    line = users_line(frames)
    return f"{place}, {line}," if place and line else place


def _remedy(error: Exception, model: nn.Module, batch: Batch) -> str:
    """What was expected, and what to try."""
    if "Length of all samples has to be greater than 0" in str(error):
        return f"{_empty_rows(batch)}; leave such rows out"
    if any(isinstance(value, list) for value in (*batch.args, *batch.kwargs.values())):
        return (
            "the rows came as a list, and this forward expects a tensor; pad them, or pack them "
            "inside forward with torch.nn.utils.rnn.pack_sequence"
        )
    kinds = _kinds({**dict(model.named_parameters()), **dict(model.named_buffers())})
    given = _kinds({str(number): x for number, x in enumerate(batch.tensors())})
    if len({*kinds, *given}) > 1:
        told = ", ".join(f"{kind} ({_some(names)})" for kind, names in kinds.items())
        return (
            f"the model holds {told or 'no floating tensor'} and the input is "
            f"{' and '.join(given) or 'not floating'}; bring all of it to one type and device"
        )
    return (
        "a batch that model(input) takes was expected; try that by itself, then layout= (--layout)"
    )


def _kinds(tensors: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """The names of floating tensors by type and device."""
    found: dict[str, list[str]] = {}
    for name, tensor in tensors.items():
        if tensor.is_floating_point() or tensor.is_complex():
            kind = f"{str(tensor.dtype).removeprefix('torch.')} on {tensor.device}"
            found.setdefault(kind, []).append(name)
    return found


def _some(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{names[0]} and {len(names) - 1} more"


def _empty_rows(batch: Batch) -> str:
    """The rows whose length is 0, told by the vector of lengths in the input."""
    for x in batch.tensors():
        if x.dim() == 1 and not x.is_floating_point() and bool((x <= 0).any()):
            rows = (x <= 0).nonzero().flatten().tolist()
            return f"row {', '.join(map(str, rows))} has length 0, and at least 1 step was expected"
    return "a row has length 0, and at least 1 step was expected"


def _refuse_foreign_ids(
    name: str, table: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> None:
    ids = args[0] if args else kwargs.get("input")
    if not isinstance(ids, Tensor) or ids.is_floating_point() or not ids.numel():
        return
    size = int(getattr(table, "num_embeddings", 0))
    least, largest = int(ids.min()), int(ids.max())
    if least < 0 or largest >= size:
        foreign = largest if largest >= size else least
        raise InputRefused(
            f"{name} is given ids from {least} to {largest}, and its table holds ids 0 to "
            f"{size - 1}; look where the id {foreign} comes from: is this the model's vocabulary?"
        )
