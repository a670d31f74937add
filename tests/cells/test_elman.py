"""Elman's net: weight counts, as its own and as the net of experiment 2a."""

import pytest
import torch

from farback.cells import Elman
from farback.errors import WrongUsage


def count(cell: Elman, symbols: int) -> int:
    params = cell.parameters(torch.Generator(), symbols, symbols)
    return sum(it.numel() for it in params.values())


def test_fifteen_units_on_seven_symbols_have_435_weights() -> None:
    assert count(Elman(hidden=15), 7) == 435


@pytest.mark.parametrize(("p", "weights"), [(4, 36), (10, 144), (100, 10404)])
def test_the_net_of_experiment_2a_has_as_many_weights_as_in_table_2(p: int, weights: int) -> None:
    assert count(Elman(hidden=1, shortcut=True, reset=0.0), p + 1) == weights


def test_a_shortcut_brings_the_input_to_the_outputs_of_its_own_step() -> None:
    cell = Elman(hidden=1, shortcut=True)
    params = {"hidden": torch.zeros(1, 3), "readout": torch.tensor([[5.0, 0.0, 0.0]])}
    state = cell.start(params)
    on, off = (cell.read(params, state, torch.tensor(x)) for x in ([1.0, 0.0], [0.0, 1.0]))
    assert on.item() == torch.sigmoid(torch.tensor(5.0)).item() and off.item() == 0.5


def test_a_net_without_hidden_units_is_refused() -> None:
    with pytest.raises(WrongUsage, match="hidden came as 0, expected at least 1; try hidden=1"):
        Elman(hidden=0)
