"""Many candidates answer the same sequences, one in each lane: errors alone, no gradients."""

import numpy as np
import pytest
import torch

from farback import cells, tasks
from farback.draws import Draws
from farback.engine.native._lanes import leaves_of
from farback.engine.native._memory import laid
from farback.learners.gradients import BPTT
from farback.problem import Problem, Trials
from farback.trials._compiled import answering

PROBLEMS = (
    Problem(cells.LSTM1997(blocks=2, size=2), tasks.EmbeddedReber()),
    Problem(cells.Elman(hidden=3), tasks.NoiseFreeLag(delay=15)),
    Problem(cells.GRU(hidden=3), tasks.Copy()),
)


@pytest.mark.slow
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda it: type(it.task).__name__)
def test_the_error_of_each_candidate_is_the_reference_engines(problem: Problem) -> None:
    candidates, count, dtype = 11, 3, torch.float64
    drawn = problem.task.sample(Draws((5,), "candidates", count=count))
    compiled = answering(problem, dtype).compiled(candidates)
    params = Trials(problem).parameters(range(candidates), dtype)
    packed = compiled.packed(leaves_of(params), range(candidates))
    rows = compiled.lanes_of(np.zeros(candidates, np.int64))  # all of them read the same row
    verdicts, asked = compiled.examine(
        packed, rows, laid(drawn, dtype), first=0, count=count, losses=True
    )
    assert (asked == count).all()
    for candidate in range(candidates):
        own = problem.parameters(candidate)
        for number in range(count):
            exact = BPTT()(problem, own, drawn.one(0, number)).loss
            assert verdicts.loss[candidate, number] == pytest.approx(float(exact), rel=1e-12)
