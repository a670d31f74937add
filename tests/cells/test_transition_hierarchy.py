"""Ring's net: what a unit corrects, and how late it is felt."""

from typing import Any

import pytest
import torch

from farback.cells import TransitionHierarchy
from farback.cells.transition_hierarchy import along, delays, links
from farback.errors import WrongUsage
from farback.types import Params

# Two outputs and three inputs; unit 2 corrects w_01, 3 corrects w_20, 4 corrects w_12, 5 w_32.
BUILT = ((0, 1), (2, 0), (1, 2), (3, 2))
CELL = TransitionHierarchy(most=6, built=BUILT, width=1.0)


def params_of(cell: TransitionHierarchy) -> Params:
    return cell.parameters(torch.Generator().manual_seed(1), 3, 2)


def answers(cell: TransitionHierarchy, params: Params, inputs: torch.Tensor) -> list[list[float]]:
    state, found = cell.start(params), []
    for x in inputs:
        state = cell.step(params, state, x)
        found.append(cell.read(params, state, x).tolist())
    return found


def test_each_weight_is_corrected_by_the_unit_that_was_built_for_it() -> None:
    params = params_of(CELL)
    inputs = torch.rand(5, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    values, expected = [0.0] * 6, []
    for x in inputs.tolist():
        before, values = values, []
        for i, row in enumerate(params["weights"].tolist()[:6]):
            total = 0.0
            for j in range(3):
                unit = BUILT.index((i, j)) + 2 if (i, j) in BUILT else None
                total += x[j] * (row[j] + (before[unit] if unit is not None else 0.0))
            values.append(total)
        expected.append(values[:2])
    for ours, theirs in zip(answers(CELL, params, inputs), expected, strict=True):
        assert ours == pytest.approx(theirs)


def test_a_unit_is_felt_one_step_later_than_the_unit_that_it_corrects() -> None:
    assert delays(links(params_of(CELL))).tolist() == [0, 0, 1, 2, 1, 3, 0, 0]


def test_an_output_remembers_as_many_steps_as_its_longest_chain_is_long() -> None:
    chain = TransitionHierarchy(most=9, built=((0, 1), *((unit, 1) for unit in range(2, 9))))
    params = params_of(chain) | {"weights": torch.ones(11, 3, dtype=torch.float64)}
    inputs = torch.zeros(12, 3, dtype=torch.float64)
    inputs[:, 1] = 1
    for back, changed in ((8, True), (9, False)):
        other = inputs.clone()
        other[11 - back, 2] = 1
        before, after = (answers(chain, params, it)[-1][0] for it in (inputs, other))
        assert (before != after) == changed


def test_a_unit_that_is_not_there_says_nothing() -> None:
    params = params_of(CELL)
    state = CELL.step(params, CELL.start(params), torch.ones(3, dtype=torch.float64))
    assert state[6:].tolist() == [0, 0]
    assert (state[:6] != 0).all()


def test_along_adds_what_every_chain_passes_on() -> None:
    parents = torch.zeros(5, 5, dtype=torch.float64)
    for child, parent, share in ((1, 0, 2.0), (2, 1, 3.0), (3, 0, 5.0), (4, 2, 7.0)):
        parents[child, parent] = share
    own = torch.tensor([1.0, 0, 0, 0, 0], dtype=torch.float64)
    assert along(parents, own).tolist() == [1, 2, 6, 5, 42]


@pytest.mark.parametrize(
    ("choices", "why"),
    [
        ({"most": 0}, "most came as 0"),
        ({"most": 1, "built": ((0, 0), (0, 1))}, "built came with 2 units, expected at most 1"),
        ({"built": ((0, 0), (0, 0))}, "at most once"),
    ],
)
def test_what_no_net_can_be_is_refused(choices: dict[str, Any], why: str) -> None:
    with pytest.raises(WrongUsage, match=why):
        TransitionHierarchy(**choices)


@pytest.mark.parametrize("wrong", [(2, 0), (0, 3), (-1, 0)])
def test_a_unit_corrects_a_weight_of_one_before_it(wrong: tuple[int, int]) -> None:
    with pytest.raises(WrongUsage, match="as number 0, expected one of the 2 units before it"):
        params_of(TransitionHierarchy(built=(wrong,)))


@pytest.mark.parametrize(
    ("built", "advice"),
    [
        (((0, 3),), "try (0, 0)."),
        (((0, 0), (0, 3)), "try (0, 1)."),
        (((0, 0), (0, 1), (0, 2), (9, 0), (1, 0)), "try (1, 1)."),
        ((*((unit, source) for unit in range(2) for source in range(3)), (9, 0)), "try (2, 0)."),
        (((9, 0), *((unit, source) for unit in range(2) for source in range(3))), "leave it out."),
    ],
)
def test_what_is_suggested_instead_is_not_there_already(
    built: tuple[tuple[int, int], ...], advice: str
) -> None:
    with pytest.raises(WrongUsage) as refused:
        params_of(TransitionHierarchy(built=built))
    assert str(refused.value).endswith(advice)
