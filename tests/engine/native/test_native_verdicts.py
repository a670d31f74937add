"""The native engine judges answers as the tasks do, whatever was answered."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from farback.draws import Draws
from farback.engine.native import Backward, Learning, Net
from farback.engine.native._lanes import Compiled
from farback.engine.native._memory import laid
from farback.engine.native._program import training
from farback.problem import Problem
from farback.testing._members import CELLS, PAIRS, TASKS
from farback.trials._compiled import net_of

OFF = 0.0, 0.02, 0.1, 0.21, 0.27, 0.45, 3.0, torch.nan, torch.inf, -torch.inf
"""How far a trial's answers are off."""

COUNT = 6
EVERYTHING = 1 << 40

NOTHING = Learning({})


def reciting(task: str, steps: int) -> Net:
    """A net that answers with its parameters, step after step."""
    cell = next(cell for cell, name in PAIRS if name == task)
    net = net_of(Problem(CELLS[cell], TASKS[task]), torch.float64)

    def read(params: dict[str, Tensor], state: Tensor, x: Tensor) -> Tensor:
        now = torch.arange(1, steps + 1) == state
        return torch.where(now[:, None], params["said"], 0.0).sum(0)

    return replace(
        net,
        params={"said": torch.zeros(steps, net.outputs, dtype=torch.float64)},
        start=lambda params: params["said"].new_zeros(1),
        step=lambda params, state, x: state + 1,
        read=read,
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_verdicts_are_those_of_the_task(name: str, quick: None) -> None:
    task, trials = TASKS[name], len(OFF)
    drawn = task.sample(Draws(range(trials), "verdicts", count=COUNT))
    generator = torch.Generator().manual_seed(0)
    known = task.perfect(drawn.answers)[:, :, 0]
    noise = torch.rand(known.shape, generator=generator, dtype=torch.float64) * 2 - 1
    noise[:, :, 0] = 1.0
    said = known + noise * torch.tensor(OFF, dtype=torch.float64)[:, None]
    said[:, 0] = known[:, 0]

    program = training(reciting(name, len(known)), Backward(), NOTHING)
    compiled = Compiled(program, torch.float64, 4)
    packed = compiled.packed([said.transpose(0, 1).numpy()], range(trials))
    lanes = compiled.lanes_of(np.arange(trials))
    found, _ = compiled.examine(
        packed, lanes, laid(drawn, torch.float64), first=0, count=COUNT, allowed=EVERYTHING
    )

    outputs = said[:, :, None].expand(drawn.answers.shape)
    np.testing.assert_array_equal(found.right[:trials], task.right(outputs, drawn).numpy())
    expected = task.error(outputs, drawn).numpy()
    np.testing.assert_allclose(found.error[:trials], expected, rtol=1e-12, atol=1e-12)
    assert found.right[0, 0]
    assert not found.right[-3:].any()
