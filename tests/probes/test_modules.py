"""Ordinary modules, unmodified: the error at the input equals plain autograd's (float64)."""

import pytest
import torch
from torch import nn

import farback as fb

T, B, IN, H = 24, 3, 4, 5


class Head(nn.Module):
    """An embedded layer: norm, two stacked layers with a norm between, a head on the last step."""

    def __init__(self, layer=nn.LSTM):
        super().__init__()
        self.enter = nn.Linear(IN, H)
        self.low = layer(H, H, batch_first=True)
        self.norm = nn.LayerNorm(H)
        self.high = layer(H, H, batch_first=True, num_layers=2)
        self.head = nn.Linear(H, 2)

    def forward(self, x):
        y, _ = self.low(self.enter(x).tanh())
        y, _ = self.high(self.norm(y))
        return self.head(y[:, -1])


class Residual(nn.Module):
    """Two layers, the second on top of the first, and a sum of both read at the end."""

    def __init__(self):
        super().__init__()
        self.low = nn.GRU(IN, H, batch_first=True)
        self.high = nn.GRU(H, H, batch_first=True)

    def forward(self, x):
        low, _ = self.low(x)
        high, _ = self.high(low)
        return (low + high)[:, -1]


class Loop(nn.Module):
    """PyTorch's own cells, called from a loop, two on top of each other."""

    def __init__(self, cell=nn.LSTMCell):
        super().__init__()
        self.low = cell(IN, H)
        self.high = cell(H, H)

    def forward(self, x):
        low = high = None
        for t in range(x.shape[1]):
            low = self.low(x[:, t], low)
            out = low[0] if isinstance(low, tuple) else low
            high = self.high(out, high)
        return high[0] if isinstance(high, tuple) else high


class Own(nn.Module):
    """A cell of the user's own, a module that takes x and h."""

    class Cell(nn.Module):
        def __init__(self):
            super().__init__()
            self.x = nn.Linear(IN, H)
            self.h = nn.Linear(H, H)
            self.norm = nn.LayerNorm(H)

        def forward(self, x, h):
            return self.norm(self.x(x) + self.h(h)).tanh()

    def __init__(self):
        super().__init__()
        self.cell = self.Cell()

    def forward(self, x):
        h = x.new_zeros(len(x), H)
        for x_t in x.unbind(1):
            h = self.cell(x_t, h)
        return h


class Inline(nn.Module):
    """The step written into forward; only its linear maps are modules."""

    def __init__(self):
        super().__init__()
        self.x2h = nn.Linear(IN, H)
        self.h2h = nn.Linear(H, H)

    def forward(self, x):
        h = x.new_zeros(len(x), H)
        for t in range(x.shape[1]):
            h = (self.x2h(x[:, t]) + self.h2h(h)).tanh()
        return h


class Skip(nn.Module):
    """A cell whose state also jumps over a step, so that errors take two ways back."""

    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(IN, H)

    def forward(self, x):
        before = h = x.new_zeros(len(x), H)
        for t in range(x.shape[1]):
            h, before = self.cell(x[:, t], 0.7 * h + 0.3 * before), h
        return h


class Decoder(nn.Module):
    """An encoder hands its state to a decoder with attention over the encoder's outputs."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.LSTM(IN, H, batch_first=True)
        self.decoder = nn.LSTMCell(H, H)

    def forward(self, x):
        y, (h, c) = self.encoder(x)
        h, c = h[0], c[0]
        for _ in range(6):
            weight = (y @ h.unsqueeze(-1)).softmax(1)
            h, c = self.decoder((weight * y).sum(1), (h, c))
        return h


class Windows(nn.Module):
    """A fused layer called window by window, its state passed on."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(IN, H, num_layers=2, batch_first=True)

    def forward(self, x):
        state = None
        for window in x.split(7, 1):
            y, state = self.rnn(window, state)
        return y[:, -1]


class Both(nn.Module):
    """A bidirectional stack read in the middle."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(IN, H, num_layers=2, bidirectional=True, batch_first=True)

    def forward(self, x):
        return self.rnn(x)[0][:, -1]


class TimeFirst(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(IN, H)

    def forward(self, x):
        return self.rnn(x.transpose(0, 1))[0][-1]


MODELS = [
    Head,
    lambda: Head(nn.GRU),
    lambda: Head(nn.RNN),
    Residual,
    Loop,
    lambda: Loop(nn.GRUCell),
    lambda: Loop(nn.RNNCell),
    Own,
    Inline,
    Skip,
    Decoder,
    Windows,
    Both,
    TimeFirst,
]


def by_lag(model, x):
    """ln |dE/dx| by lag from plain autograd, the median over rows."""
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(x).sin().sum(), x)
    return gradient.norm(dim=-1).log().flip(1).quantile(0.5, dim=0)


@pytest.mark.parametrize("make", MODELS, ids=lambda m: getattr(m, "__name__", "made"))
def test_the_error_at_the_input_equals_autograd(make):
    torch.manual_seed(0)
    model = make().double()
    x = torch.randn(B, T, IN, dtype=torch.float64)
    profile = fb.probe(model, (x, None), loss=lambda y, _: y.sin().sum())
    found = profile["input_sensitivity"]
    assert "adjoint_decay" in profile
    # the last read step of an encoder and decoder lies behind the input's last step
    expected = by_lag(model, x).tolist()
    ours = (
        found.log_norm[len(found.log_norm) - T :] if isinstance(model, Decoder) else found.log_norm
    )
    if isinstance(model, Decoder):
        assert profile["adjoint_decay"].lags[-1] == T + 6 - 1
    assert list(ours) == pytest.approx(expected, abs=1e-10)


class Started(nn.Module):
    """A loop whose first state is float32 by name, whatever the input."""

    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(IN, H)

    def forward(self, x):
        state = torch.zeros(len(x), H, dtype=torch.float32)
        for step in x.unbind(1):
            state = self.cell(step, state)
        return state


def test_a_model_that_names_its_float_type_is_probed_deep_in_that_type_and_that_is_said():
    profile = fb.probe(Started(), torch.randn(B, T, IN), depth="deep")
    assert profile.settings["dtype"] == "float32"
    assert any("runs in float32 only" in note for note in profile.notes)
    assert "lyapunov" in profile.measurements
