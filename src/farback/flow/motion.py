"""The motion of a state: the map that moves it, its differential, and where a batch led it.

    (1)  s_{p+1} = F(s_p, x_p),   p = 0 ... T - 1 in the order of processing
    (2)  v' = J v   and   a' = J^T a,   J = dF/ds at (s_p, x_p)

(1) is the same map at every step; what changes is the input. So a motion can be followed along its
batch, from other states, or under one constant input. J is never needed as a matrix to follow a few
directions: they are pushed forward or pulled back.

Axes: T steps, B rows of the batch, M points of any kind, N state, I input, K directions.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.func import jvp, vmap

_BLOCK = 32
"""Steps whose local derivatives are made at once."""


class Differential(ABC):
    """J at M points."""

    @abstractmethod
    def push(self, directions: Float[Tensor, "K M N"]) -> Float[Tensor, "K M N"]:
        """J v, (2)."""

    @abstractmethod
    def pull(self, adjoints: Float[Tensor, "K M N"]) -> Float[Tensor, "K M N"]:
        """J^T a, (2)."""

    @abstractmethod
    def matrix(self) -> Float[Tensor, "M N N"]:
        """J itself, one row for each entry of the state after the step."""

    @abstractmethod
    def rows(self, where: slice | list[int]) -> Differential:
        """The same at some of the points."""


Step = Callable[[Float[Tensor, "M N"], Float[Tensor, "M I"]], Float[Tensor, "M N"]]


@dataclass(frozen=True)
class Motion:
    """A chain of states, and the map behind it.

    `valid` tells which steps of which rows exist (None: all); a row without a step rests.
    `differential(state [M, N], x [M, I])` is J there; without one of its own, autograd's.
    """

    states: Float[Tensor, "T1 B N"]
    inputs: Float[Tensor, "T B I"]
    step: Step
    blocks: Mapping[str, slice]
    valid: Bool[Tensor, "T B"] | None = None
    closed_form: Callable[[Tensor, Tensor], Differential] | None = None

    def at(self, state: Float[Tensor, "M N"], x: Float[Tensor, "M I"]) -> Differential:
        """The differential of the step at M points, each under an input of its own."""
        return (self.closed_form or partial(ByAutograd, self.step))(state, x)

    def along(self, first: int = 0, stop: int | None = None) -> Iterator[Differential]:
        """The differentials of the steps [first, stop) of the batch, one after the other."""
        stop = len(self.inputs) if stop is None else stop
        rows = self.states.shape[1]
        for start in range(first, stop, _BLOCK):
            steps = range(start, min(start + _BLOCK, stop))
            states = self.states[steps.start : steps.stop].flatten(0, 1)
            block = self.at(states, self.inputs[steps.start : steps.stop].flatten(0, 1))
            for number, p in enumerate(steps):
                here = block.rows(slice(number * rows, (number + 1) * rows))
                yield here if self.valid is None else Resting(here, self.valid[p])


@dataclass(frozen=True)
class ByAutograd(Differential):
    """J of a step that is known as a torch function alone."""

    step: Step
    state: Float[Tensor, "M N"]
    x: Float[Tensor, "M I"]

    @torch.no_grad()
    def push(self, directions: Tensor) -> Tensor:
        def moved(state: Tensor) -> Tensor:
            return self.step(state, self.x)

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # torch's own, at its first use
                return vmap(lambda v: jvp(moved, (self.state,), (v,))[1])(directions)
        except (RuntimeError, NotImplementedError):  # a function without a forward mode
            return torch.einsum("mij,kmj->kmi", self.matrix(), directions)

    def pull(self, adjoints: Tensor) -> Tensor:
        with torch.enable_grad():
            state = self.state.detach().requires_grad_()
            after = self.step(state, self.x)
            if not after.requires_grad:
                return torch.zeros_like(adjoints)
            pulled = partial(
                torch.autograd.grad,
                after,
                state,
                retain_graph=True,
                allow_unused=True,
                materialize_grads=True,
            )
            try:
                return pulled(adjoints, is_grads_batched=True)[0]
            except RuntimeError:  # a function that cannot be mapped over
                return torch.stack([pulled(adjoint)[0] for adjoint in adjoints])

    def matrix(self) -> Tensor:
        points, size = self.state.shape
        units = torch.eye(size, dtype=self.state.dtype, device=self.state.device)
        return self.pull(units.unsqueeze(1).expand(size, points, size)).transpose(0, 1)

    def rows(self, where: slice | list[int]) -> ByAutograd:
        return ByAutograd(self.step, self.state[where], self.x[where])


@dataclass(frozen=True)
class Resting(Differential):
    """J where some rows have no step: there it is the identity."""

    moving: Differential
    valid: Bool[Tensor, " M"]

    def push(self, directions: Tensor) -> Tensor:
        return torch.where(self.valid[:, None], self.moving.push(directions), directions)

    def pull(self, adjoints: Tensor) -> Tensor:
        return torch.where(self.valid[:, None], self.moving.pull(adjoints), adjoints)

    def matrix(self) -> Tensor:
        moving = self.moving.matrix()
        return torch.where(
            self.valid[:, None, None], moving, torch.eye(*moving.shape[1:]).to(moving)
        )

    def rows(self, where: slice | list[int]) -> Resting:
        return Resting(self.moving.rows(where), self.valid[where])
