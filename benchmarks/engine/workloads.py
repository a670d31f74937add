"""What the engines are compared on: whole training runs of small nets, many trials at once.

Each workload is a cell and a task of farback's, so that everybody computes the same thing. Trials
begin with the same parameters everywhere; what is drawn inside the loop, each draws with its own
generator. `reference` is the derivative by torch's autograd in float64, one trial at a time: peers
are held to it before they are timed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch

from farback.cells._cell import Cell
from farback.cells.elman import Elman
from farback.cells.latching_neuron import LatchingNeuron
from farback.cells.lstm1997 import LSTM1997
from farback.draws import Draws
from farback.problem import Problem
from farback.tasks._reber import EMBEDDED
from farback.tasks._task import Task
from farback.tasks.embedded_reber import EmbeddedReber
from farback.tasks.latch import Latch
from farback.tasks.noise_free_lag import NoiseFreeLag

Arrays = dict[str, np.ndarray]
"""Parameters or their derivatives by name, [N, ...] each for N trials."""


@dataclass(frozen=True)
class Workload:
    """On-line gradient descent on one task.

    Args:
        name: what it is called.
        cell: the net.
        task: what it learns.
        gradient: BPTT or RTRL.
        lr: learning rate.
        unit: what is counted per trial and update.
        trials: how many run side by side.
    """

    name: str
    cell: Cell
    task: Task
    gradient: str
    lr: float
    unit: str
    trials: tuple[int, ...]


LATCH = Workload(
    "latch",
    LatchingNeuron(),
    Latch(steps=50, strings=None),
    "BPTT",
    lr=0.1,
    unit="updates",
    trials=(1, 100, 10_000),
)
"""An update is on the mean error of two sequences with fresh noise: of one of each class, where
farback draws the classes too."""

REBER = Workload(
    "embedded Reber",
    LSTM1997(blocks=3, size=2, width=0.2, output_bias=(-1.0, -2.0, -3.0)),
    EmbeddedReber(),
    "BPTT",
    lr=0.5,
    unit="sequences",
    trials=(1, 30, 300),
)
"""Each trial has its own set of 256 strings; an update is on one drawn from it."""

LAG = Workload(
    "lag 100, BPTT",
    Elman(hidden=8),
    NoiseFreeLag(delay=100),
    "BPTT",
    lr=0.2,
    unit="sequences",
    trials=(1, 18, 256),
)
"""An update is on one of the two strings."""

LAG_RTRL = Workload(
    "lag 100, RTRL", LAG.cell, LAG.task, "RTRL", lr=LAG.lr, unit="sequences", trials=(1, 256)
)

ALL = LATCH, REBER, LAG, LAG_RTRL


def parameters(workload: Workload, trials: int) -> Arrays:
    """Where every trial starts, in float32."""
    problem = Problem(workload.cell, workload.task)
    drawn = [problem.parameters(seed) for seed in range(trials)]
    return {name: np.stack([it[name].float().numpy() for it in drawn]) for name in drawn[0]}


@cache
def strings(trials: int) -> np.ndarray:
    """The embedded Reber strings of every trial as symbols, [N, 256, T + 1], padded with -1."""
    drawn = EMBEDDED.strings(Draws(range(trials), "set", count=REBER.task.training or 0))
    return np.ascontiguousarray(drawn.transpose(1, 2, 0)).astype(np.int32)


def lag_strings() -> np.ndarray:
    """The two strings of 2a as symbols, [2, T + 1]: the one of x, and the one of y."""
    delay = LAG.task.inputs - 1
    return np.array(
        [[delay - 1 + last, *range(delay - 1), delay - 1 + last] for last in (0, 1)], dtype=np.int32
    )


def examples(workload: Workload, trials: int) -> np.ndarray:
    """One update's data for every trial, to hold gradients to the reference.

    The noise of the latch, [N, 2, 47]; the symbols of a string, [N, T + 1]; the number of one of
    the two strings of 2a, [N].
    """
    rng = np.random.default_rng(0)
    if workload is LATCH:
        steps = LATCH.task.steps - LATCH.task.trainable
        return rng.normal(0, LATCH.task.noise, (trials, 2, steps)).astype(np.float32)
    if workload is REBER:
        return strings(trials)[np.arange(trials), rng.integers(256, size=trials)]
    return rng.integers(2, size=trials).astype(np.int32)


def reference(workload: Workload, params: Arrays, example: np.ndarray) -> Arrays:
    """The derivative of one trial's error, by autograd in float64."""
    leaves = {name: torch.tensor(it).double().requires_grad_() for name, it in params.items()}
    cell, losses = workload.cell, []
    for inputs, targets, scored in _sequences(workload, example):
        state, loss = cell.start(leaves), torch.zeros((), dtype=torch.float64)
        for x, target, counts in zip(inputs, targets, scored, strict=True):
            state = cell.step(leaves, state, x)
            loss = loss + counts * workload.task.loss(cell.read(leaves, state, x), target)
        losses.append(loss)
    mean = torch.stack(losses).mean()
    found = torch.autograd.grad(mean, list(leaves.values()))
    return {name: it.numpy() for name, it in zip(leaves, found, strict=True)}


Sequence = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Inputs [T, I], targets [T, O], and the steps that count, [T]."""


def _sequences(workload: Workload, example: np.ndarray) -> Iterator[Sequence]:
    if workload is LATCH:
        shown = LATCH.task.trainable
        for number, noise in enumerate(example):
            inputs = torch.zeros(LATCH.task.steps, LATCH.task.inputs, dtype=torch.float64)
            inputs[:shown, number * shown : (number + 1) * shown] = torch.eye(shown)
            inputs[shown:, -1] = torch.tensor(noise)
            at_end = torch.zeros(len(inputs))
            at_end[-1] = 1
            target = (LATCH.task.low, LATCH.task.high)[number]
            yield inputs, torch.full((len(inputs), 1), target).double(), at_end
        return
    symbols = example[example >= 0] if workload is REBER else lag_strings()[example]
    coded = torch.eye(workload.task.inputs, dtype=torch.float64)[torch.tensor(symbols).long()]
    yield coded[:-1], coded[1:], torch.ones(len(coded) - 1)
