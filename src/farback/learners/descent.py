"""Gradient descent: a gradient, and an update that makes a step of it.

    params <- params - update(dE/dparams)

By default on-line: after each sequence. With `batch` sequences a step, E is the mean of their
errors. With `per_step`, the parameters change within a sequence, at every step at which an on-line
gradient (RTRL, truncated BPTT) accounts for errors, by their part of the gradient; the influence of
old parameters lives on in what it carries, as in the original algorithms.

Reference: R. J. Williams, D. Zipser, A Learning Algorithm for Continually Running Fully Recurrent
Neural Networks, 1989.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import torch

from .._named import users_code
from ..draws import Draws
from ..engine.native import Learning
from ..engine.reference import Function, batched
from ..errors import InputRefused, WrongUsage, a
from ..problem import Problem, Trials
from ..types import Params, Sequences
from ._learner import Compiled, Count, Learned, Learner, Memory, Passes, chosen
from .gradients._gradient import ErrorGradient, Gradient
from .gradients._online import Advanced, OnlineGradient
from .updates._update import Step, Update


@dataclass(frozen=True)
class Descent(Learner):
    """Descend along a gradient.

    Args:
        gradient: where the derivative comes from.
        update: what makes a step of it.
        batch: sequences of a step.
        per_step: whether the parameters change within a sequence, as soon as an error is known.
    """

    gradient: Gradient
    update: Update
    batch: int = 1
    per_step: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch < 1:
            raise WrongUsage(f"batch came as {self.batch}, expected at least 1; try batch=1.")
        if self.per_step and not isinstance(self.gradient, OnlineGradient):
            raise WrongUsage(
                f"per_step came with {self.gradient!r}, which knows the gradient at the end of a "
                "sequence only; try RTRL() or TruncatedBPTT(window=20, every=1)."
            )

    @property
    def presented(self) -> int:
        return self.batch

    def passes(self, memory: Memory, presented: Count) -> Passes:
        return Passes(presented, presented * self.gradient.backward_passes)

    def dice(self, problem: Problem) -> int:
        return self.gradient.dice(problem)

    def fits(self, problem: Problem) -> None:
        """Every cell and task will do; gradient and update must be shaped like the parameters."""
        params = problem.parameters(0)
        one = problem.task.sample(Draws((0,), "size")).to(torch.float64).one(0, 0).between(0, 2)
        with users_code(f"trying {self.gradient!r} on two steps"):
            found: Any = self.gradient(problem, params, one)
            if isinstance(self.gradient, OnlineGradient) and self.per_step:
                carry = self.gradient.begin(problem, params, one)
                advanced = self.gradient.advance(problem, params, carry, one, 0)
                _expect(self.gradient, advanced, Advanced)
        _expect(self.gradient, found, ErrorGradient)
        _expect_alike(self.gradient, found.gradient, params)
        with users_code(f"trying {self.update!r} on the parameters"):
            stepped: Any = self.update(params, self.update.init(params), params)
        _expect(self.update, stepped, Step)
        _expect_alike(self.update, stepped.step, params)

    def init(self, net: Trials, params: Params, seeds: Sequence[int]) -> Memory:
        return _init(self.update)(params)

    def step(self, net: Trials, params: Params, memory: Memory, sequences: Sequences) -> Learned:
        if self.per_step:
            return self._step_by_step(net, params, memory, sequences)
        found = self.gradient(net, params, sequences)
        changed, memory = self._updated(params, found.gradient, memory)
        return Learned(changed, memory, found.outputs, found.loss)

    def compiled(self, problem: Problem) -> Compiled | None:
        schedule = self.gradient.schedule(problem)
        if schedule is None:
            return None
        learning = Learning(
            self.update.init(problem.parameters(0)),
            update=lambda params, gradient, memory: descend(
                self.update, params, self._mean(gradient), memory
            ),
            batch=self.batch,
            per_step=self.per_step,
        )
        return Compiled(schedule, learning, self.gradient)

    def _step_by_step(
        self, net: Trials, params: Params, memory: Memory, sequences: Sequences
    ) -> Learned:
        assert isinstance(self.gradient, OnlineGradient)
        carry = self.gradient.begin(net, params, sequences)
        outputs, losses = [], []
        for t in range(sequences.steps):
            advanced = self.gradient.advance(net, params, carry, sequences, t)
            carry = advanced.carry
            changed, remembered = self._updated(params, advanced.gradient, memory)
            # A trial waits for its next block, and at the end for the longer trials beside it.
            due = advanced.due.any(-1)
            params, memory = chosen(due, changed, params), chosen(due, remembered, memory)
            outputs.append(advanced.outputs)
            losses.append(advanced.loss)
        return Learned(params, memory, torch.stack(outputs), torch.stack(losses).sum(0))

    def _updated(self, params: Params, gradient: Params, memory: Memory) -> tuple[Params, Memory]:
        return descended(self.update)(params, self._mean(gradient), memory)

    def _mean(self, gradient: Params) -> Params:
        if self.batch == 1:
            return gradient
        return {name: value / self.batch for name, value in gradient.items()}


def _expect(part: Gradient | Update, came: Any, kind: type[Any]) -> None:
    if not isinstance(came, kind):
        raise InputRefused(
            f"{part!r} gives {came!r}, expected {a(kind.__name__)}; try farback check."
        )


def _expect_alike(part: Gradient | Update, came: Any, params: Params) -> None:
    """Refuse what is no tree of the names and shapes of the parameters."""
    expected = {name: tuple(it.shape) for name, it in params.items()}
    found = {name: tuple(getattr(it, "shape", ())) for name, it in dict(came or {}).items()}
    if found != expected:
        raise InputRefused(
            f"{part!r} gives the shapes {found}, expected those of the parameters, {expected}; "
            "try farback check."
        )


@cache
def _init(update: Update) -> Function:
    return batched(update.init, (0,))


@cache
def descended(update: Update) -> Function:
    """One step of all trials."""
    return batched(partial(descend, update), (0, 0, 0))


def descend(
    update: Update, params: Params, gradient: Params, memory: Memory
) -> tuple[Params, Memory]:
    """One step of one trial."""
    step, remembered = update(gradient, memory, params)
    return {name: value - step[name] for name, value in params.items()}, remembered
