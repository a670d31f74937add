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
from collections.abc import Callable
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
from ._contract import check_configuration, keep, require, require_kind, same
from ._task_rule import FEW, ROUNDING, SEEDS, Bench, check_lag, check_rule

_STANDARD_ERRORS = 5.0
"""How far a measured mean may lie from the stated one."""


def check_task(task: Task, *, count: int = 200) -> None:
    """Hold a task to the contract.

    Args:
        task: an instance; try several, one for every choice that changes what is asked.
        count: how many sequences of each of two trials to draw.

    Raises:
        ContractBroken: the first claim that it breaks, and how.
    """
    require_kind(task, Task)
    keep(CLAIMS, Bench(task, count), repr(task))


def _check_purity(bench: Bench) -> None:
    check_configuration(bench.task)
    bench.task.sample(Draws(SEEDS, "check", count=1))  # what it imports may draw numbers
    before = _random_states()
    bench.task.sample(Draws(SEEDS, "check", count=FEW))
    require(_random_states() == before, "sample draws from a random state that all share.")
    for name, size in (("training", bench.task.training), ("test", bench.few)):
        if size is not None:
            found = bench.sets[name].alive.shape[2]
            require(found == size, f"asked for {size} sequences, the {name} set came with {found}.")


def _check_shapes(bench: Bench) -> None:
    task, drawn = bench.task, bench.drawn
    steps, batch = len(drawn.alive), (len(SEEDS), bench.count)
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
        require(value.dtype == dtype, f"{name} is {value.dtype}, expected {dtype}.")
        require(value.shape == shape, f"{name} is {tuple(value.shape)}, expected {shape}.")
        require(bool(value.isfinite().all()), f"{name} holds a number that is not finite.")
    alive, scored = drawn.alive, drawn.scored
    require(bool(alive[0].all()), "a sequence has no first step.")
    require(bool((alive[:-1] | ~alive[1:]).all()), "a sequence goes on behind its end.")
    require(bool(((scored == 0) | (scored == 1)).all()), "scored holds more than 0 and 1.")
    require(bool((scored.sum(0) > 0).all()), "a sequence has no scored step.")
    require(not scored[~alive].any(), "a step behind the end is scored.")
    require(not drawn.inputs[~alive].any(), "an input behind the end is not zero.")


def _check_streams(bench: Bench) -> None:
    """Every number depends on the trial's seed and the sequence's number alone."""
    task, drawn = bench.task, bench.drawn
    few = task.sample(Draws(SEEDS, "check", count=FEW))
    again = task.sample(Draws(SEEDS, "check", count=FEW))
    require(_same(few, again), "the same draws give different sequences.")
    alone = task.sample(Draws(SEEDS[1:], "check", count=FEW))
    require(_same(_trial(few, 1), alone), "a trial's sequences depend on the trials beside it.")
    later = task.sample(Draws(SEEDS, "check", first=5, count=FEW - 5))
    require(_same(few.rows(5, FEW - 5), later), "a sequence depends on those drawn before it.")
    require(not _same(_trial(drawn, 0), _trial(drawn, 1)), "two seeds give the same sequences.")

    others = Bench(task, bench.count, seeds=SEEDS[1:]).sets
    for name, together in bench.sets.items():
        own = _same(_trial(together, 1), others[name])
        require(own, f"a trial's {name} set depends on the trials beside it.")
    if bench.few > 1:
        draws = Draws(SEEDS, "test", first=1, count=bench.few - 1)
        later = task.test_set(draws, bench.sets.get("training"))
        rest = bench.sets["test"].rows(1, bench.few - 1)
        require(_same(rest, later), "a test sequence depends on those before it.")


def _check_judgement(bench: Bench) -> None:
    """The right answer is right, for one sequence as for all; one that is not finite never is."""
    task, drawn = bench.task, bench.drawn
    for dtype in (torch.float64, torch.float32):
        asked = drawn.to(dtype)
        perfect = task.perfect(asked.answers)
        right = task.right(perfect, asked)
        require(right.shape == asked.alive.shape[1:], f"right is {tuple(right.shape)}.")
        require(bool(right.all()), f"a perfect answer in {dtype} is not right.")
    outputs = task.perfect(drawn.answers)
    error = task.error(outputs, drawn)
    require(error.shape == drawn.alive.shape[1:], f"error is {tuple(error.shape)}.")

    single = drawn.one(0, 0)
    alone = task.perfect(single.answers)
    require(bool(task.right(alone, single)), "a perfect answer to one sequence alone is not right.")
    off = abs(float(task.error(alone, single) - error[0, 0]))
    require(off < ROUNDING, "the error of one sequence alone is another than among others.")

    for value in (torch.nan, torch.inf, -torch.inf):
        last = _last(drawn.scored > 0)
        broken = torch.where(last[..., None], value, outputs)
        require(not task.right(broken, drawn).any(), f"an answer of {value} is taken as right.")
    silent = torch.where((drawn.scored > 0)[..., None], outputs, torch.nan)
    require(bool(task.right(silent, drawn).all()), "an output at a step not scored is judged.")


def _check_criterion(bench: Bench) -> None:
    """Knowing every answer solves it; knowing none, or a number that is not finite, does not."""
    task, drawn = bench.task, bench.drawn
    criterion = task.criterion
    fixed = "training" not in criterion.on or task.training is not None
    require(fixed, "the criterion looks at a training set and there is none.")
    require((criterion.test or 0) <= task.test, "the criterion asks for more than the test set.")

    outputs = task.perfect(drawn.answers)
    broken = torch.where(_last(drawn.scored > 0)[..., None], torch.nan, outputs)
    for given, solved in ((outputs, True), (broken, False)):
        wrong = (~task.right(given, drawn)).sum(1).numpy()
        tally = Tally(wrong, task.error(given, drawn).mean(1).numpy(), drawn.alive.shape[2])
        met = criterion.met(dict.fromkeys(EVIDENCE, tally))
        what = "knows every answer is not" if solved else "answers with nan is"
        require(bool((met == solved).all()), f"a net that {what} counted as solved.")


def _check_baseline(bench: Bench) -> None:
    """The constant answer scores what is stated, within sampling error."""
    task, drawn = bench.task, bench.drawn
    baseline = task.baseline
    if baseline is None:
        return
    answer = torch.tensor(baseline.answer, dtype=torch.float64)
    require(answer.shape == (task.outputs,), f"the baseline has {len(answer)} outputs.")
    outputs = answer.expand_as(drawn.answers).contiguous()
    right = float(task.right(outputs, drawn).double().mean())
    spread = (baseline.right * (1 - baseline.right) / drawn.alive[0].numel()) ** 0.5
    require(
        abs(right - baseline.right) <= _STANDARD_ERRORS * spread + ROUNDING,
        f"the constant answer is right on {right:.4g}, stated is {baseline.right:.4g}.",
    )
    losses = _losses(task, outputs, drawn) * (2 if _is_half_square(task) else 1)
    mean = float(losses.sum() / drawn.scored.sum())
    off = (losses - mean * drawn.scored).sum(0)
    spread = float((off**2).sum() ** 0.5 / drawn.scored.sum())
    require(
        abs(mean - baseline.error) <= _STANDARD_ERRORS * spread + ROUNDING,
        f"the constant answer's error is {mean:.5g}, stated is {baseline.error:.5g}.",
    )
    known = _losses(task, task.perfect(drawn.answers), drawn).sum()
    blind = _losses(task, outputs, drawn).sum()
    require(bool(known < blind), "the constant answer has no more loss than the perfect one.")


def _check_loss(bench: Bench) -> None:
    """`loss` is one number, traceable under grad and vmap, and its derivative is true."""
    task = bench.task
    generator = torch.Generator().manual_seed(0)
    outputs, targets, others, direction = torch.rand(
        4, 5, task.outputs, generator=generator, dtype=torch.float64
    )
    kept = task.loss(outputs[0].float(), targets[0].float())
    require(kept.shape == (), f"loss is of shape {tuple(kept.shape)}, expected one number.")
    require(kept.dtype == torch.float32, f"loss makes {kept.dtype} of float32.")

    def mapped(outputs: Tensor, targets: Tensor) -> Tensor:
        return vmap(grad(task.loss))(outputs, targets)

    found = make_fx(mapped)(outputs, targets)(others, targets)
    require(torch.equal(found, mapped(others, targets)), "loss traced is another function.")
    step = 1e-5 * direction
    slope = vmap(task.loss)(others + step, targets) - vmap(task.loss)(others - step, targets)
    off = (slope - 2 * (found * step).sum(1)).abs().max()
    require(float(off) < 1e-12, "the derivative of loss differs from finite differences.")


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
    return same(vars(one.padded(steps)), vars(other.padded(steps)))


def _trial(drawn: Sequences, number: int) -> Sequences:
    """One trial of several, with its axis R."""
    return Sequences(
        **{it.name: getattr(drawn, it.name)[:, number : number + 1] for it in fields(drawn)}
    )


def _random_states() -> tuple[str, ...]:
    states = torch.get_rng_state().numpy().tobytes(), np.random.get_state(), random.getstate()
    return tuple(map(repr, states))


CLAIMS: dict[str, Callable[[Bench], None]] = {
    "it is a value, and sampling leaves no trace": _check_purity,
    "its sequences are whole": _check_shapes,
    "a trial's stream is its own": _check_streams,
    "the right answer is right, and nothing that is not finite": _check_judgement,
    "its criterion is met by who knows the answers": _check_criterion,
    "its loss can be traced and differentiated": _check_loss,
    "the constant answer scores what is stated": _check_baseline,
    "its rule answers as it asks": check_rule,
    "the first informative input decides at the stated lag": check_lag,
}
