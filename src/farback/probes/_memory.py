"""What a replay will need, said before it is taken."""

from __future__ import annotations

import os

import torch
from torch import Tensor, nn

from ..errors import InputRefused

_SMALLEST_CHUNK = 16


def available(device: torch.device) -> int | None:
    """Bytes of memory that are free where the replay will run, if the system tells."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def replay_bytes(layer: nn.RNNBase, gates: int, x: Tensor, chunk: int | None) -> int:
    """Bytes that the replay of `layer` over `x` [T, B, I] holds at its largest.

    For each step, row and layer: the state twice, the gates, the output; and one block of errors.
    With a chunk only the states between chunks are kept.
    """
    steps, rows, _ = x.shape
    directions = 2 if layer.bidirectional else 1
    hidden = layer.hidden_size
    outputs = steps * rows * hidden * directions * (layer.num_layers + 1)
    whole = steps * rows * hidden * (gates + 4) * directions * layer.num_layers
    if chunk is not None:
        kept = (steps // chunk + 1) * 2 + chunk * (3 * gates + 8)
        whole = kept * rows * hidden * directions * layer.num_layers
    return (outputs + whole) * x.element_size()


def chunk_that_fits(layer: nn.RNNBase, gates: int, x: Tensor) -> int | None:
    """None where everything fits, else a chunk that does.

    Raises:
        InputRefused: not even a chunk of 16 steps fits.
    """
    free = available(x.device)
    if free is None or replay_bytes(layer, gates, x, None) < free // 2:
        return None
    chunk = max(_SMALLEST_CHUNK, int(len(x) ** 0.5))
    if replay_bytes(layer, gates, x, chunk) < free // 2:
        return chunk
    needed = replay_bytes(layer, gates, x, _SMALLEST_CHUNK)
    if needed < free // 2:
        return _SMALLEST_CHUNK
    raise InputRefused(
        f"The replay needs {_told(needed)} for {len(x)} steps of {x.shape[1]} rows, even in chunks "
        f"of {_SMALLEST_CHUNK}, and half of the free {_told(free)} at most was expected; use "
        "max_steps (--max-steps) or fewer rows."
    )


def _told(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**29 else f"{size / 2**20:.1f} MiB"
