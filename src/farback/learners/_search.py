"""What learners share that look at nothing but how parameters do: no derivative is taken.

    candidate, memory = propose(params, memory, chance)             before the sequences of a step
    params, memory    = judge(candidate, memory, told, chance)      after them

Both are pure torch functions of one trial, so that the native engine runs a search with one trial
in each lane, and the reference engine all trials at once. `params` are what the trial is judged by.
What the net answers while it learns are the candidate's answers: a task that asks for so many right
ones in a row asks them of candidates, and a fixed training set suits a search better.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from torch import Tensor

from ..engine.native import Ahead, Learning, Told
from ..engine.reference import Function, batched
from ..errors import expect
from ..problem import CHUNK, Problem, Trials, answer
from ..types import Params, Sequences, of_trial
from . import _chance as chance
from ._learner import Compiled, Count, Learned, Learner, Memory, Passes, expect_weights

Tried = tuple[Params, Memory]


@dataclass(frozen=True)
class Search(Learner):
    """One way to search.

    Args:
        batch: sequences that a candidate is tried on at a step.
    """

    batch: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, batch=self.batch)

    @abstractmethod
    def chances(self, params: Params) -> int:
        """Numbers that it draws at a step."""

    @abstractmethod
    def begin(self, params: Params) -> Memory:
        """What one trial remembers before the first step: a dictionary of trees of tensors."""

    @abstractmethod
    def propose(self, params: Params, memory: Memory, chance: Tensor) -> Tried:
        """The candidate of a step.

        Args:
            params: what the step before left.
            memory: what it left too.
            chance: [chances] numbers uniform in [0, 1).
        """

    @abstractmethod
    def judge(self, params: Params, memory: Memory, told: Told) -> Tried:
        """What the candidate's answers make of it; its parameters are `params`."""

    @property
    def presented(self) -> int:
        return self.batch

    def passes(self, memory: Memory, presented: Count) -> Passes:
        return Passes(presented, 0.0)

    def fits(self, problem: Problem) -> None:
        """Every task, and every cell all of whose parameters may be tried."""
        expect_weights(problem, self)

    def init(self, net: Trials, params: Params, seeds: Sequence[int]) -> Memory:
        like = next(iter(params.values()))
        return {"chance": chance.begin(seeds, like)} | _begin(self)(params)

    def step(self, net: Trials, params: Params, memory: Memory, sequences: Sequences) -> Learned:
        drawn = chance.rolled(memory["chance"], self._numbers(params, 1))
        tried, memory = _propose(self)(params, memory, drawn)
        outputs, loss, right = _asked(net, tried, sequences)
        params, memory = _judge(self)(tried, memory, Told(loss, right, drawn))
        return Learned(params, memory, outputs, loss)

    def compiled(self, problem: Problem) -> Compiled:
        params = problem.parameters(0)
        own = chance.begin([0], next(iter(params.values())))
        learning = Learning(
            {"chance": of_trial(own, 0)} | self.begin(params),
            before=self.propose,
            after=self.judged,
            batch=self.batch,
            chances=self._numbers(params, 0),
        )
        return Compiled(Ahead(), learning)

    def _numbers(self, params: Params, first: int) -> int:
        """`chances` of a trial, whose axes begin at `first`."""
        return self.chances({name: it[(0,) * first] for name, it in params.items()})

    def judged(self, params: Params, memory: Memory, told: Told) -> Tried:
        """`judge`, and on to the next step's chance."""
        params, memory = self.judge(params, memory, told)
        return params, memory | {"chance": chance.passed(memory["chance"])}


def _asked(net: Trials, params: Params, sequences: Sequences) -> tuple[Tensor, ...]:
    """The outputs, [T, R, B, O], the errors, [R, B], and which sequences are right, [R, B]."""
    outputs, asked = answer(net, params, sequences), sequences.padded(CHUNK)
    loss = net.losses(outputs, asked.targets, asked.scored)
    return outputs, loss, net.task.right(outputs, asked).to(loss)


@cache
def _begin(search: Search) -> Function:
    return batched(search.begin, (0,))


@cache
def _propose(search: Search) -> Function:
    return batched(search.propose, (0, 0, 0))


@cache
def _judge(search: Search) -> Function:
    return batched(search.judged, (0, 0, 0))
