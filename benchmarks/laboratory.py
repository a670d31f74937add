"""How fast the reference engine trains: LSTM 1997 on embedded Reber strings, on-line, by trials.

python benchmarks/laboratory.py        writes results/laboratory.json

Three of everything in turn, on one thread: the engine with 30 and with 300 trials side by side, and
the plain loop of one trial that a user would write, with torch's own autograd. Sequences of all
trials a second, and the share of the engine's time that goes into drawing them.
"""

from __future__ import annotations

import time
from statistics import median

import numpy as np
import torch
from _measuring import write

from farback.cells.lstm1997 import LSTM1997
from farback.draws import Draws
from farback.learners.descent import Descent
from farback.learners.gradients.bptt import BPTT
from farback.learners.updates.sgd import SGD
from farback.problem import Problem
from farback.tasks.embedded_reber import EmbeddedReber
from farback.trials._feed import Feed
from farback.trials._group import Finished, Moment, Plan, run

CELL = LSTM1997(blocks=3, size=2, width=0.2, output_bias=(-1.0, -2.0, -3.0))
TASK = EmbeddedReber()
LR = 0.5
WARM, MEASURED, TURNS = 50, 400, 3
PLAIN = 60


class _Enough(Exception):
    pass


def engine(trials: int) -> dict[str, float]:
    """Sequences a second of a group of trials in the midst of its training, and drawing's share."""
    plan = Plan(Problem(CELL, TASK), Descent(BPTT(), SGD(lr=LR)), sequences=10**9, check=100)
    begun = 0.0

    def watch(moment: Moment) -> None:
        nonlocal begun
        if moment.sequences == WARM:
            begun = time.perf_counter()
        if moment.sequences == WARM + MEASURED:
            raise _Enough

    def deliver(finished: Finished) -> None:
        """Nothing is finished so soon."""

    try:
        run(plan, range(trials), np.ones(trials, bool), watch=watch, deliver=deliver)
    except _Enough:
        taken = time.perf_counter() - begun
    return {
        "sequences_per_second": trials * MEASURED / taken,
        "share_of_drawing": drawing(trials) / taken,
    }


def drawing(trials: int) -> float:
    """Seconds to draw, encode and hand out as many sequences."""
    feed = Feed(TASK, range(trials), torch.float32, "cpu")
    stream = feed.sequences(1)
    next(stream)
    begun = time.perf_counter()
    for _ in range(MEASURED):
        next(stream)
    return time.perf_counter() - begun


def plain() -> dict[str, float]:
    """Sequences a second of one trial in a plain loop."""
    params = {
        name: value.float().requires_grad_()
        for name, value in Problem(CELL, TASK).parameters(seed=0).items()
    }
    drawn = TASK.sample(Draws([0], "training", count=PLAIN + 1)).to(torch.float32)
    begun = 0.0
    for number in range(PLAIN + 1):
        if number == 1:
            begun = time.perf_counter()
        sequence = drawn.one(0, number)
        state, loss = CELL.start(params), torch.zeros(())
        for x, target in zip(sequence.inputs, sequence.targets, strict=True):
            state = CELL.step(params, state, x)
            loss = loss + TASK.loss(CELL.read(params, state, x), target)
        gradients = torch.autograd.grad(loss, list(params.values()))
        with torch.no_grad():
            for value, gradient in zip(params.values(), gradients, strict=True):
                value -= LR * gradient
    return {"sequences_per_second": PLAIN / (time.perf_counter() - begun)}


def main() -> None:
    torch.set_num_threads(1)
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(TURNS):
        for trials in (30, 300):
            found.setdefault(f"engine, {trials} trials", []).append(engine(trials))
        found.setdefault("plain torch loop, 1 trial", []).append(plain())
    medians = {
        name: {key: round(median(turn[key] for turn in turns), 3) for key in turns[0]}
        for name, turns in found.items()
    }
    peer = medians["plain torch loop, 1 trial"]["sequences_per_second"]
    for numbers in medians.values():
        numbers["times_the_plain_loop"] = round(numbers["sequences_per_second"] / peer, 1)
    write("laboratory", {"turns": TURNS, "sequences": MEASURED, "medians": medians})


if __name__ == "__main__":
    main()
