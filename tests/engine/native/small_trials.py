"""Small trials for the native engine: their programs, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import torch

from farback import tasks
from farback.cells import LSTM1997, Elman, FullyRecurrent, LatchingNeuron
from farback.draws import Draws
from farback.engine.native._lanes import Compiled, leaves_of
from farback.engine.native._memory import Laid, Streamed, laid
from farback.learners import Annealing, Construction, Descent, Evolution, Guessing, Multigrid
from farback.learners._learner import Learner
from farback.learners.gradients import (
    BPTT,
    RFLO,
    RTRL,
    EProp,
    Omega,
    OneStep,
    PseudoNewton,
    SnAp,
    TimeWeightedNewton,
    TruncatedBPTT,
)
from farback.learners.updates import SGD, Adam, Chain, Clip, Momentum
from farback.problem import Problem, Trials
from farback.trials._compiled import Native, native
from farback.types import Sequences

SEEDS = 20
STEPS = 12
REBER = tasks.Reber(training_strings=None)
ADDING = tasks.Adding(length=6)
LAG = tasks.NoiseFreeLag(delay=13)
LSTM = LSTM1997(blocks=2, size=1, truncated=False)

STUDIES: dict[str, tuple[Problem, Learner]] = {
    "BPTT": (Problem(LSTM, ADDING), Descent(BPTT(), SGD(0.5))),
    "gathered inputs": (
        Problem(Elman(hidden=2, shortcut=True), LAG),
        Descent(BPTT(), Chain((Clip(1.0), Adam(0.01)))),
    ),
    "clipped by the mean": (
        Problem(LSTM, ADDING),
        Descent(BPTT(), Chain((Clip(0.7, of_mean=True), SGD(0.5)))),
    ),
    "RTRL": (Problem(Elman(hidden=2), REBER), Descent(RTRL(), Momentum(0.1), per_step=True)),
    "influences": (Problem(Elman(hidden=5), REBER), Descent(RTRL(), SGD(0.3))),
    "influences of symbols": (Problem(Elman(hidden=4), LAG), Descent(RTRL(), Momentum(0.2))),
    "sparse influences": (
        Problem(LSTM, ADDING),
        Descent(SnAp(), SGD(0.5)),
    ),
    "eligibilities": (
        Problem(LSTM, ADDING),
        Descent(EProp(hidden=("s",), feedback=1), Momentum(0.2)),
    ),
    "leaks": (Problem(Elman(hidden=3), REBER), Descent(RFLO(), SGD(0.3), per_step=True)),
    "truncated": (
        Problem(FullyRecurrent(hidden=2), REBER),
        Descent(TruncatedBPTT(window=5, every=2), Adam(0.01), per_step=True),
    ),
    "every step": (
        Problem(Elman(hidden=3), REBER),
        Descent(TruncatedBPTT(window=5, every=1), SGD(0.1), per_step=True),
    ),
    "one step": (Problem(Elman(hidden=3), REBER), Descent(OneStep(), SGD(0.3), per_step=True)),
    "batches": (Problem(Elman(hidden=3), ADDING), Descent(BPTT(), Momentum(0.1), batch=4)),
    "drawn": (
        Problem(LatchingNeuron(), tasks.Latch(steps=9, varied=True, strings=None)),
        Descent(BPTT(), SGD(0.2), batch=2),
    ),
    "pseudo-Newton": (
        Problem(FullyRecurrent(hidden=2, hidden_bias=True), REBER),
        Descent(PseudoNewton(mu=0.1), Momentum(0.01), batch=2),
    ),
    "time-weighted": (
        Problem(LSTM, ADDING),
        Descent(TimeWeightedNewton(mu=0.3), SGD(0.01)),
    ),
    "Omega": (Problem(Elman(hidden=3), REBER), Descent(Omega(), SGD(0.1), batch=2)),
    "construction": (
        Problem(LSTM, ADDING),
        Construction(Descent(BPTT(), Adam(0.05)), window=4, share=0.5),
    ),
    "guessing": (Problem(FullyRecurrent(hidden=2), REBER), Guessing(width=3.0)),
    "multigrid": (Problem(LSTM, ADDING), Multigrid(batch=3, width=1.0, points=3)),
    "evolution": (
        Problem(FullyRecurrent(hidden=2, hidden_bias=True), ADDING),
        Evolution(batch=2, population=4, worst=0.5, alpha=0.5),
    ),
    "annealing": (
        Problem(LatchingNeuron(), tasks.Latch(steps=9, varied=True, strings=None)),
        Annealing(batch=2, cycles=1, adaptations=1),
    ),
}


class Became(NamedTuple):
    """What became of trials, [R, ...] each."""

    params: np.ndarray
    memory: np.ndarray
    loss: np.ndarray
    error: np.ndarray
    right: np.ndarray


@cache
def program(name: str, dtype: torch.dtype) -> Native:
    return native(*STUDIES[name], dtype)


@cache
def compiled(name: str, dtype: torch.dtype, lanes: int) -> Compiled:
    return Compiled(program(name, dtype).program, dtype, lanes)


@cache
def drawn(name: str, steps: int) -> Sequences:
    problem, learner = STUDIES[name]
    return problem.task.sample(Draws(range(SEEDS), "training", count=steps * learner.presented))


@cache
def data(name: str, dtype: torch.dtype, steps: int) -> Laid | Streamed:
    """Sequences in memory, or those that the program draws itself."""
    stream = program(name, dtype).program.stream
    if name == "drawn" and stream is not None:
        return stream.of(range(SEEDS), "training")
    return laid(drawn(name, steps), dtype)


@cache
def begun(name: str, dtype: torch.dtype) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Parameters and memory of every seed at its start."""
    problem, learner = STUDIES[name]
    net = Trials(problem)
    params = net.parameters(range(SEEDS), dtype)
    return leaves_of(params), leaves_of(learner.init(net, params, range(SEEDS)))


def learn(
    name: str,
    dtype: torch.dtype,
    lanes: int,
    seeds: Sequence[int] = range(SEEDS),
    *,
    calls: Sequence[int] = (STEPS,),
    threads: int = 1,
    params: list[np.ndarray] | None = None,
) -> Became:
    """Train trials of these seeds side by side, by calls of so many steps each."""
    built, batch = compiled(name, dtype, lanes), STUDIES[name][1].presented
    leaves, memory = begun(name, dtype)
    packed = built.packed(leaves if params is None else params, seeds)
    remembered = built.packed(memory, seeds)
    rows, first, verdicts = built.lanes_of(np.array(seeds)), 0, []
    for count in calls:
        verdicts.append(
            built.train(
                packed,
                remembered,
                rows,
                data(name, dtype, sum(calls)),
                first=first,
                count=count,
                batch=batch,
                threads=threads,
            )
        )
        first += count * batch
    said = [np.concatenate(its, 1) for its in zip(*map(_fields, verdicts), strict=True)]
    values = [_by_trial(packed), _by_trial(remembered), *said]
    return Became(*(it[: len(seeds)] for it in values))


def _fields(verdicts):
    return verdicts.loss, verdicts.error, verdicts.right


def _by_trial(blocks: np.ndarray) -> np.ndarray:
    count, numbers, lanes = blocks.shape
    return np.moveaxis(blocks, 2, 1).reshape(count * lanes, numbers)


def same(one: Became, other: Became, places: Sequence[int] | slice = slice(None)) -> bool:
    """Whether these trials of `one` are those of `other`, bit for bit."""
    pairs = zip(one, other, strict=True)
    return all(mine[places].tobytes() == theirs.tobytes() for mine, theirs in pairs)
