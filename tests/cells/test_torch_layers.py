"""A layer of torch and its head enter as a cell that does the same, to 1e-12."""

import pytest
import torch
from torch import nn

from farback.cells import GRU, LSTM
from farback.errors import InputRefused
from farback.learners.gradients import BPTT
from farback.problem import Problem
from farback.tasks import EmbeddedReber
from farback.types import Sequences

STEPS, INPUTS, HIDDEN, OUTPUTS = 30, 3, 5, 2
BOTH = pytest.mark.parametrize(
    ("cell", "kind"), [(LSTM, nn.LSTM), (GRU, nn.GRU)], ids=["LSTM", "GRU"]
)


def made(kind: type[nn.RNNBase], *, bias: bool = True) -> tuple[nn.RNNBase, nn.Linear]:
    """A layer and a head with random weights that no global seed decides."""
    layer, head = kind(INPUTS, HIDDEN, bias=bias), nn.Linear(HIDDEN, OUTPUTS, bias=bias)
    generator = torch.Generator().manual_seed(1)
    for module in (layer, head):
        module.double()
        for weights in module.parameters():
            weights.data.normal_(std=0.7, generator=generator)
    return layer, head


def noise() -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(STEPS, INPUTS, generator=generator, dtype=torch.float64)


@BOTH
@pytest.mark.parametrize("bias", [True, False], ids=["biased", "without bias"])
def test_states_and_outputs_are_those_of_torch(
    cell: type[LSTM | GRU], kind: type[nn.RNNBase], bias: bool
) -> None:
    layer, head = made(kind, bias=bias)
    ours, params = cell.from_torch(layer, head)
    xs, state = noise(), ours.start(params)
    hidden = layer(xs)[0]
    for t, x in enumerate(xs):
        state = ours.step(params, state, x)
        torch.testing.assert_close(state[:HIDDEN], hidden[t], rtol=1e-12, atol=1e-12)
        output = ours.read(params, state, x)
        torch.testing.assert_close(output, head(hidden[t]), rtol=1e-12, atol=1e-12)


@BOTH
def test_a_layer_alone_answers_with_its_state(
    cell: type[LSTM | GRU], kind: type[nn.RNNBase]
) -> None:
    layer, _ = made(kind)
    ours, params = cell.from_torch(layer)
    x = noise()[0]
    state = ours.step(params, ours.start(params), x)
    assert torch.equal(ours.read(params, state, x), state[:HIDDEN])


def test_an_lstm_has_the_gradient_of_torch() -> None:
    layer, head = made(nn.LSTM)
    ours, params = LSTM.from_torch(layer, head)
    targets = torch.zeros(STEPS, OUTPUTS, dtype=torch.float64)
    ones = torch.ones(STEPS, dtype=torch.float64)
    sequence = Sequences(noise(), targets, targets, ones, ones.bool())
    gradient = BPTT()(Problem(ours, EmbeddedReber()), params, sequence).gradient

    (head(layer(noise())[0]) ** 2).sum().div(2).backward()
    by_input, by_state = layer.weight_ih_l0.grad, layer.weight_hh_l0.grad
    i, f, g, o = torch.cat([by_input, by_state], 1).chunk(4)
    close = {"rtol": 1e-10, "atol": 1e-10}
    torch.testing.assert_close(gradient["gates"], torch.cat([i, f, o, g]), **close)
    torch.testing.assert_close(gradient["readout"], head.weight.grad, **close)


@BOTH
def test_what_is_trained_later_leaves_the_cell_alone(
    cell: type[LSTM | GRU], kind: type[nn.RNNBase]
) -> None:
    layer, head = made(kind)
    _, params = cell.from_torch(layer, head)
    before = {name: value.clone() for name, value in params.items()}
    with torch.no_grad():
        for weights in (*layer.parameters(), *head.parameters()):
            weights.add_(1)
    assert all(torch.equal(value, before[name]) for name, value in params.items())
    assert not any(value.requires_grad for value in params.values())


@pytest.mark.parametrize(
    ("layer", "head", "what"),
    [
        (nn.GRU(3, 5), None, "expected an nn.LSTM"),
        (nn.LSTM(3, 5, num_layers=2), None, "expected one layer"),
        (nn.LSTM(3, 5, bidirectional=True), None, "one direction"),
        (nn.LSTM(3, 5, proj_size=2), None, "without projection"),
        (nn.LSTM(3, 5), nn.Linear(4, 2), r"try nn\.Linear\(5, 2\)"),
        (nn.LSTM(3, 5), nn.Tanh(), "expected an nn.Linear"),
    ],
    ids=["kind", "layers", "directions", "projection", "head's size", "head's kind"],
)
def test_what_does_not_fit_is_refused(layer: nn.LSTM, head: nn.Linear, what: str) -> None:
    with pytest.raises(InputRefused, match=what):
        LSTM.from_torch(layer, head)
