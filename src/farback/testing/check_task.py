"""The contract of a task, as a battery that anybody can run on a task of their own.

A task that passes draws the same sequences again from the same seeds, gives each trial numbers of
its own, takes the right answer for right and no other number that is not finite, scores its stated
baseline, and asks for what its own rule says: for the informative inputs at the stated lag, and not
for the distractors.

    >>> from farback import tasks
    >>> check_task(tasks.EmbeddedReber(), count=64)
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.func import grad, vmap
from torch.fx.experimental.proxy_tensor import make_fx

from ..draws import Draws
from ..tasks._criterion import EVIDENCE, Tally
from ..tasks._task import Task
from ..types import Sequences
from ._contract import check_configuration, claim
from ._task_rule import ROUNDING, check_lag, check_rule

_SEEDS = 3, 8
_STANDARD_ERRORS = 5.0
"""How far a measured mean may lie from the stated one."""

_FEW = 16
"""Sequences of a set that is drawn only to compare it with another."""


def check_task(task: Task, *, count: int = 200) -> None:
    """Hold a task against everything that a task promises.

    Args:
        task: the task, with whatever choices are to be tried.
        count: how many sequences of each of two trials to draw.

    Raises:
        AssertionError: the first promise that it breaks, in one sentence.
    """
    check_configuration(task)
    try:
        before = _random_states()
        drawn = task.sample(Draws(_SEEDS, "check", count=count))
        claim(_random_states() == before, "sample draws from a random state that all share")
        _check_shapes(task, drawn, count)
        _check_streams(task, drawn)
        _check_judgement(task, drawn)
        _check_criterion(task, drawn)
        _check_baseline(task, drawn)
        _check_loss(task)
        check_rule(task, drawn)
        check_lag(task, drawn)
    except AssertionError as broken:
        raise AssertionError(f"{type(task).__name__}: {broken}.") from None


def _check_shapes(task: Task, drawn: Sequences, count: int) -> None:
    steps, batch = len(drawn.alive), (len(_SEEDS), count)
    shapes = {
        "inputs": (steps, *batch, task.inputs),
        "targets": (steps, *batch, task.outputs),
        "answers": (steps, *batch, task.outputs),
        "scored": (steps, *batch),
        "alive": (steps, *batch),
    }
    for name, shape in shapes.items():
        value = getattr(drawn, name)
        dtype = torch.bool if name == "alive" else torch.float64
        claim(value.dtype == dtype, f"{name} is {value.dtype}, expected {dtype}")
        claim(value.shape == shape, f"{name} is {tuple(value.shape)}, expected {shape}")
        claim(bool(value.isfinite().all()), f"{name} holds a number that is not finite")
    alive, scored = drawn.alive, drawn.scored
    claim(bool(alive[0].all()), "a sequence has no first step")
    claim(bool((alive[:-1] | ~alive[1:]).all()), "a sequence goes on behind its end")
    claim(bool(((scored == 0) | (scored == 1)).all()), "scored holds more than 0 and 1")
    claim(bool((scored.sum(0) > 0).all()), "a sequence has no scored step")
    claim(not scored[~alive].any(), "a step behind the end is scored")
    claim(not drawn.inputs[~alive].any(), "an input behind the end is not zero")


def _check_streams(task: Task, drawn: Sequences) -> None:
    """Every number depends on the trial's seed and the sequence's number alone."""
    few = task.sample(Draws(_SEEDS, "check", count=_FEW))
    again = task.sample(Draws(_SEEDS, "check", count=_FEW))
    claim(_same(few, again), "the same draws give different sequences")
    alone = task.sample(Draws(_SEEDS[1:], "check", count=_FEW))
    claim(_same(_trial(few, 1), alone), "a trial's sequences depend on the trials beside it")
    later = task.sample(Draws(_SEEDS, "check", first=5, count=_FEW - 5))
    claim(_same(few.rows(5, _FEW - 5), later), "a sequence depends on those drawn before it")
    claim(not _same(_trial(drawn, 0), _trial(drawn, 1)), "two seeds give the same sequences")

    sets = _sets(task, _SEEDS), _sets(task, _SEEDS[1:])
    for name, together, alone in zip(("training", "test"), *sets, strict=True):
        if together is not None and alone is not None:
            same = _same(_trial(together, 1), alone)
            claim(same, f"a trial's {name} set depends on the trials beside it")


def _sets(task: Task, seeds: Sequence[int]) -> tuple[Sequences | None, Sequences]:
    """The training set, and some of the test set, of each seed."""
    training = None
    if task.training is not None:
        training = task.training_set(Draws(seeds, "training set", count=task.training))
        found = training.alive.shape[2]
        claim(
            found == task.training, f"the training set has {found} sequences, not {task.training}"
        )
    few = min(task.test, _FEW)
    test = task.test_set(Draws(seeds, "test", count=few), training)
    claim(test.alive.shape[2] == few, f"asked for {few} test sequences, it gave another number")
    return training, test


def _check_judgement(task: Task, drawn: Sequences) -> None:
    """The right answer is right, for one sequence as for all; one that is not finite never is."""
    for dtype in (torch.float64, torch.float32):
        asked = drawn.to(dtype)
        perfect = task.perfect(asked.answers)
        right = task.right(perfect, asked)
        claim(right.shape == asked.alive.shape[1:], f"right is {tuple(right.shape)}")
        claim(bool(right.all()), f"a perfect answer in {dtype} is not right")
    outputs = task.perfect(drawn.answers)
    error = task.error(outputs, drawn)
    claim(error.shape == drawn.alive.shape[1:], f"error is {tuple(error.shape)}")

    single = drawn.one(0, 0)
    alone = task.perfect(single.answers)
    claim(bool(task.right(alone, single)), "a perfect answer to one sequence alone is not right")
    off = abs(float(task.error(alone, single) - error[0, 0]))
    claim(off < ROUNDING, "the error of one sequence alone is another than among others")

    for value in (torch.nan, torch.inf, -torch.inf):
        last = _last(drawn.scored > 0)
        broken = torch.where(last[..., None], value, outputs)
        claim(not task.right(broken, drawn).any(), f"an answer of {value} is taken as right")
    silent = task.perfect(drawn.answers)
    silent[drawn.scored == 0] = torch.nan
    claim(bool(task.right(silent, drawn).all()), "an output at a step not scored is judged")


def _check_criterion(task: Task, drawn: Sequences) -> None:
    """Knowing every answer solves it; knowing none, or a number that is not finite, does not."""
    criterion = task.criterion
    unknown = set(criterion.on) - set(EVIDENCE)
    claim(bool(criterion.on) and not unknown, f"the criterion looks at {criterion.on}")
    claim("last" not in criterion.on or criterion.last > 0, "it looks back at no sequence")
    fixed = "training" not in criterion.on or task.training is not None
    claim(fixed, "the criterion looks at a training set and there is none")
    claim((criterion.test or 0) <= task.test, "the criterion asks for more than the test set")

    outputs = task.perfect(drawn.answers)
    broken = torch.where(_last(drawn.scored > 0)[..., None], torch.nan, outputs)
    for given, solved in ((outputs, True), (broken, False)):
        wrong = (~task.right(given, drawn)).sum(1).numpy()
        tally = Tally(wrong, task.error(given, drawn).mean(1).numpy(), drawn.alive.shape[2])
        met = criterion.met(dict.fromkeys(EVIDENCE, tally))
        what = "knows every answer is not" if solved else "answers with nan is"
        claim(bool((met == solved).all()), f"a net that {what} counted as solved")


def _check_baseline(task: Task, drawn: Sequences) -> None:
    """The constant answer scores what is stated, within sampling error."""
    baseline = task.baseline
    if baseline is None:
        return
    answer = torch.tensor(baseline.answer, dtype=torch.float64)
    claim(answer.shape == (task.outputs,), f"the baseline has {len(answer)} outputs")
    outputs = answer.expand_as(drawn.answers).contiguous()
    right = float(task.right(outputs, drawn).double().mean())
    spread = (baseline.right * (1 - baseline.right) / drawn.alive[0].numel()) ** 0.5
    claim(
        abs(right - baseline.right) <= _STANDARD_ERRORS * spread + ROUNDING,
        f"the constant answer is right on {right:.4g}, stated is {baseline.right:.4g}",
    )
    losses = _losses(task, outputs, drawn) * (2 if _is_half_square(task) else 1)
    mean = float(losses.sum() / drawn.scored.sum())
    off = (losses - mean * drawn.scored).sum(0)
    spread = float((off**2).sum() ** 0.5 / drawn.scored.sum())
    claim(
        abs(mean - baseline.error) <= _STANDARD_ERRORS * spread + ROUNDING,
        f"the constant answer's error is {mean:.5g}, stated is {baseline.error:.5g}",
    )
    known = _losses(task, task.perfect(drawn.answers), drawn).sum()
    blind = _losses(task, outputs, drawn).sum()
    claim(bool(known < blind), "the constant answer has no more loss than the perfect one")


def _check_loss(task: Task) -> None:
    """`loss` is one number, traceable under grad and vmap, and its derivative is true."""
    generator = torch.Generator().manual_seed(0)
    outputs, targets, others, direction = torch.rand(
        4, 5, task.outputs, generator=generator, dtype=torch.float64
    )
    kept = task.loss(outputs[0].float(), targets[0].float())
    claim(kept.shape == (), f"loss is of shape {tuple(kept.shape)}, expected one number")
    claim(kept.dtype == torch.float32, f"loss makes {kept.dtype} of float32")

    def mapped(outputs: Tensor, targets: Tensor) -> Tensor:
        return vmap(grad(task.loss))(outputs, targets)

    try:
        traced = make_fx(mapped)(outputs, targets)
    except Exception as reason:
        raise AssertionError(f"loss cannot be traced by make_fx: {reason}") from None
    found = traced(others, targets)
    claim(torch.equal(found, mapped(others, targets)), "loss traced is another function")
    step = 1e-5 * direction
    slope = vmap(task.loss)(others + step, targets) - vmap(task.loss)(others - step, targets)
    off = (slope - 2 * (found * step).sum(1)).abs().max()
    claim(float(off) < 1e-12, "the derivative of loss differs from finite differences")


def _losses(task: Task, outputs: Tensor, drawn: Sequences) -> Float[Tensor, "T R B"]:
    flat = vmap(task.loss)(outputs.flatten(0, 2), drawn.answers.flatten(0, 2))
    return torch.where(drawn.scored > 0, flat.reshape(drawn.scored.shape), 0.0)


def _is_half_square(task: Task) -> bool:
    one, other = torch.linspace(0.1, 0.9, 2 * task.outputs, dtype=torch.float64).chunk(2)
    return bool((task.loss(one, other) - Task.loss(task, one, other)).abs() < ROUNDING)


def _last(steps: Bool[Tensor, "T R B"]) -> Bool[Tensor, "T R B"]:
    """Only the last of the steps that are true."""
    return steps & (steps.flip(0).cumsum(0).flip(0) == 1)


def _same(one: Sequences, other: Sequences) -> bool:
    """Equal, however far each is padded behind the end."""
    steps = max(len(one.alive), len(other.alive))
    pairs = [
        (getattr(one.padded(steps), it.name), getattr(other.padded(steps), it.name))
        for it in fields(one)
    ]
    return all(torch.equal(mine, theirs) for mine, theirs in pairs)


def _trial(drawn: Sequences, number: int) -> Sequences:
    """One trial of several, with its axis R."""
    return Sequences(
        **{it.name: getattr(drawn, it.name)[:, number : number + 1] for it in fields(drawn)}
    )


def _random_states() -> tuple[str, ...]:
    states = torch.get_rng_state().numpy().tobytes(), np.random.get_state(), random.getstate()
    return tuple(map(repr, states))
