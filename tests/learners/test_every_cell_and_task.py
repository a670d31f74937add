"""Every exact gradient equals BPTT on every cell and every task.

`make test` covers each cell on two tasks and each task on two cells, `make gradients` all pairs.
Cells, tasks and gradients are whatever the rooms hold, in small instances.
"""

import pytest

from farback._catalogue import member, names
from farback.problem import Problem
from farback.testing import check_gradient
from farback.testing._members import CELLS, PAIRS, TASKS, covering, partners

EXACT = [name for name in names("gradients") if member("gradients", name)().exact]


def check(cell: str, task: str) -> None:
    problem = Problem(CELLS[cell], TASKS[task])
    for name in EXACT:
        # Without a Jacobian there is nothing to carry along: RTRL refuses it.
        if problem.cell.has_jacobian or name == "bptt":
            check_gradient(member("gradients", name)(), [problem], batched=False)


@pytest.mark.parametrize(("cell", "task"), covering())
def test_exact_gradients_equal_bptt(cell: str, task: str) -> None:
    check(cell, task)


@pytest.mark.product
@pytest.mark.parametrize(("cell", "task"), PAIRS)
def test_exact_gradients_equal_bptt_on_all_pairs(cell: str, task: str) -> None:
    check(cell, task)


@pytest.mark.parametrize("name", [*CELLS, *TASKS])
def test_each_cell_and_each_task_is_covered_twice(name: str) -> None:
    # The two-sequence neuron fits little else; whatever fits one partner only has that one.
    assert len(partners(covering(), name)) >= min(2, len(partners(PAIRS, name))) > 0
