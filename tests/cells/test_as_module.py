"""A cell as a layer: called as nn.RNN is, equal to torch's own, trained and probed."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

import farback as fb
from farback import cells
from farback.errors import InputRefused, WrongUsage

torch_layers = [(cells.GRU, nn.GRU), (cells.LSTM, nn.LSTM)]


def made(cell: cells.Cell, **options: bool) -> nn.Module:
    torch.manual_seed(0)
    return cell.as_module(inputs=3, **options)


@pytest.mark.parametrize(("cell", "layer"), torch_layers)
@pytest.mark.parametrize("batch_first", [False, True])
def test_it_is_torchs_own_layer(cell: type, layer: type, batch_first: bool) -> None:
    torch.manual_seed(1)
    theirs = layer(3, 5, batch_first=batch_first).double()
    of_torch, params = cell.from_torch(theirs)
    ours = of_torch.as_module(inputs=3, batch_first=batch_first).double()
    assert {name for name, _ in ours.named_parameters()} == set(params)
    ours.load_state_dict(params)
    xs = torch.randn(7, 4, 3, dtype=torch.float64)
    for given in (xs, xs[:, 0]):
        (found, last), (expected, kept) = ours(given), theirs(given)
        torch.testing.assert_close(found, expected)
        parts = kept if isinstance(kept, tuple) else (kept,)
        torch.testing.assert_close(last, torch.cat(parts, -1))


def test_a_sequence_goes_on_from_its_last_state() -> None:
    layer, xs = made(cells.GRU(hidden=4)), torch.randn(6, 2, 3)
    whole, last = layer(xs)
    first, state = layer(xs[:4])
    second, end = layer(xs[4:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(end, last)


def test_packed_sequences_come_out_as_each_alone() -> None:
    layer = made(cells.LSTM(hidden=4))
    each = [torch.randn(length, 3) for length in (2, 5, 3)]
    packed, last = layer(pack_sequence(each, enforce_sorted=False))
    padded, lengths = pad_packed_sequence(packed)
    for b, one in enumerate(each):
        outputs, state = layer(one)
        torch.testing.assert_close(padded[: lengths[b], b], outputs)
        torch.testing.assert_close(last[:, b], state)


def test_it_learns_and_is_probed_in_a_model() -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.head = made(cells.GRU(hidden=4)), nn.Linear(4, 1)

        def forward(self, xs: torch.Tensor) -> torch.Tensor:
            return self.head(self.layer(xs)[0])

    model, xs = Model(), torch.randn(9, 2, 3)
    model(xs).sum().backward()
    assert all(it.grad is not None and it.grad.abs().max() > 0 for it in model.parameters())
    assert fb.probe(model, xs, layout="time-first").verdict.word == "vanishes"


def test_torchs_seed_is_the_layers_seed() -> None:
    one, other = (made(cells.GRU(hidden=2)).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert {it.dtype for it in one.values()} == {torch.float32}


def test_what_does_not_fit_is_refused_in_a_sentence() -> None:
    layer = made(cells.GRU(hidden=4))
    with pytest.raises(InputRefused, match=r"shape \(7, 2, 5\) came .* expected \[T, B, 3\]"):
        layer(torch.randn(7, 2, 5))
    with pytest.raises(InputRefused, match=r"first state of shape \(1, 1, 4\).*\[1, 2, 4\]"):
        layer(torch.randn(7, 2, 3), torch.zeros(1, 1, 4))
    with pytest.raises(WrongUsage, match="try outputs=1"):
        cells.LSTM1997().as_module(inputs=3)
    assert cells.LSTM1997().as_module(inputs=3, outputs=2)(torch.randn(5, 1, 3))[0].shape[-1] == 2
    with pytest.raises(WrongUsage, match="throws no dice"):
        cells.ThresholdNet().as_module(inputs=1, outputs=1)


WITHOUT_DICE = [
    cell for it in dir(cells) if it != "squashings" and not (cell := getattr(cells, it)()).dice
]


@pytest.mark.parametrize("cell", WITHOUT_DICE, ids=lambda it: type(it).__name__)
def test_every_cell_without_dice_is_a_layer(cell: cells.Cell) -> None:
    layer = cell.as_module(inputs=3, outputs=1)
    expected = cell.parameters(torch.Generator().manual_seed(0), 3, 1)
    assert {name for name, _ in layer.named_parameters()} == set(expected)
    assert layer(torch.randn(4, 2, 3))[0].shape == (4, 2, 1)
