"""The motion of one direction of one layer, with its differential in closed form.

Axes: S steps, T steps, B rows, M points, K directions, N state, I input.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ...flow.motion import Differential, Motion
from ._kind import Kind, Weights
from ._replay import Replay


@dataclass(frozen=True)
class LayerDifferential(Differential):
    """J of a layer at M points, (2) and (4) of its kind. `nets` is how many values a step keeps."""

    kind: Kind
    weights: Weights
    slopes: tuple[Tensor, ...]
    nets: int

    @torch.no_grad()
    def push(self, directions: Tensor) -> Tensor:
        if 2 * len(directions) > directions.shape[-1]:  # for so many the matrix is worth its while
            return (self.matrix() @ directions.permute(1, 2, 0)).permute(2, 0, 1)
        return self.kind.push(self.weights, self.slopes, directions)

    @torch.no_grad()
    def pull(self, adjoints: Tensor) -> Tensor:
        errors = adjoints.new_empty(*adjoints.shape[:2], self.nets)
        before = torch.empty_like(adjoints, memory_format=torch.contiguous_format)
        self.kind.pull(self.weights, self.slopes, adjoints, errors, before)
        return before

    @torch.no_grad()
    def matrix(self) -> Tensor:
        return self.kind.jacobian(self.weights, self.slopes)

    def rows(self, where: slice | list[int]) -> LayerDifferential:
        return replace(self, slopes=tuple(slope[where] for slope in self.slopes))


def motion_of(
    kind: Kind,
    weights: Weights,
    states: Float[Tensor, "T1 B N"],
    inputs: Float[Tensor, "T B I"],
    valid: Bool[Tensor, "T B"] | None = None,
) -> Motion:
    """The motion of a layer or cell of a known kind."""

    def step(state: Tensor, x: Tensor) -> Tensor:
        return kind.moved(weights, state, kind.drive(weights, x))

    @torch.no_grad()
    def closed_form(state: Tensor, x: Tensor) -> LayerDifferential:
        nets, after = kind.drive(weights, x), torch.empty_like(state)
        kind.step(weights, state, nets, after)
        slopes = kind.slopes(state, after, nets)
        return LayerDifferential(kind, weights, slopes, nets.shape[-1])

    return Motion(states, inputs, step, kind.blocks(weights), valid, closed_form)


@torch.no_grad()
def layer_motion(runs: Sequence[Replay]) -> Motion:
    """The motion over one run, or over several of which each begins where the last ended."""
    masks = [run.valid for run in runs if run.valid is not None]
    return motion_of(
        runs[0].kind,
        _kept(runs[0].weights),  # the model's own may change once its forward is over
        torch.cat([*(_states(run)[:-1] for run in runs), runs[-1].final.unsqueeze(0)]),
        torch.cat([run.x for run in runs]).clone(),
        torch.cat(masks) if len(masks) == len(runs) else None,
    )


def _states(run: Replay) -> Float[Tensor, "T1 B N"]:
    """The states before each step, and the last, where the way back has met the run or has not."""
    pieces = [piece for _, piece in replace(run, pieces=[]).stretches()][::-1]
    return torch.cat([*(piece.states[:-1] for piece in pieces), run.final.unsqueeze(0)])


def _kept(weights: Weights) -> Weights:
    rest = (weights.bias_input, weights.bias_hidden, weights.projection)
    optional = (w if w is None else w.clone() for w in rest)
    return Weights(weights.input.clone(), weights.hidden.clone(), *optional)
