"""What a task asks for by its own rule: which inputs decide the answer, and how far on."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..tasks._task import Task
from ..types import Sequences
from ._contract import claim

ROUNDING = 1e-9
"""How far two float64 ways to one number may come apart."""


def check_rule(task: Task, drawn: Sequences) -> None:
    """`answer` says what was asked, whatever the distractors are, and looks at the rest."""
    given = drawn.inputs.clone()
    rule = task.answer(drawn.inputs)
    informative, distractors = task.informative(drawn.inputs), task.distractors(drawn.inputs)
    claim(torch.equal(given, drawn.inputs), "the rule writes into its inputs")
    for name, steps in (("informative", informative), ("distractors", distractors)):
        fits = steps.shape == drawn.alive.shape and steps.dtype == torch.bool
        claim(fits, f"{name} is not one truth value for each step")
        claim(not steps[~drawn.alive].any(), f"{name} points behind the end of a sequence")
    claim(not (informative & distractors).any(), "a step is both informative and a distractor")
    claim(bool(informative.any()), "no step is informative")
    if rule is None:
        return
    claim(rule.shape == drawn.answers.shape, f"the rule answers with {tuple(rule.shape)}")
    claim(not _changed(rule, drawn).any(), "the rule says other answers than those asked for")
    shuffled = given.clone()
    pool = shuffled[distractors]
    shuffled[distractors] = pool[
        torch.randperm(len(pool), generator=torch.Generator().manual_seed(0))
    ]
    moved = task.answer(shuffled)
    assert moved is not None
    claim(not _changed(moved, drawn).any(), "the answer changes with the distractors")


def check_lag(task: Task, drawn: Sequences) -> None:
    """The first informative input decides an answer as far on as the lag says."""
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
    claim(bool(decided.any()), "the answer does not change with the informative inputs")
    steps = torch.arange(len(decided))[:, None, None].expand_as(decided)
    far = torch.where(decided, steps - first, -1).amax(0)
    far = far[decided.any(0) & informative.any(0)]
    low, high = task.lag
    found = f"between {int(far.min())} and {int(far.max())} steps on"
    claim(int(far.min()) >= low, f"the first input decides {found}, the minimal lag is {low}")
    if high is not None:
        claim(low <= high, f"the minimal lag {low} is more than the maximal {high}")
        claim(int(far.max()) <= high, f"the first input decides {found}, the maximum is {high}")


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
