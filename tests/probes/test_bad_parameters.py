"""Weights that cannot be measured are named, with count and place, before anything runs."""

import math
import warnings

import pytest
import torch
from torch import nn

import farback as fb
from farback.errors import InputRefused

T, B, IN, H = 12, 3, 4, 5


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(IN, H, batch_first=True)
        self.head = nn.Linear(H, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


class Looped(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(IN, H)

    def forward(self, x):
        h = None
        for x_t in x.unbind(1):
            h = self.cell(x_t, h)
        return h


class OwnCell(nn.Module):
    def __init__(self):
        super().__init__()
        self.x, self.h = nn.Linear(IN, H), nn.Linear(H, H)

    def forward(self, x, h):
        return (self.x(x) + self.h(h)).tanh()


class OwnLoop(Looped):
    def __init__(self):
        super().__init__()
        self.cell = OwnCell()

    def forward(self, x):
        h = x.new_zeros(len(x), H)
        for x_t in x.unbind(1):
            h = self.cell(x_t, h)
        return h


def sequence():
    return torch.randn(B, T, IN, generator=torch.Generator().manual_seed(1))


def test_a_nan_in_a_weight_is_named_with_its_count_and_place(refused):
    model = Reader()
    model.rnn.weight_hh_l0.data[0, 0] = math.nan
    text = refused(model, sequence())
    assert text.startswith("rnn.weight_hh_l0 has 1 NaN at [0, 0]:")
    assert "a gradient through that means nothing" in text


def test_an_infinite_weight_is_named_with_its_count_and_place(refused):
    model = Reader()
    model.head.bias.data[1] = math.inf
    assert "head.bias has 1 infinity at [1]" in refused(model, sequence())


def test_every_bad_tensor_is_named_and_nan_is_told_from_infinity(refused):
    model = Reader()
    model.rnn.weight_hh_l0.data[2, 1] = math.nan
    model.rnn.bias_ih_l0.data[3:] = math.nan
    model.rnn.bias_ih_l0.data[-2:] = -math.inf
    text = refused(model, sequence())
    assert "rnn.weight_hh_l0 has 1 NaN at [2, 1]" in text
    assert f"rnn.bias_ih_l0 has {4 * H - 5} NaN and 2 infinities first at [3]" in text
    assert "head" not in text


def test_a_model_of_nothing_but_nan_names_some_tensors_and_counts_the_rest(refused):
    model = nn.LSTM(IN, H, num_layers=4)
    for parameter in model.parameters():
        parameter.data.fill_(math.nan)
    text = refused(model, sequence())
    assert text.count(" NaN first at ") == 8
    assert "; 8 tensors more:" in text


def test_a_nan_in_a_complex_weight_is_found(refused):
    model = Reader()
    model.scale = nn.Parameter(torch.ones(3, dtype=torch.complex64))
    model.scale.data[2] = complex(0, math.nan)
    assert "scale has 1 NaN at [2]" in refused(model, sequence())


@pytest.mark.parametrize("make", [Reader, Looped, OwnLoop])
def test_frozen_weights_change_no_number(make, probed):
    torch.manual_seed(0)
    model = make()
    free = probed(model, sequence())["adjoint_decay"].log_norm
    frozen = probed(model.requires_grad_(False), sequence())["adjoint_decay"].log_norm
    assert frozen.tolist() == pytest.approx(free.tolist(), abs=1e-5)


def test_a_frozen_embedding_is_still_where_the_error_is_measured(probed):
    class Tagger(Reader):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(7, IN)

        def forward(self, tokens):
            return super().forward(self.embedding(tokens))

    model = Tagger().requires_grad_(False)
    profile = probed(model, torch.randint(0, 7, (B, T)))
    assert profile["input_sensitivity"].entrance == "embedding"


def test_a_lazy_module_is_told_to_run_one_batch_first(refused):
    model = Reader()
    model.head = nn.LazyLinear(2)
    text = refused(model, sequence())
    assert "head.weight has no shape yet (a lazy module)" in text
    assert "run one batch through the model first" in text


def test_a_lazy_buffer_counts_as_well(refused):
    model = Reader()
    model.norm = nn.LazyBatchNorm1d(affine=False)
    assert "norm.running_mean has no shape yet" in refused(model, sequence())


@pytest.mark.parametrize("what", ["weight", "buffer"])
def test_what_is_on_the_meta_device_is_told_to_be_loaded(what, refused):
    model = Reader()
    if what == "weight":
        model.rnn = nn.LSTM(IN, H, batch_first=True, device="meta")
    else:
        model.register_buffer("scale", torch.ones(2, device="meta"))
    text = refused(model, sequence())
    assert ("rnn.weight_ih_l0" if what == "weight" else "scale") in text
    assert "is on the meta device and holds no numbers" in text
    assert "load them" in text


def test_weights_made_under_inference_mode_are_refused():
    with torch.inference_mode():
        model = Reader()
    with pytest.raises(InputRefused, match="was made under inference_mode"):
        fb.probe(model, sequence())


def test_a_quantised_layer_asks_for_the_float_model():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the whole module is deprecated
        model = torch.ao.quantization.quantize_dynamic(Reader(), {nn.LSTM, nn.Linear})
        with pytest.raises(InputRefused) as caught:
            fb.probe(model, sequence())
    assert "rnn is quantised, so its gradients mean nothing" in str(caught.value)
    assert "probe the float model" in str(caught.value)


def test_complex_weights_after_the_layer_are_followed_by_their_modulus(probed):
    class Wave(Reader):
        def __init__(self):
            super().__init__()
            self.wave = nn.Parameter(torch.randn(H, 2, dtype=torch.complex64))

        def forward(self, x):
            return self.rnn(x)[0].to(torch.complex64) @ self.wave

    torch.manual_seed(0)
    profile = probed(Wave(), sequence())
    assert profile.verdict.word == "vanishes"
    assert "The output is complex; its modulus was followed." in profile.notes


def test_a_complex_state_decays_at_the_modulus_of_its_eigenvalues(probed):
    class Rotation(nn.Module):
        """A diagonal linear cell with eigenvalues of modulus 0.9."""

        def __init__(self):
            super().__init__()
            angles = torch.linspace(0, 3, H, dtype=torch.float64)
            self.turn = nn.Parameter(torch.polar(torch.full_like(angles, 0.9), angles))

        def forward(self, x, h):
            return self.turn * h + x

    class Model(OwnLoop):
        def __init__(self):
            super().__init__()
            self.cell = Rotation()

        def forward(self, x):
            h = torch.zeros(len(x), H, dtype=torch.complex128)
            for x_t in x.unbind(1):
                h = self.cell(x_t[:, :1], h)
            return h

    profile = probed(Model(), sequence().double(), loss=lambda h, _: h.abs().square().sum())
    assert profile["adjoint_decay"].rate == pytest.approx(math.log(0.9), abs=1e-9)
    assert "cell holds complex states; their norms are those of the moduli." in profile.notes


def test_a_complex_loss_is_refused_and_its_modulus_proposed(refused):
    text = refused(Reader(), sequence(), loss=lambda y, _: y.to(torch.complex64).sum())
    assert text == "The loss is complex, and a real one was expected; take its modulus."
