"""Pascanu's net starts in one of three ways, and goes the way of a simple recurrent net."""

import pytest
import torch

from farback.cells import Elman, Pascanu2013
from farback.cells.squashings import Identity, Tanh
from farback.errors import WrongUsage
from farback.types import Params


def fresh(cell: Pascanu2013) -> Params:
    return cell.parameters(torch.Generator().manual_seed(3), 6, 4)


@pytest.mark.parametrize(
    ("cell", "std"), [(Pascanu2013.sigmoid(), 0.01), (Pascanu2013.basic_tanh(), 0.1)]
)
def test_sigmoid_and_basic_tanh_start_normal(cell: Pascanu2013, std: float) -> None:
    params = fresh(cell)
    for name in ("recurrent", "input", "readout"):
        assert params[name].std().item() == pytest.approx(std, rel=0.15)
    assert not params["bias"].any() and not params["readout_bias"].any()


def test_smart_tanh_starts_sparse_and_just_inside_stability() -> None:
    params = fresh(Pascanu2013.smart_tanh())
    assert (params["recurrent"] != 0).sum(1).eq(15).all()
    radius = torch.linalg.eigvals(params["recurrent"]).abs().max().item()
    assert radius == pytest.approx(0.95, rel=1e-10)
    assert params["input"].std().item() == pytest.approx(0.01, rel=0.15)


def test_it_answers_as_a_simple_recurrent_net_with_the_same_weights() -> None:
    cell = Pascanu2013(hidden=5, std=0.8)
    params = fresh(cell)
    simple = Elman(
        hidden=5,
        squashing=Tanh(),
        readout_squashing=Identity(),
        hidden_bias=True,
        readout_bias=True,
        reset=0.0,
    )
    others = {
        "hidden": torch.cat([params["input"], params["recurrent"]], 1),
        "hidden_bias": params["bias"],
        "readout": params["readout"],
        "readout_bias": params["readout_bias"],
    }
    state, other = cell.start(params), simple.start(others)
    for x in torch.eye(6, dtype=torch.float64):
        state, other = cell.step(params, state, x), simple.step(others, other, x)
        ours, theirs = cell.read(params, state, x), simple.read(others, other, x)
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("connections", [0, 51])
def test_more_connections_than_units_are_refused(connections: int) -> None:
    with pytest.raises(WrongUsage, match="expected 1 to 50"):
        Pascanu2013(connections=connections)
