"""Numbers that break, underflow or grow too large, and batches that do not fit into memory."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import farback as fb
from farback.errors import WrongUsage
from farback.probes import _memory
from farback.probes._probe import _count, _seed

T, B, IN, H = 12, 3, 4, 5


class Reader(nn.Module):
    """A layer between `before` and `after`."""

    def __init__(self, before=lambda x: x, after=lambda y: y, layer=nn.LSTM):
        super().__init__()
        torch.manual_seed(0)
        self.rnn = layer(IN, H, batch_first=True)
        self.before, self.after = before, after

    def forward(self, x):
        return self.after(self.rnn(self.before(x))[0])


def sequence(steps=T, rows=B):
    return torch.randn(rows, steps, IN, generator=torch.Generator().manual_seed(1))


def growing(rate, steps):
    """A relu layer whose state grows by the factor `rate` in each step."""
    layer = nn.RNN(IN, H, nonlinearity="relu", batch_first=True)
    with torch.no_grad():
        layer.weight_hh_l0.copy_(rate * torch.eye(H))
        layer.bias_hh_l0.fill_(1.0)
    return layer


# NaN and infinity that appear only during the pass.


def test_a_layer_that_overflows_is_named_with_its_first_step(refused):
    text = refused(growing(1e8, T), sequence())
    assert text.startswith("RNN.l0 first gives NaN or infinity at step 5")  # 1e40 > 3e38


def test_a_nan_that_enters_a_layer_is_told_from_one_that_it_makes(refused):
    late = torch.arange(T)[None, :, None] >= 7
    text = refused(Reader(before=lambda x: torch.where(late, x / 0 - x / 0, x)), sequence())
    assert text.startswith("NaN or infinity first appears in what rnn (LSTM) takes at step 7")


def test_a_cell_that_takes_a_nan_is_named_with_its_step(refused):
    class Looped(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.GRUCell(IN, H)

        def forward(self, x):
            h = None
            for t, x_t in enumerate(x.unbind(1)):
                h = self.cell(x_t, h if t != 6 else h / 0)
            return h

    text = refused(Looped(), sequence())
    assert text.startswith("NaN or infinity first appears in what cell (GRUCell) takes at step 6")


def test_a_module_that_makes_a_nan_before_the_layer_is_the_one_that_is_named(refused):
    model = Reader()
    model.norm = nn.BatchNorm1d(IN).eval()
    model.before = lambda x: model.norm(x.transpose(1, 2)).transpose(1, 2)
    model.norm.running_mean[1] = math.nan
    text = refused(model, sequence())
    assert "first appears in what norm (BatchNorm1d) gives" in text
    assert "its buffer running_mean holds NaN" in text


def test_a_nan_after_the_layer_is_refused_and_not_measured_around(refused):
    text = refused(Reader(after=lambda y: (-1e9 * y.square()).exp().log()), sequence())
    assert "first appears in what Reader gives at step 0" in text


def test_a_nan_in_the_gradient_alone_names_the_line(refused):
    text = refused(Reader(after=lambda y: (0 * y).sqrt()), sequence())
    assert "The gradient of the loss at the output of rnn is NaN" in text
    assert "test_bad_numbers.py line" in text


def test_a_nan_on_the_way_back_between_two_layers_names_the_line(refused):
    class Two(Reader):
        def __init__(self):
            super().__init__()
            self.top = nn.LSTM(H, H, batch_first=True)

        def forward(self, x):
            y = self.rnn(x)[0]
            return self.top(torch.where(y > 9, y.log(), (0 * y).sqrt()))[0]

    text = refused(Two(), sequence())
    assert "comes back to the output of rnn" in text and "test_bad_numbers.py line" in text


def test_a_loss_that_is_nan_is_refused(refused):
    text = refused(Reader(), sequence(), loss=lambda y, _: math.nan * y.sum())
    assert "The gradient of the loss at the output of rnn is NaN" in text


# Underflow.


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_half_precision_model_is_recomputed_in_float64_and_its_underflow_is_told(dtype, probed):
    model = Reader(layer=nn.RNN).to(dtype)
    x = sequence(60).to(dtype)
    profile = probed(model, x, loss=lambda y, _: y[:, -1].sum())
    name = str(dtype).removeprefix("torch.")
    assert profile.settings["dtype"] == "float64"
    assert profile.environment["model dtype"] == name
    assert f"The model is {name}; its error was followed in float64." in profile.notes
    assert np.isfinite(profile["adjoint_decay"].log_norm).all()
    assert 0 < profile["underflow"].lag["float16"] < 60
    wide = Reader(layer=nn.RNN).to(dtype).double()
    same = fb.probe(wide, x.double(), loss=lambda y, _: y[:, -1].sum())
    assert profile["adjoint_decay"].rate == pytest.approx(same["adjoint_decay"].rate, rel=1e-12)


def test_a_long_float32_batch_has_no_zero_where_plain_autograd_has_many(probed):
    model, x = Reader(layer=nn.RNN), sequence(600, 1)
    given = x.clone().requires_grad_()
    (plain,) = torch.autograd.grad(model(given)[:, -1].sum(), given)
    assert (plain.norm(dim=-1) == 0).sum() > 100
    profile = probed(model, x, loss=lambda y, _: y[:, -1].sum())
    assert np.isfinite(profile["input_sensitivity"].log_norm).all()
    assert profile["underflow"].lag["float32"] < 600


def test_a_gradient_beyond_the_largest_float32_is_a_finite_number(probed):
    model = Reader(layer=nn.RNN)
    with torch.no_grad():
        model.rnn.weight_ih_l0.zero_()
        model.rnn.bias_ih_l0.zero_()
        model.rnn.bias_hh_l0.zero_()
        model.rnn.weight_hh_l0.copy_(100 * torch.eye(H))
    profile = probed(model, torch.zeros(1, 40, IN), loss=lambda y, _: y[:, -1].sum())
    decay = profile["adjoint_decay"]
    assert decay.rate == pytest.approx(math.log(100), rel=1e-6)
    assert decay.log_norm[-1] > math.log(torch.finfo(torch.float32).max)


# Memory.


def test_a_replay_that_does_not_fit_is_done_in_chunks_and_that_is_said(probed, monkeypatch):
    model, x = Reader(), sequence(400)
    whole = probed(model, x)["adjoint_decay"].log_norm
    monkeypatch.setattr(_memory, "available", lambda device: 400_000)
    profile = probed(model, x)
    (note,) = (note for note in profile.notes if "chunks" in note)
    assert "rnn: the whole replay would not fit into the free memory" in note
    assert profile["adjoint_decay"].log_norm.tolist() == pytest.approx(whole.tolist(), abs=1e-6)


def test_a_replay_that_fits_in_no_chunk_is_refused_before_it_is_tried(refused, monkeypatch):
    monkeypatch.setattr(_memory, "available", lambda device: 2**20)
    text = refused(Reader(), sequence(4000))
    assert "The replay needs" in text and "MiB for 4000 steps of 3 rows" in text
    assert "free 1.0 MiB" in text and "max_steps (--max-steps)" in text


def test_the_last_steps_alone_can_be_measured_where_all_do_not_fit(probed, monkeypatch):
    monkeypatch.setattr(_memory, "available", lambda device: 2**20)
    profile = probed(Reader(), sequence(4000), max_steps=300)
    assert profile.reading == "read as batch=3, time=300, features=4"
    assert "Only the last 300 of 4000 steps were used (max_steps)." in profile.notes


# On a device.


@pytest.mark.gpu
@pytest.mark.parametrize("training", [True, False])
def test_a_model_on_cuda_is_measured_where_it_lies_in_either_mode(training, probed):
    model, x = Reader().train(training), sequence()
    here = probed(model, x)["adjoint_decay"].log_norm
    there = probed(model.cuda(), x.cuda())["adjoint_decay"].log_norm
    assert there.tolist() == pytest.approx(here.tolist(), abs=1e-3)
    assert model.training == training


# Numbers that are asked for.


@pytest.mark.parametrize("kind", [np.int64, np.uint8, int], ids=lambda it: it.__name__)
def test_whole_numbers_are_taken_whoever_they_are_of(probed, kind):
    asked = {"needs": kind(3), "chunk": kind(4), "max_steps": kind(8), "seed": kind(2)}
    profile = probed(Reader(), sequence(), **asked)
    assert (type(profile.settings["needs"]), profile.settings["needs"]) == (int, 3)
    assert (
        profile.to_json()
        == probed(Reader(), sequence(), **dict(zip(asked, (3, 4, 8, 2), strict=True))).to_json()
    )


@pytest.mark.parametrize("name", ["needs", "chunk", "max_steps", "seed"])
@pytest.mark.parametrize("number", [-1, 2.0, np.float32(3), True, "3"], ids=repr)
def test_what_is_no_number_of_steps_is_refused(name, number):
    with pytest.raises(WrongUsage, match="and a whole number") as caught:
        _seed(number) if name == "seed" else _count(name, number)
    assert str(caught.value).startswith(f"{name} is {number!r}, and")
