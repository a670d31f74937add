"""What a task asks for by its own rule: which inputs decide the answer, and how far on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..draws import Draws
from ..tasks._task import Task
from ..types import Sequences
from ._contract import require

SEEDS = 3, 8

FEW = 16
"""Sequences that are drawn only to compare them with others."""

ROUNDING = 1e-9
"""How far two float64 ways to one number may come apart."""


@dataclass(frozen=True)
class Bench:
    """What a task is tried on: some sequences of two trials."""

    task: Task
    count: int
    seeds: tuple[int, ...] = SEEDS

    @cached_property
    def drawn(self) -> Sequences:
        """Drawn once for all claims, none of which may write into them."""
        return self.task.sample(Draws(self.seeds, "check", count=self.count))

    @property
    def few(self) -> int:
        """Sequences of the test set that are looked at."""
        return min(self.task.test, FEW)

    @cached_property
    def sets(self) -> dict[str, Sequences]:
        """The training set, where there is one, and a few of the test set."""
        sets = {}
        if self.task.training is not None:
            count = self.task.training
            sets["training"] = self.task.training_set(Draws(self.seeds, "set", count=count))
        draws = Draws(self.seeds, "test", count=self.few)
        sets["test"] = self.task.test_set(draws, sets.get("training"))
        return sets


def check_rule(bench: Bench) -> None:
    """`answer` says what was asked, whatever the distractors are, and looks at the rest."""
    task, drawn = bench.task, bench.drawn
    given = drawn.inputs.clone()
    rule = task.answer(drawn.inputs)
    informative, distractors = task.informative(drawn.inputs), task.distractors(drawn.inputs)
    require(torch.equal(given, drawn.inputs), "the rule writes into its inputs.")
    for name, steps in (("informative", informative), ("distractors", distractors)):
        fits = steps.shape == drawn.alive.shape and steps.dtype == torch.bool
        require(fits, f"{name} is not one truth value for each step.")
        require(not steps[~drawn.alive].any(), f"{name} points behind the end of a sequence.")
    require(not (informative & distractors).any(), "a step is both informative and a distractor.")
    require(bool(informative.any()), "no step is informative.")
    if rule is None:
        return
    require(rule.shape == drawn.answers.shape, f"the rule answers with {tuple(rule.shape)}.")
    for asked in (drawn, *bench.sets.values()):
        told = task.answer(asked.inputs)
        fits = told is not None and not _changed(told, asked).any()
        require(fits, "the rule says other answers than those asked for.")
    shuffled = given.clone()
    pool = shuffled[distractors]
    shuffled[distractors] = pool[
        torch.randperm(len(pool), generator=torch.Generator().manual_seed(0))
    ]
    moved = task.answer(shuffled)
    assert moved is not None
    require(not _changed(moved, drawn).any(), "the answer changes with the distractors.")


def check_lag(bench: Bench) -> None:
    """The first informative input decides an answer as far on as the lag says."""
    task, drawn = bench.task, bench.drawn
    informative = task.informative(drawn.inputs)
    first = informative.double().argmax(0)
    decided = drawn.scored > 0
    for ranks in (1, len(informative)):
        # The first alone, or all of them together where it is one of several that say the same.
        moved = task.answer(_transplanted(drawn.inputs, informative, ranks))
        if moved is None:
            break
        decided = _changed(moved, drawn)
        if decided.any():
            break
    require(bool(decided.any()), "the answer does not change with the informative inputs.")
    steps = torch.arange(len(decided))[:, None, None].expand_as(decided)
    far = torch.where(decided, steps - first, -1).amax(0)
    far = far[decided.any(0) & informative.any(0)]
    low, high = task.lag
    found = f"between {int(far.min())} and {int(far.max())} steps on"
    require(int(far.min()) >= low, f"the first input decides {found}, the minimal lag is {low}.")
    if high is not None:
        require(low <= high, f"the minimal lag {low} is more than the maximal {high}.")
        require(int(far.max()) <= high, f"the first input decides {found}, the maximum is {high}.")


def _transplanted(
    inputs: Float[Tensor, "T R B I"], informative: Bool[Tensor, "T R B"], ranks: int
) -> Float[Tensor, "T R B I"]:
    """Inputs whose first `ranks` informative ones are those of the sequence before, in order."""
    order = (~informative).to(torch.uint8).sort(dim=0, stable=True).indices
    index = order[..., None].expand_as(inputs)
    own = inputs.gather(0, index)
    count = informative.sum(0)
    shared = torch.minimum(count, count.roll(1, 1)).clamp(max=ranks)
    taken = torch.arange(len(inputs))[:, None, None] < shared
    return inputs.scatter(0, index, torch.where(taken[..., None], own.roll(1, 2), own))


def _changed(rule: Tensor, drawn: Sequences) -> Bool[Tensor, "T R B"]:
    """The scored steps at which a rule's answer is not the one asked for."""
    return ((rule - drawn.answers).abs() > ROUNDING).any(-1) & (drawn.scored > 0)
