"""Expectation maximisation: targets are propagated to states, and probabilities follow them.

E step: the expected counts n of every transition (and output), given inputs and targets. M step,
exact, for tables of probabilities with the rows phi_j.(symbol):

    phi_ji <- n_ji / sum_i n_ji,   n_ji = phi_ji g_ji,   g = dlog L/dphi                    (1)

for a row that was used; each step raises the likelihood of its sequences or leaves it. Generalised,
for networks: a step of an update along the gradient of Q, which is that of log L,

    W <- W + scale update(mean dF/dW),   F = log L + determinant mean_t |det phi(x(t))|     (2)

The determinant is 1 where transitions only exchange states and 0 where two states are treated
alike: it fights the diffusion of credit. In tables the row of a g with negative numbers is raised
by the smallest constant that leaves none, after which (1) is the growth transformation of rational
functions. Stochastic ascent (few sequences a step) has a `scale` of each trial's own, 1 at first:
after each `window` sequences it is multiplied by `fall` where their mean log-likelihood is more
than `gain` above that of as many before, and by `rise` where it is flat or lower, within
[1/highest, highest]. The source gives no numbers for this rule; `fall` and `rise` of 1 are none.

The likelihood is the learner's own: a target must name a class. What is judged is the task's error
of what the cell reads, as everywhere.

Reference: Y. Bengio, P. Frasconi, Credit Assignment through Time: Alternatives to Backpropagation,
1993, section 6; Y. Bengio, P. Frasconi, An Input Output HMM Architecture, 1994, section 3; P. S.
Gopalakrishnan and others, An Inequality for Rational Functions, 1991.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor

from .._dice import bare
from ..cells._state_distribution import StateDistribution
from ..draws import Draws
from ..engine.reference import Function, batched
from ..errors import WrongUsage, expect
from ..problem import CHUNK, Problem, Trials, read, unroll
from ..types import Params, Sequences
from ._learner import Count, Learned, Learner, Memory, Passes, chosen
from ._likelihood import likelihood, values
from .updates._update import Memory as UpdateMemory
from .updates._update import Update

_TRIED = 32
"""Sequences that tell what a task's targets are."""

_SAME = 1e-6
"""A target that is no further off a class is that class."""


@dataclass(frozen=True)
class ExpectationMaximization(Learner):
    """EM, exact for tables, generalised for networks.

    Args:
        batch: sequences of a step, such as the whole of a fixed training set.
        update: what makes a step of the gradient, for networks; None for the exact M step.
        determinant: what the mean |det| of the transition matrices counts for, beside log L.
        fall: factor of the scale where the likelihood improves.
        rise: factor of the scale where it is flat.
        window: sequences whose mean log-likelihood is compared with that of as many before.
        gain: the improvement, in nats, up to which it is flat.
        highest: the largest scale, and one over the smallest.
    """

    batch: int = 100
    update: Update | None = None
    determinant: float = 0.0
    fall: float = 1.0
    rise: float = 1.0
    window: int = 100
    gain: float = 0.01
    highest: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, batch=self.batch, rise=self.rise, window=self.window, highest=self.highest)
        expect(0, determinant=self.determinant, gain=self.gain)
        if not 0 < self.fall <= 1:
            raise WrongUsage(f"fall came as {self.fall}, expected above 0, up to 1; try fall=0.9.")
        if self.update is None and (self.fall, self.rise) != (1, 1):
            raise WrongUsage(
                f"fall={self.fall} and rise={self.rise} came without an update, expected 1 for an "
                "exact M step, which has no rate; try update=SGD(lr=0.5)."
            )

    @property
    def presented(self) -> int:
        return self.batch

    @property
    def keeps_probabilities(self) -> bool:
        return True

    def passes(self, memory: Memory, presented: Count) -> Passes:
        """The answer is one forward; the E step, which knows the targets, one more and one back."""
        return Passes(2 * presented, presented)

    def fits(self, problem: Problem) -> None:
        """States with a distribution, the M step that suits them, and targets that name classes."""
        cell, task = bare(problem.cell), problem.task
        if not isinstance(cell, StateDistribution):
            raise WrongUsage(
                f"ExpectationMaximization came with {cell!r}, expected a cell whose state is a "
                "distribution over states; try StateNetwork() or IOHMM()."
            )
        if cell.dice:
            raise WrongUsage(
                f"ExpectationMaximization came with {cell!r}, whose steps are decided by dice, "
                "expected one whose distribution is all; try StateNetwork() or IOHMM()."
            )
        if (cell.bounds is None) == (self.update is None):
            raise WrongUsage(
                "ExpectationMaximization came without an update for a cell of networks, expected "
                "one; try update=SGD(lr=0.5), or tables such as bounds=(0.0,)."
                if self.update is None
                else f"ExpectationMaximization came with {self.update!r} for tables of "
                "probabilities, expected the exact M step; try update=None, or bounds=None."
            )
        problem.parameters(0)
        drawn = task.sample(Draws((0,), "size", count=_TRIED))
        asked = drawn.targets[drawn.scored > 0]
        classes = values(cell, asked)
        off = (asked.unsqueeze(1) - classes).abs().amax(-1).amin(1)
        if (off > _SAME).any():
            one, known = asked[off.argmax()].tolist(), classes.tolist()
            advice = "targets that the task asks for" if cell.targets else "a task of classes"
            raise WrongUsage(
                f"{task!r} asks for {one}, expected the name of a class, of {known}; try {advice}."
            )

    def init(self, net: Trials, params: Params, seeds: Sequence[int]) -> Memory:
        update = {} if self.update is None else _ascent(self.update)[0](params)
        none = next(iter(params.values())).new_zeros(len(next(iter(params.values()))))
        return {
            "update": update,
            "scale": none + 1,
            "count": none.clone(),
            "sum": none.clone(),
            "before": none.clone(),
            "compared": none.clone(),
        }

    def step(self, net: Trials, params: Params, memory: Memory, sequences: Sequences) -> Learned:
        assert isinstance(net.cell, StateDistribution)
        sequences = sequences.padded(CHUNK)
        answered = read(net, params, unroll(net, params, sequences), sequences)
        log, gradient = likelihood(net, net.cell, params, sequences, self.determinant)
        if self.update is None:
            changed, remembered = (
                {name: _maximal(it, gradient[name]) for name, it in params.items()},
                {},
            )
        else:
            down = {name: -value / self.batch for name, value in gradient.items()}
            ascend = _ascent(self.update)[1]
            changed, remembered = ascend(params, down, memory["update"], memory["scale"])
        memory = self._annealed(memory | {"update": remembered}, log)
        return Learned(changed, memory, answered.outputs, answered.loss.sum(0))

    def _annealed(self, memory: Memory, log: Float[Tensor, "R B"]) -> Memory:
        """The scale of the next step, from the likelihoods of this one."""
        count, total = memory["count"] + log.shape[1], memory["sum"] + log.sum(1)
        mean, ended = total / count, count >= self.window
        factor = torch.where(mean > memory["before"] + self.gain, self.fall, self.rise)
        scale = (memory["scale"] * factor).clamp(1 / self.highest, self.highest)
        none = torch.zeros_like(count)
        return memory | {
            "scale": chosen(ended & (memory["compared"] > 0), scale, memory["scale"]),
            "count": chosen(ended, none, count),
            "sum": chosen(ended, none, total),
            "before": chosen(ended, mean, memory["before"]),
            "compared": chosen(ended, none + 1, memory["compared"]),
        }


def _maximal(table: Float[Tensor, "*rows K"], gradient: Tensor) -> Float[Tensor, "*rows K"]:
    """Equation (1): rows in proportion to expected counts; a row that was not used stays."""
    lowest = gradient.amin(-1, keepdim=True).clamp(max=0)
    counts = table * (gradient - lowest)
    total = counts.sum(-1, keepdim=True)
    return torch.where(total > 0, counts / total, table)


@cache
def _ascent(update: Update) -> tuple[Function, Function]:
    """What an update remembers at first, and equation (2)."""

    def ascend(
        params: Params, down: Params, memory: UpdateMemory, scale: Tensor
    ) -> tuple[Params, UpdateMemory]:
        step, remembered = update(down, memory, params)
        return {name: value - scale * step[name] for name, value in params.items()}, remembered

    return batched(update.init, (0,)), batched(ascend, (0, 0, 0, 0))
