"""Williams and Zipser's net: weight counts, and what the order of processing changes."""

import pytest
import torch

from farback.cells import FullyRecurrent
from farback.cells.squashings import Identity, Tanh
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


XOR = FullyRecurrent(
    hidden=1,
    squashing=Tanh(),
    hidden_first=True,
    hidden_bias=True,
    output_bias=True,
    hidden_links=False,
    reset=-1.0,
)


def test_parity_needs_seven_weights_too_where_the_output_alone_is_fed_back() -> None:
    assert count(XOR, 1, 1) == 7


def test_an_exclusive_or_of_the_input_and_the_last_output_is_parity() -> None:
    steep = {
        "hidden": [[5.0, 5.0]],  # from x and output: up where both are
        "hidden_bias": [-5.0],
        "outputs": [[5.0, -10.0, 5.0]],  # from x, hidden and output: up where one of the two is
        "output_bias": [-5.0],
    }
    params = {name: torch.tensor(it, dtype=torch.float64) for name, it in steep.items()}
    string = torch.randint(2, (50, 1), generator=torch.Generator().manual_seed(0)).double()
    state, said = XOR.start(params), []
    for x in 2 * string - 1:
        state = XOR.step(params, state, x)
        said.append(XOR.read(params, state, x) > 0)
    assert torch.equal(torch.stack(said), string.cumsum(0) % 2 == 1)


@pytest.mark.parametrize("additive", [False, True])
def test_without_hidden_links_no_hidden_unit_is_seen_by_one(additive: bool) -> None:
    cell = FullyRecurrent(hidden=3, hidden_links=False, additive=additive)
    params = cell.parameters(torch.Generator().manual_seed(0), 2, 2)
    x, state = torch.ones(2).double(), cell.start(params)
    jacobian = torch.func.jacrev(lambda it: cell.step(params, it, x))(state)
    assert (jacobian[:3, :3] == 0).all() and (jacobian[:3, 3:] != 0).all()
    assert (jacobian[3:] != 0).all()


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
