"""Weights alone as the subject: the recurrent layers of a file, probed on stated noise.

The layers are rebuilt from names and shapes (_rebuilt.py). Each is fed noise of its own, N(0, 1),
and is not connected to the others: what a file does not tell (real inputs, embedding, head, the
code between the layers) is said in the notes, not guessed. No code from the file ever runs.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import SupportsIndex

import msgspec
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..analyses._analysis import Analysis
from ..flow import Profile
from ._arithmetic import name_of
from ._checkpoint import Checkpoint, listed, read_checkpoint, shown
from ._probe import _check_choices, _count, _seed, probe
from ._rebuilt import Rebuilt, rebuild

ROWS = 8
STEPS = 200


def probe_file(
    path: str | os.PathLike[str],
    *,
    needs: SupportsIndex | None = None,
    depth: str = "standard",
    analyses: Sequence[Analysis | str] | None = None,
    max_steps: SupportsIndex | None = None,
    floor: float = 1e-3,
    seed: SupportsIndex = 0,
) -> Profile:
    """Measure how far back the error reaches in the recurrent layers of a file of weights.

    No code from the file ever runs. The notes of the profile say what was rebuilt from which
    weights, what it was fed, and what a file cannot tell.

    >>> import tempfile, torch, farback as fb
    >>> from safetensors.torch import save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file(torch.nn.GRU(3, 8).state_dict(), f"{folder}/weights.safetensors")
    ...     profile = fb.probes.probe_file(f"{folder}/weights.safetensors", max_steps=20)
    >>> profile.subject
    'weights.safetensors (GRU 1 layer of 8)'

    Args:
        path: .safetensors, or a state_dict written by torch.save.
        needs: the lag that the task needs.
        depth: as in `probe`.
        analyses: as in `probe`.
        max_steps: the steps of noise; 200 by default.
        floor: as in `probe`.
        seed: of the noise and of the random projections.

    Raises:
        InputRefused: the file cannot be opened without running code, or holds no recurrent layer.
        WrongUsage: an argument names something that does not exist.
    """
    _check_choices(depth, floor)
    start, needed, most = _seed(seed), _count("needs", needs), _count("max_steps", max_steps)
    name = shown(Path(path).name)
    checkpoint = read_checkpoint(path)
    layers = rebuild(checkpoint.tensors, name)
    steps = STEPS if most is None else most
    two_ends = any(getattr(one.layer, "bidirectional", False) for one in layers)
    profile = probe(
        SavedWeights(layers),
        (noise(layers, steps, start), None),
        needs=needed,
        depth=depth,
        analyses=analyses,
        layout="batch-first",
        loss_times=(0, -1) if two_ends else None,
        floor=floor,
        seed=start,
    )
    other = "the model that these weights belong to: its inputs, embedding, head and loss"
    verdict = msgspec.structs.replace(
        profile.verdict, unchecked=(other, *profile.verdict.unchecked)
    )
    return replace(
        profile,
        subject=f"{name} ({_summary(layers)})",
        reading=f"noise N(0, 1), {profile.reading}",
        verdict=verdict,
        notes=(*_notes(layers, checkpoint, steps, start), *profile.notes),
    )


class SavedWeights(nn.Module):
    """The layers of a file side by side, each on its own share of the input's features."""

    def __init__(self, layers: Sequence[Rebuilt]):
        super().__init__()
        self.shares = [one.layer.input_size for one in layers]
        # add_module refuses the dots of a name that comes from inside another model
        self._modules.update({one.name: one.layer for one in layers})

    def forward(self, x: Float[Tensor, "B T I"]) -> Float[Tensor, "B O"]:
        """The last output of each layer, side by side."""
        pairs = zip(self.children(), x.split(self.shares, -1), strict=True)
        with warnings.catch_warnings():  # nobody who names a file chose a kernel
            warnings.filterwarnings("ignore", message="LSTM with projections is not supported")
            return torch.cat([_last(layer, share) for layer, share in pairs], -1)


def _last(layer: nn.Module, x: Float[Tensor, "B T I"]) -> Float[Tensor, "B O"]:
    """What a layer or cell gives at the end of its processing, in each of its directions."""
    if isinstance(layer, nn.RNNBase):
        outputs, _ = layer(x)
        if not layer.bidirectional:
            return outputs[:, -1]
        forwards, backwards = outputs.chunk(2, -1)
        return torch.cat([forwards[:, -1], backwards[:, 0]], -1)
    state = None
    for now in x.unbind(1):
        state = layer(now, state)
    assert state is not None
    return state[0] if isinstance(state, tuple) else state


def noise(layers: Sequence[Rebuilt], steps: int, seed: int) -> Float[Tensor, "B T I"]:
    """N(0, 1) for all layers, in the type of the weights."""
    features = sum(one.layer.input_size for one in layers)
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(ROWS, steps, features, generator=generator, dtype=torch.float32)
    return drawn.to(_dtype(layers))


def _dtype(layers: Sequence[Rebuilt]) -> torch.dtype:
    return next(layers[0].layer.parameters()).dtype


def _summary(layers: Sequence[Rebuilt]) -> str:
    if len(layers) == 1:
        return layers[0].text
    named = "; ".join(f"{shown(one.name)}: {one.text}" for one in layers[:3])
    return named if len(layers) <= 3 else f"{named} and {len(layers) - 3} more"


def _notes(
    layers: Sequence[Rebuilt], checkpoint: Checkpoint, steps: int, seed: int
) -> tuple[str, ...]:
    """What was rebuilt and from what, what it was fed, and what the file cannot tell."""
    notes = [
        f"{shown(one.name)} was rebuilt as {one.text} on {one.layer.input_size} inputs, from "
        f"{listed(one.keys, 2)}."
        for one in layers
    ]
    notes.append(
        f"Each layer was fed noise of its own, N(0, 1), seed {seed}, in {ROWS} rows of {steps} "
        "steps, from a state of zero; the error starts at its last output, in each direction."
    )
    notes.append(
        "A file of weights does not tell the real inputs, the embedding, the head, the loss, or "
        "what the code does with these layers."
    )
    plain = [shown(one.name) for one in layers if isinstance(one.layer, nn.RNN | nn.RNNCell)]
    if plain:
        notes.append(f"It does not tell an activation either: {', '.join(plain)} is taken as tanh.")
    used = {key for one in layers for key in one.keys}
    types = {name_of(checkpoint.tensors[key].dtype) for key in used}
    if len(types) > 1:
        notes.append(
            f"The weights are {' and '.join(sorted(types))}, and were taken as "
            f"{name_of(_dtype(layers))}."
        )
    rest = [key for key in checkpoint.tensors if key not in used]
    if rest:
        notes.append(f"Not used, as it is no recurrent layer: {listed(rest, 5)}.")
    if checkpoint.ignored:
        notes.append(f"Ignored, as it is no floating tensor: {listed(checkpoint.ignored, 5)}.")
    return (*notes, *checkpoint.remarks)
