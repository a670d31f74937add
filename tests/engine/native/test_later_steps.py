"""Where inputs are zero from some step on, later steps are other functions that do the same."""

import numpy as np
import pytest
import torch

from farback import tasks
from farback.cells import Elman, LatchingNeuron
from farback.draws import Draws
from farback.engine.native._lanes import Compiled, leaves_of
from farback.engine.native._memory import laid
from farback.learners import Descent
from farback.learners.gradients import BPTT, TruncatedBPTT
from farback.learners.updates import SGD
from farback.problem import Problem, Trials
from farback.trials._compiled import native

SEEDS, STEPS = (5, 2**40 + 3, 9), 6
FIXED, SHORT = (tasks.Latch(steps=it, strings=None) for it in (20, 8))
STUDIES = {
    "a latch": (LatchingNeuron(), FIXED, BPTT(), 1),
    "lengths that vary": (
        LatchingNeuron(),
        tasks.Latch(steps=20, varied=True, strings=None),
        BPTT(),
        1,
    ),
    "several units": (Elman(hidden=3, hidden_bias=True), SHORT, BPTT(), 1),
    "products put off": (Elman(hidden=4), SHORT, BPTT(), 1),
    "blocks on their way": (LatchingNeuron(), FIXED, TruncatedBPTT(window=4, every=2), 0),
    "nothing stands still": (LatchingNeuron(), tasks.Adding(length=9), BPTT(), 0),
}

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]


@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("name", STUDIES)
def test_what_is_drawn_is_learned_from_like_the_same_in_memory(name: str, lanes: int) -> None:
    cell, task, gradient, later = STUDIES[name]
    problem, kind = Problem(cell, task), torch.float64
    program = native(problem, Descent(gradient, SGD(0.5)), kind).program
    assert f"#define LATER {later}\n" in program.source
    assert program.stream is not None
    compiled = Compiled(program, kind, lanes)
    rows, leaves = (
        compiled.lanes_of(np.arange(len(SEEDS))),
        leaves_of(Trials(problem).parameters(SEEDS, kind)),
    )
    drawn = laid(task.sample(Draws(SEEDS, "training", count=STEPS)), kind)
    made = []
    for data in (drawn, program.stream.of(SEEDS, "training")):
        params, memory = (compiled.packed(it, range(len(SEEDS))) for it in (leaves, []))
        compiled.train(params, memory, rows, data, first=0, count=STEPS, batch=1)
        made.append(params)
    before = compiled.packed(leaves, range(len(SEEDS)))
    assert (made[0] != before).any(axis=1).all()
    np.testing.assert_allclose(made[1], made[0], rtol=1e-12, atol=1e-13)
