"""Recurrent cascade-correlation: a net learns what it can, then gets one more unit, and again.

Outputs: the weights of the outputs alone learn, along the gradient of the error, until that
changes no more. Candidates: a pool of units that nobody hears yet learn to go along with what is
left of the error, each by itself, so that

    S = sum_o |sum_t (V(t) - mean V) (E_o(t) - mean E_o)| / sum_to E_o(t)^2                  (1)

rises, until the best one's changes no more. That one is tenured: it becomes a unit of the net, its
weights are frozen for good, and it is heard with -c_o, its part of (1) without the bars, for its
weight to output o. Then outputs learn again. No error is carried back through a unit: (1) has its
derivative from a recursion forward in time (_candidates.py). Both kinds of weights go by Quickprop.

A step is one epoch: the whole training set once, of every trial in the phase that the trial is in.
A phase ends by stagnation, `patience` epochs behind the last change by more than a share of what
it was, or after `longest` epochs. `epochs` and `hidden` units are counted.

The paper tells the phases, the recursion, Quickprop and a pool of 8. All other numbers here are
those of the author's program for nets without recurrence, read in later copies of it: mu, decay and
epsilon (over the number of asked steps; for candidates, over what one sees as well), patience and
the two shares, [-1, 1] for a candidate's first weights, and the `offset` of 0.1 to the slope of an
output, in E_o = (dE/dy_o) (f'(net_o) + offset), with which an output that is flat and wrong learns
too. Also from there: the first epoch of a pool finds its correlations and changes no weight; the
signs that (1) is raised by, and what a unit is judged by and heard with, are from before the last
change of its weights; what Quickprop remembers of the outputs outlasts the phase of candidates.
Open beside that: when training ends, which is the task's criterion here, and `longest`.

Reference: S. E. Fahlman, The Recurrent Cascade-Correlation Architecture, 1991; S. E. Fahlman, C.
Lebiere, The Cascade-Correlation Learning Architecture, 1990 (not read).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .._dice import bare, plain
from ..cells.recurrent_cascade import RecurrentCascade
from ..engine.reference import Function, batched
from ..errors import WrongUsage, expect
from ..problem import CHUNK, Problem, Trials
from ..types import Params, Sequences
from . import _chance as chance
from ._candidates import Correlated, correlate, residual
from ._cascade import OUTPUTS, answered, cascade, tenured
from ._learner import Count, Learned, Learner, Memory, Passes, chosen
from .updates._update import Memory as UpdateMemory
from .updates.quickprop import Quickprop

Changed = tuple[Params, UpdateMemory]


@dataclass(frozen=True)
class CascadeCorrelation(Learner):
    """Grow a net of recurrent units.

    Args:
        batch: strings of the training set, all of which are seen in each step.
        pool: C, candidates for a unit.
        outputs: how the weights of the outputs change.
        candidates: how those of candidates change.
        offset: what is added to the slope of an output.
        output_change: the share by which the error must change to count.
        candidate_change: the same of the best candidate's correlation.
        patience: epochs without such a change.
        longest: epochs of a phase at most.
        width: candidates start uniform in [-width, width].
    """

    batch: int = 128
    pool: int = 8
    outputs: Quickprop = Quickprop(epsilon=0.35, mu=2.0, decay=0.0001)
    candidates: Quickprop = Quickprop(epsilon=1.0, mu=2.0, decay=0.0)
    offset: float = 0.1
    output_change: float = 0.01
    candidate_change: float = 0.03
    patience: int = 8
    longest: int = 100
    width: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, batch=self.batch, pool=self.pool)
        expect(1, patience=self.patience, longest=self.longest)
        for name in ("offset", "output_change", "candidate_change", "width"):
            if not 0 <= (value := getattr(self, name)) < math.inf:
                raise WrongUsage(
                    f"{name} came as {value}, expected a number of at least 0; try "
                    f"{name}={getattr(CascadeCorrelation, name)}."
                )

    @property
    def presented(self) -> int:
        return self.batch

    def passes(self, memory: Memory, presented: Count) -> Passes:
        return Passes(presented, 0.0)

    def fits(self, problem: Problem) -> None:
        """A cascade, and a training set that is seen whole where there is one."""
        cell, task = bare(problem.cell), plain(problem.task)
        if not isinstance(cell, RecurrentCascade):
            raise WrongUsage(
                f"CascadeCorrelation came with {cell!r}, expected the net that it grows; try "
                "RecurrentCascade(hidden=10)."
            )
        if task.training is not None and (not task.in_turn or task.training != self.batch):
            raise WrongUsage(
                f"CascadeCorrelation came with batch={self.batch} for {task!r}, expected all "
                f"{task.training} training sequences of a task that has them come in turn; try "
                f"batch={task.training}, and whole=True where the task has that choice."
            )

    def init(self, net: Trials, params: Params, seeds: Sequence[int]) -> Memory:
        bias = params["readout_bias"]
        none = bias.new_zeros(len(bias))
        hidden = (params["there"] > 0.5).to(none).sum(1)
        size = params["readout"].shape[2] + 1
        pool = {
            "weights": bias.new_zeros(len(bias), self.pool, size),
            "own": bias.new_zeros(len(bias), self.pool),
        }
        return {
            "chance": chance.begin(seeds, bias),
            "outputs": _begin(self.outputs)({name: params[name] for name in OUTPUTS}),
            "pool": pool,
            "candidates": _begin(self.candidates)(pool),
            "correlations": bias.new_zeros(len(bias), self.pool, bias.shape[1]),
            "growing": none,
            "turn": none.clone(),  # epochs of this phase
            "mark": none.clone(),  # the error or correlation that changes are told from
            "quits": none.clone(),  # the turn at which the phase ends
            "epochs": none.clone(),
            "hidden": hidden,
            "sees": hidden + size - params["there"].shape[1],  # what a candidate sees
        }

    def step(self, net: Trials, params: Params, memory: Memory, sequences: Sequences) -> Learned:
        asked = sequences.padded(CHUNK)
        found = answered(net, params, asked, self.offset)
        left = residual(found.errors, asked.scored > 0)
        growing = memory["growing"] > 0
        memory = memory | {"turn": memory["turn"] + 1, "epochs": memory["epochs"] + 1}

        weights, share = {name: params[name] for name in OUTPUTS}, 1 / left.steps.clamp(min=1)
        changed, remembered = _descend(self.outputs)(
            weights, found.gradient, memory["outputs"], share
        )
        params = params | chosen(growing, weights, changed)
        memory = memory | {"outputs": chosen(growing, memory["outputs"], remembered)}
        measure = found.loss.sum(1)
        # Nothing depends on it but time: what a phase gives is taken by trials in it alone.
        if growing.any():
            signs = torch.where(memory["correlations"] < 0, -1.0, 1.0).to(measure)
            told = correlate(
                cascade(net).squashing, memory["pool"], found.seen, asked.alive, left, signs
            )
            memory = memory | self._trained(memory, growing, told, share)
            best = told.correlations.abs().sum(-1).amax(1)
            measure = torch.where(growing, best, measure)
        memory, ended = self._watched(memory, growing, measure)
        params, memory = self._turned(params, memory, ended)
        return Learned(params, memory, found.outputs, found.loss)

    def counted(self, memory: Memory) -> dict[str, Float[Tensor, " R"]]:
        """Epochs of both phases, and tenured units."""
        return {name: memory[name] for name in ("epochs", "hidden")}

    def _trained(
        self, memory: Memory, growing: Bool[Tensor, " R"], told: Correlated, share: Tensor
    ) -> Memory:
        """The pool after an epoch of those trials that have one."""
        down = {name: -value for name, value in told.uphill.items()}
        scale = share / memory["sees"]
        changed, remembered = _descend(self.candidates)(
            memory["pool"], down, memory["candidates"], scale
        )
        later = growing & (memory["turn"] > 1)
        return {
            "pool": chosen(later, changed, memory["pool"]),
            "candidates": chosen(later, remembered, memory["candidates"]),
            "correlations": chosen(growing, told.correlations, memory["correlations"]),
        }

    def _watched(
        self, memory: Memory, growing: Bool[Tensor, " R"], measure: Float[Tensor, " R"]
    ) -> tuple[Memory, Bool[Tensor, " R"]]:
        """Which trials end their phase with this epoch."""
        turn = memory["turn"] - growing.to(measure)  # a pool's first epoch changes no weight
        first = turn <= 1
        share = torch.where(growing, self.candidate_change, self.output_change)
        moved = ~first & ((measure - memory["mark"]).abs() > share * memory["mark"])
        # A pool is waited for until its best has changed once.
        quits = torch.where(growing, torch.inf, self.patience).to(measure)
        quits = torch.where(moved, turn + self.patience, torch.where(first, quits, memory["quits"]))
        ended = ~moved & (turn >= quits) | (turn >= self.longest)
        mark = torch.where(first | moved, measure, memory["mark"])
        return memory | {"mark": mark, "quits": quits}, ended

    def _turned(
        self, params: Params, memory: Memory, ended: Bool[Tensor, " R"]
    ) -> tuple[Params, Memory]:
        """On to the next phase, where one ended."""
        growing, none = memory["growing"] > 0, torch.zeros_like(memory["turn"])
        room = memory["hidden"] < params["there"].shape[1]
        begins, grown = ended & ~growing & room, ended & growing
        drawn = memory["pool"]
        if begins.any():
            size = drawn["weights"].shape[2]
            numbers = chance.rolled(memory["chance"], self.pool * (size + 1))
            numbers = self.width * (2 * numbers - 1)
            split = numbers.reshape(len(numbers), self.pool, size + 1)
            drawn = {"weights": split[..., :-1], "own": split[..., -1]}
        fresh = {"pool": drawn, "candidates": _begin(self.candidates)(drawn)}
        before = {name: memory[name] for name in fresh}
        taken = tenured(params, memory["pool"], memory["correlations"])
        added = grown.to(none)
        memory = memory | chosen(begins, fresh, before)
        memory = memory | {
            "chance": chance.passed(memory["chance"]),
            "growing": torch.where(begins, 1.0, torch.where(grown, 0.0, memory["growing"])),
            "turn": torch.where(begins | grown, none, memory["turn"]),
            "hidden": memory["hidden"] + added,
            "sees": memory["sees"] + added,
        }
        return chosen(grown, taken, params), memory


@cache
def _begin(update: Quickprop) -> Function:
    return batched(update.init, (0,))


@cache
def _descend(update: Quickprop) -> Function:
    """A step of the update with a share of its epsilon."""

    def descend(params: Params, gradient: Params, memory: UpdateMemory, share: Tensor) -> Changed:
        step, remembered = update.scaled(gradient, memory, params, share)
        return {name: value - step[name] for name, value in params.items()}, remembered

    return batched(descend, (0, 0, 0, 0))
