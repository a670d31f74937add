"""Williams and Zipser's net: weight counts, and what the order of processing changes."""

import pytest
import torch

from farback.cells import FullyRecurrent
from farback.cells.squashings import Identity
from farback.errors import WrongUsage


def count(cell: FullyRecurrent, inputs: int, outputs: int) -> int:
    return sum(it.numel() for it in cell.parameters(torch.Generator(), inputs, outputs).values())


@pytest.mark.parametrize(("hidden", "weights"), [(3, 170), (12, 494)])
def test_the_weights_are_as_many_as_in_table_1(hidden: int, weights: int) -> None:
    assert count(FullyRecurrent(hidden=hidden), 7, 7) == weights


def test_guessed_parity_needs_seven_weights() -> None:
    assert count(FullyRecurrent(hidden=1, hidden_bias=True), 1, 1) == 7


def test_an_additive_net_of_five_units_has_25_weights() -> None:
    assert count(FullyRecurrent(hidden=4, additive=True), 1, 1) == 25


def after_one_step(cell: FullyRecurrent) -> torch.Tensor:
    """The state when x = 1 came in, with input and output joined by the hidden unit alone."""
    links = torch.zeros(2, 3)  # hidden and output unit; from x, hidden, output
    links[0, 0], links[1, 1] = 2.0, 3.0
    params = {"weights": links}
    return cell.step(params, cell.start(params), torch.ones(1))


def test_a_synchronous_output_hears_of_an_input_one_step_later() -> None:
    assert after_one_step(FullyRecurrent(hidden=1, squashing=Identity())).tolist() == [2.0, 0.0]


def test_hidden_first_an_output_hears_of_an_input_at_once() -> None:
    cell = FullyRecurrent(hidden=1, squashing=Identity(), hidden_first=True)
    assert after_one_step(cell).tolist() == [2.0, 6.0]


def test_without_hidden_units_both_orders_are_one() -> None:
    params = FullyRecurrent(hidden=0).parameters(torch.Generator().manual_seed(0), 2, 3)
    x = torch.tensor([0.3, -1.0], dtype=torch.float64)
    one, other = (
        it.step(params, it.start(params), x)
        for it in (FullyRecurrent(hidden=0), FullyRecurrent(hidden=0, hidden_first=True))
    )
    assert torch.equal(one, other)


def test_an_additive_input_enters_one_hidden_unit_with_weight_one() -> None:
    cell = FullyRecurrent(hidden=2, squashing=Identity(), additive=True)
    params = {"weights": torch.zeros(3, 3)}
    assert cell.step(params, cell.start(params), torch.tensor([0.7])).tolist()[1:] == [0.0, 0.0]
    assert cell.step(params, cell.start(params), torch.tensor([0.5]))[0] == 0.5


def test_more_additive_inputs_than_hidden_units_are_refused() -> None:
    with pytest.raises(WrongUsage, match="try hidden=3 or additive=False"):
        count(FullyRecurrent(hidden=2, additive=True), 3, 1)
