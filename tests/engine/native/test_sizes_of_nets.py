"""Nets of one unit and of many, with one input and with hundreds, have the reference's gradient."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from farback import tasks
from farback.cells import GRU, LSTM, LSTM1997, Elman, FullyRecurrent
from farback.cells._cell import Cell, uniform
from farback.draws import Draws
from farback.engine.native._lanes import Compiled, leaves_of
from farback.engine.native._memory import laid
from farback.learners import Descent
from farback.learners.gradients import BPTT, RTRL, TruncatedBPTT
from farback.learners.updates import SGD
from farback.problem import Problem, Trials
from farback.trials._compiled import native


@dataclass(frozen=True)
class SharedStart(Cell):
    """One vector in the start and in every step, another in the start by half of its derivative."""

    size: int = 70

    def layout(self, params):
        return {"h": self.size}

    def parameters(self, generator, inputs, outputs):
        shapes = {"a": (self.size,), "b": (self.size,), "u": (self.size, inputs)}
        shapes["v"] = outputs, self.size
        return {name: uniform(generator, *it, width=0.5) for name, it in shapes.items()}

    def start(self, params):
        sum = params["a"] + 0.5 * params["b"]
        return torch.tanh(sum) + sum

    def step(self, params, state, x):
        return torch.tanh(0.3 * state + params["a"] + params["u"] @ x)

    def read(self, params, state, x):
        return params["v"] @ state


TRIALS = 3
ADDING = tasks.Adding(length=6)
SIZES = {
    "one unit": (Elman(hidden=1), ADDING, BPTT()),
    "one block": (LSTM1997(blocks=1, size=1), tasks.NoiseFreeLag(delay=20), BPTT()),
    "301 inputs and outputs": (Elman(hidden=1), tasks.NoiseFreeLag(delay=300), BPTT()),
    "255 gathered inputs": (Elman(hidden=5, shortcut=True), tasks.NoiseFreeLag(delay=254), BPTT()),
    "70 units": (Elman(hidden=70, hidden_bias=True), ADDING, BPTT()),
    "65 units on symbols": (Elman(hidden=65), tasks.NoiseFreeLag(delay=13), BPTT()),
    "40 memory cells": (LSTM(hidden=40), ADDING, BPTT()),
    "33 gated units": (GRU(hidden=33), tasks.EmbeddedReber(), BPTT()),
    "17 cells, truncated": (LSTM1997(blocks=17, size=3), ADDING, TruncatedBPTT(window=4, every=3)),
    "9 units forward": (FullyRecurrent(hidden=8), ADDING, RTRL()),
    "5 units forward": (Elman(hidden=5), tasks.EmbeddedReber(), RTRL()),
    "4 units forward on symbols": (Elman(hidden=4), tasks.NoiseFreeLag(delay=20), RTRL()),
    "a shared start": (SharedStart(), ADDING, BPTT()),
    "2 cells forward": (LSTM(hidden=2), tasks.Adding(length=20), RTRL()),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "lanes"),
    [*((name, 8) for name in SIZES), ("40 memory cells", 1), ("65 units on symbols", 1)],
)
def test_a_net_of_any_size_has_the_gradient_of_the_reference(name: str, lanes: int) -> None:
    cell, task, gradient = SIZES[name]
    problem = Problem(cell, task)
    program = native(problem, Descent(gradient, SGD(lr=1.0)), torch.float64).program
    compiled, rows = Compiled(program, torch.float64, lanes), range(TRIALS)
    sequences = task.sample(Draws(rows, "sizes"))
    params = compiled.packed(leaves_of(Trials(problem).parameters(rows, torch.float64)), rows)
    before, memory = params.copy(), compiled.packed([], rows)
    where, data = compiled.lanes_of(np.arange(TRIALS)), laid(sequences, torch.float64)
    compiled.train(params, memory, where, data, first=0, count=1, batch=1)
    found = np.moveaxis(before - params, 2, 1).reshape(-1, params.shape[1])
    for trial in rows:
        own = problem.parameters(trial)
        expected = gradient(problem, own, sequences.one(trial, 0)).gradient
        flat = torch.cat([it.flatten() for it in expected.values()]).numpy()
        np.testing.assert_allclose(found[trial], flat, rtol=1e-9, atol=1e-13)
