"""A group of trials in lockstep, each until it is solved, diverged, or at the end of its budget.

A group always has `size` rows, the seeds from a multiple of `size` on, whichever of them are
wanted: a trial stands in the same row of the same shapes however many are asked for, so its numbers
come out the same, bit for bit. Rows that are done, or not wanted, go on unread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool

from ..engine.reference import running
from ..learners._learner import Learner, Memory
from ..problem import Problem, Trials
from ..results.run import Outcome
from ..types import Params, of_trial
from ._curve import Curve
from ._exam import Last, graded
from ._feed import Feed
from ._judge import Judge

POINTS = 200
"""Points of a learning curve, about."""


@dataclass(frozen=True)
class Plan:
    """How the trials of a group are run."""

    problem: Problem
    learner: Learner
    sequences: int
    """The budget of a trial, in sequences presented."""

    check: int
    """Sequences between two looks at the criterion."""

    dtype: torch.dtype = torch.float32
    device: str = "cpu"


@dataclass(frozen=True)
class Moment:
    """A group between two steps of learning."""

    sequences: int
    seeds: tuple[int, ...]
    params: Params
    """[R, ...], in the order of `seeds`."""

    open_to: Bool[np.ndarray, " R"]
    """The trials that are wanted and still learning."""

    def of(self, seed: int) -> Params:
        """One trial's parameters, as tensors of their own that autograd may follow."""
        return _row(self.params, self.seeds.index(seed))


@dataclass(frozen=True)
class Finished:
    """What became of one trial."""

    seed: int
    outcome: Outcome
    sequences: int
    forward: float
    backward: float
    measures: dict[str, float]
    curve: dict[str, list[float]]


def run(
    plan: Plan,
    seeds: range,
    wanted: Bool[np.ndarray, " R"],
    *,
    watch: Callable[[Moment], None],
    deliver: Callable[[Finished], None],
) -> None:
    """Run a group.

    Args:
        plan: the problem, the learner, the budget.
        seeds: the seeds of all rows.
        wanted: the rows whose result is asked for.
        watch: called before each step of learning; what it raises ends the group.
        deliver: called with each wanted trial as soon as it is done.
    """
    with running():
        net = Trials(plan.problem)
        feed = Feed(plan.problem.task, seeds, plan.dtype, plan.device)
        params = net.parameters(seeds, plan.dtype, plan.device)
        memory = plan.learner.init(net, params, seeds)
        judge = Judge(net, feed)
        last = Last(len(seeds), max(plan.problem.task.criterion.last, 1))
        curve = Curve(len(seeds), max(plan.check, plan.sequences // POINTS))
        open_to, presented = wanted.copy(), 0
        for sequences in feed.sequences(plan.learner.presented):
            with torch.inference_mode(False):
                watch(Moment(presented, tuple(seeds), params, open_to.copy()))
            learned = plan.learner.step(net, params, memory, sequences)
            params, memory = learned.params, learned.memory
            right, error = graded(net, learned.outputs, sequences)
            last.add(right, error)
            curve.add(learned.loss.cpu().numpy(), right)
            before, presented = presented, presented + plan.learner.presented
            ended = presented + plan.learner.presented > plan.sequences
            if presented // plan.check == before // plan.check and not ended:
                continue
            curve.mark(presented, ended=ended)
            diverged = open_to & ~_finite(params)
            solved = judge.solved(params, last, open_to & ~diverged)
            unsolved = open_to & ~diverged & ~solved & ended
            ends: dict[Outcome, Bool[np.ndarray, " R"]] = {
                "diverged": diverged,
                "solved": solved,
                "unsolved": unsolved,
            }
            for outcome, rows in ends.items():
                for row in np.flatnonzero(rows).tolist():
                    measures = judge.measures(params, row)
                    if outcome == "solved":
                        measures |= judge.elsewhere(params, row)
                    if plan.problem.task.criterion.last:
                        measures |= last.measures(row)
                    measures |= counted(plan.learner, memory, row)
                    passes = passed(plan.learner, memory, row, presented)
                    points = curve.of(row, presented)
                    deliver(Finished(seeds[row], outcome, presented, *passes, measures, points))
            open_to &= ~(diverged | solved | unsolved)
            if not open_to.any():
                return


def counted(learner: Learner, memory: Memory, row: int) -> dict[str, float]:
    """What the learner of one trial counted."""
    return {name: float(value[row]) for name, value in learner.counted(memory).items()}


def passed(learner: Learner, memory: Memory, row: int, presented: int) -> tuple[float, float]:
    """Passes forward and passes back of one trial."""
    forward, backward = (
        float(it[row]) if isinstance(it, torch.Tensor) else float(it)
        for it in learner.passes(memory, presented)
    )
    return forward, backward


def _row(params: Params, row: int) -> Params:
    """One trial's parameters, as tensors that autograd may follow."""
    with torch.inference_mode(False):
        return {name: value.clone() for name, value in of_trial(params, row).items()}


def _finite(params: Params) -> Bool[np.ndarray, " R"]:
    finite = [value.isfinite().reshape(len(value), -1).all(1) for value in params.values()]
    return torch.stack(finite).all(0).cpu().numpy()
