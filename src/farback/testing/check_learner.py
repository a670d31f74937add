"""The contract of a learner: pure steps from sequences to parameters, and each trial its own."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.func import vmap
from torch.utils import _pytree as pytree

from ..draws import Draws
from ..engine.reference import running
from ..errors import WrongUsage
from ..learners._learner import Learned, Learner, Memory
from ..problem import Problem, Trials
from ..types import Params, Sequences
from ._contract import (
    ContractBroken,
    check_configuration,
    copied,
    keep,
    require,
    require_close,
    require_kind,
    same,
)
from ._learned_start import LearnedStart
from ._noise import Noise

_SEEDS, _OTHERS = (3, 8, 5), (3, 9, 1)
_STEPS = 3
"""Steps of learning, so that what is remembered is used."""


def check_learner(
    learner: Learner, problem: Problem | None = None, *, unfit: Problem | None = None
) -> None:
    """Hold a learner to the contract.

    Args:
        learner: the learner.
        problem: what it learns on; noise, without one.
        unfit: a problem that it must refuse, where there is one.

    >>> from farback import learners
    >>> from farback.learners import gradients, updates
    >>> check_learner(learners.Descent(gradients.BPTT(), updates.SGD(lr=0.1)))

    Raises:
        ContractBroken: the first claim that it breaks, and how.
        WrongUsage: it does not learn on `problem` at all.
    """
    require_kind(learner, Learner)
    problem = problem or Problem(LearnedStart(), Noise(steps=40))
    problem = Problem(problem.cell, problem.task, learner.dice(problem))
    keep(CLAIMS, _Bench(learner, problem, Trials(problem), unfit), repr(learner))


class _State(NamedTuple):
    """Where the trials stand between two steps."""

    params: Params
    memory: Memory


@dataclass(frozen=True)
class _Bench:
    """A learner, and what it learns on."""

    learner: Learner
    problem: Problem
    net: Trials
    unfit: Problem | None

    def begin(self, seeds: tuple[int, ...] = _SEEDS, dtype: torch.dtype = torch.float64) -> _State:
        params = self.net.parameters(seeds, dtype)
        return _State(params, self.learner.init(self.net, params, seeds))

    def sequences(self, step: int, seeds: tuple[int, ...] = _SEEDS) -> Sequences:
        """What is learned from at a step."""
        count = self.learner.presented
        return self.problem.task.sample(Draws(seeds, "contract", first=step * count, count=count))

    def learn(self, state: _State, sequences: Sequences) -> Learned:
        """One step, as trials take it: without autograd."""
        with running():
            return self.learner.step(self.net, state.params, state.memory, sequences)

    def learned(self, seeds: tuple[int, ...] = _SEEDS) -> list[Learned]:
        """Some steps."""
        state, found = self.begin(seeds), []
        for step in range(_STEPS):
            found.append(self.learn(state, self.sequences(step, seeds)))
            state = _State(found[-1].params, found[-1].memory)
        return found


def _a_value(bench: _Bench) -> None:
    check_configuration(bench.learner)


def _counts(bench: _Bench) -> None:
    presented = bench.learner.presented
    require(presented >= 1, f"a step presents {presented} sequences, expected at least one.")
    memory = bench.learn(bench.begin(), bench.sequences(0)).memory
    passes = bench.learner.passes(memory, presented)
    counts = [torch.as_tensor(it, dtype=torch.float64) for it in passes]
    good = [it.shape in ((), (len(_SEEDS),)) and it.isfinite().all() for it in counts]
    expected = "a number forward and a number back, of each trial or of all alike"
    require(len(good) == 2 and all(good), f"its passes came as {passes}, expected {expected}.")
    forward, back = counts
    answered = bool((forward >= presented).all()) and bool((back >= 0).all())
    require(
        answered,
        f"its passes came as {passes}, expected at least one forward for each of {presented} "
        "sequences, which it answers, and none below zero back.",
    )


def _refuses(bench: _Bench) -> None:
    bench.learner.fits(bench.problem)
    if bench.unfit is None:
        return
    name = f"{bench.unfit.cell!r} on {bench.unfit.task!r}"
    try:
        bench.learner.fits(bench.unfit)
    except WrongUsage:
        return
    raise ContractBroken(f"it takes {name}, and should have raised WrongUsage.")


def _shapes_and_types(bench: _Bench) -> None:
    trials, rows = len(_SEEDS), bench.learner.presented
    for dtype in (torch.float64, torch.float32):
        state, sequences = bench.begin(dtype=dtype), bench.sequences(0).to(dtype)
        learned = bench.learn(state, sequences)
        for what, came, given in (
            ("parameters", learned.params, state.params),
            ("memory", learned.memory, state.memory),
        ):
            forms = [pytree.tree_map(_form, tree) for tree in (came, given)]
            require(forms[0] == forms[1], f"its {what} have {forms[0]}, expected {forms[1]}.")
        own = all(len(it) == trials for it in pytree.tree_leaves(learned.memory))
        require(own, f"its memory is not shaped [R, ...] with R = {trials}, one for each trial.")
        steps, outputs = len(learned.outputs), tuple(learned.outputs.shape)
        expected = (steps, trials, rows, bench.problem.task.outputs)
        require(outputs == expected, f"its outputs have {outputs}, expected {expected}.")
        enough = steps >= sequences.steps
        require(enough, f"it answered {steps} steps, expected {sequences.steps} at least.")
        loss = tuple(learned.loss.shape)
        require(loss == (trials, rows), f"its loss has {loss}, expected {(trials, rows)}.")


def _pure(bench: _Bench) -> None:
    state, sequences = bench.begin(), bench.sequences(0)
    given = copied((tuple(state), vars(sequences)))
    step = bench.learner.step
    found, again = (step(bench.net, *state, sequences) for _ in range(2))
    require(same((tuple(state), vars(sequences)), given), "it writes into its arguments.")
    require(same(found, again), "it gives other numbers at the second call.")
    require(same(found, bench.learn(state, sequences)), "it gives other numbers in inference.")


def _loss_of_the_outputs(bench: _Bench) -> None:
    learned, sequences = bench.learn(bench.begin(), bench.sequences(0)), bench.sequences(0)
    steps = sequences.steps
    outputs, targets = learned.outputs[:steps], sequences.targets[:steps]
    losses = vmap(bench.problem.task.loss)(outputs.flatten(0, 2), targets.flatten(0, 2))
    scored = sequences.scored[:steps]
    error = (losses.reshape(scored.shape) * scored).sum(0)
    require_close(learned.loss, error, 1e-10, "its loss is not the error of its outputs")


def _memory_saved(bench: _Bench) -> None:
    first = bench.learned()[0]
    file = io.BytesIO()
    torch.save((first.params, first.memory), file)
    file.seek(0)
    state, sequences = _State(*torch.load(file, weights_only=True)), bench.sequences(1)
    kept = same(
        bench.learn(state, sequences), bench.learn(_State(first.params, first.memory), sequences)
    )
    require(kept, "after saving and loading what it remembers, it goes on otherwise.")


def _padding(bench: _Bench) -> None:
    state, sequences = bench.begin(), bench.sequences(0)
    padded = bench.learn(state, sequences.padded(sequences.steps + 20))
    learned = bench.learn(state, sequences)
    require(same(padded.params, learned.params), "padding changes what it learns.")


def _whatever_the_others(bench: _Bench) -> None:
    for one, other in zip(bench.learned(), bench.learned(_OTHERS), strict=True):
        for what, mine, beside in (
            ("parameters", one.params, other.params),
            ("memory", one.memory, other.memory),
            ("loss", one.loss, other.loss),
        ):
            kept = same(*(pytree.tree_map(lambda it: it[0], tree) for tree in (mine, beside)))
            require(kept, f"a trial's {what} have other bits beside other trials.")


def _finite(bench: _Bench) -> None:
    for learned in bench.learned():
        for name, value in learned.params.items():
            require(bool(value.isfinite().all()), f"parameter {name} is not finite.")


CLAIMS = {
    "a learner is a frozen value that its repr tells whole": _a_value,
    "it counts sequences and passes": _counts,
    "it refuses what it cannot learn on, and nothing else": _refuses,
    "parameters and memory keep their shapes and types": _shapes_and_types,
    "a step is pure": _pure,
    "its loss is the error of its outputs": _loss_of_the_outputs,
    "what it remembers can be saved": _memory_saved,
    "padding changes nothing": _padding,
    "a trial's bits do not depend on the trials beside it": _whatever_the_others,
    "parameters stay finite": _finite,
}
"""What a learner promises, and the check of each promise."""


def _form(value: Any) -> Any:
    require(isinstance(value, Tensor), f"it keeps a {type(value).__name__}, expected tensors.")
    return tuple(value.shape), value.dtype
