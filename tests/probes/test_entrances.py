"""Where the data enter: the input, an embedding, a convolution before the layer, a named layer."""

import pytest
import torch
from torch import nn

import farback as fb

T, B, IN, H = 24, 3, 4, 5


def test_tokens_are_differentiated_at_the_embedding():
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(11, IN)
            self.rnn = nn.LSTM(IN, H, batch_first=True)

        def forward(self, tokens):
            return self.rnn(self.embedding(tokens))[0]

    torch.manual_seed(0)
    model = Tagger().double()
    tokens = torch.randint(0, 11, (B, T))
    profile = fb.probe(model, tokens, loss=lambda y, _: y[:, -1].sum())
    assert profile["input_sensitivity"].entrance == "embedding"
    layer = nn.LSTM(IN, H, batch_first=True).double()
    layer.load_state_dict(model.rnn.state_dict())
    same = fb.probe(layer, model.embedding(tokens).detach(), loss=lambda y, _: y[:, -1].sum())
    assert same["input_sensitivity"].log_norm.tolist() == pytest.approx(
        profile["input_sensitivity"].log_norm.tolist(), abs=1e-12
    )


def test_padded_tokens_packed_inside_are_measured_from_each_rows_own_end():
    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(11, IN)
            self.rnn = nn.GRU(IN, H, batch_first=True)

        def forward(self, tokens, lengths):
            packed = nn.utils.rnn.pack_padded_sequence(
                self.embedding(tokens), lengths, batch_first=True, enforce_sorted=False
            )
            return self.rnn(packed)[1][0]

    torch.manual_seed(0)
    model = Reader().double()
    tokens, lengths = torch.randint(0, 11, (3, 12)), torch.tensor([5, 12, 8])
    profile = fb.probe(model, ((tokens, lengths), None), loss=lambda h, _: h.sum())
    embedded = model.embedding(tokens).detach().requires_grad_()
    packed = nn.utils.rnn.pack_padded_sequence(
        embedded, lengths, batch_first=True, enforce_sorted=False
    )
    (gradient,) = torch.autograd.grad(model.rnn(packed)[1].sum(), embedded)
    norms = gradient.norm(dim=-1).log()
    rows = [norms[b, :n].flip(0) for b, n in enumerate(lengths.tolist())]
    expected = [
        float(torch.stack([r[q] for r in rows if len(r) > q]).quantile(0.5)) for q in range(12)
    ]
    assert profile["input_sensitivity"].log_norm.tolist() == pytest.approx(expected, abs=1e-10)


def test_convolutions_take_channels_first_and_it_is_said():
    torch.manual_seed(0)
    model = nn.Sequential(nn.ConstantPad1d((8, 0), 0.0), nn.Conv1d(3, 8, 5, dilation=2))
    profile = fb.probe(model, torch.randn(4, 3, 30))
    assert profile.verdict.word == "ends at 9"
    assert profile.reading == "read as batch=4, time=30, features=3 (channels first)"


def test_a_convolution_before_a_layer_is_part_of_the_way_to_the_input():
    class Front(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(IN, H, 3, padding=2)
            self.rnn = nn.GRU(H, H, batch_first=True)

        def forward(self, x):
            return self.rnn(self.conv(x)[..., :-2].transpose(1, 2))[0][:, -1]

    torch.manual_seed(0)
    model = Front().double()
    x = torch.randn(B, IN, T, dtype=torch.float64)
    found = fb.probe(model, (x, None), loss=lambda y, _: y.sin().sum())["input_sensitivity"]
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(model(x).sin().sum(), x)
    expected = gradient.norm(dim=1).log().flip(1).quantile(0.5, dim=0).tolist()
    assert found.log_norm.tolist() == pytest.approx(expected, abs=1e-10)


def test_a_named_layer_that_gives_all_steps_is_where_the_input_is_taken():
    torch.manual_seed(0)
    convs = nn.Sequential(*(nn.Conv1d(4, 4, 3) for _ in range(2)))

    class Causal(nn.Module):
        def __init__(self):
            super().__init__()
            self.low, self.high = convs

        def forward(self, x):
            pad = nn.functional.pad
            x = self.low(pad(x.transpose(1, 2), (2, 0))).transpose(1, 2)
            return self.high(pad(self.norm(x).transpose(1, 2), (2, 0))).transpose(1, 2)

        def norm(self, x):
            return self.between(x)

    model = Causal()
    model.between = nn.LayerNorm(4)
    x = torch.randn(2, 20, 4)
    assert fb.probe(model, x).verdict.word == "ends at 5"
    named = fb.probe(model, x, cells="between")
    assert named.verdict.word == "ends at 3"
    assert named["input_sensitivity"].entrance == "between"
