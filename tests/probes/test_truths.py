"""Closed forms: what must come out where theory knows the answer (float64 unless said)."""

import math

import pytest
import torch
from torch import nn

import farback as fb
from farback.probes import StepMap


def orthogonal(n):
    torch.manual_seed(0)
    return torch.linalg.qr(torch.randn(n, n, dtype=torch.float64))[0]


def linear(rho, steps, n=6):
    w = rho * orthogonal(n)
    start = torch.randn(3, n, dtype=torch.float64)
    xs = torch.zeros(3, steps, 1, dtype=torch.float64)
    weights = torch.randn(n, dtype=torch.float64)
    return fb.probe(
        StepMap(lambda s, x: s @ w.T, start=start),
        (xs, None),
        loss=lambda s, _: (s @ weights).sum(),
    )


@pytest.mark.parametrize("rho", [0.5, 0.9, 1.0, 1.1])
def test_the_rate_of_a_scaled_rotation_is_ln_rho(rho):
    profile = linear(rho, 60)
    assert profile["adjoint_decay"].rate == pytest.approx(math.log(rho), abs=1e-9)
    word = "sustains" if rho == 1.0 else "explodes" if rho > 1 else "vanishes"
    assert profile.verdict.word == word


def test_each_loss_time_of_a_step_map_is_its_last_step() -> None:
    def norms(steps: int, times: list[int] | None = None) -> list[float]:
        w, start = 0.9 * orthogonal(4), torch.ones(3, 4).double()
        step = StepMap(lambda s, x: torch.tanh(s @ w.T), start=start)
        silence = torch.zeros(3, steps, 1).double(), None
        profile = fb.probe(step, silence, loss=lambda s, _: s[:, 0].sum(), loss_times=times)
        return list(profile["adjoint_decay"].log_norm)

    assert norms(20, [11]) == norms(12)
    assert norms(20, [-1]) == norms(20)


def test_a_norm_of_1e_minus_1505_is_a_finite_number():
    rho = 10**-3.01
    decay = linear(rho, 501)["adjoint_decay"]
    start = decay.log_norm[0]
    expected = start + 500 * math.log(rho)
    assert decay.log_norm[500] == pytest.approx(expected, rel=1e-6)
    assert decay.lags[-1] == 500


def test_one_tanh_unit_at_its_attractor_forgets_at_ln_0_6191():
    # Bengio, Simard and Frasconi 1994: a_t = w tanh(a_{t-1}), w = 1.25, attractor a = 0.8880
    start = torch.full((2, 1), 0.8880, dtype=torch.float64)
    step = StepMap(lambda a, x: 1.25 * a.tanh() + 0 * x, start=start)
    xs = torch.zeros(2, 50, 1, dtype=torch.float64)
    profile = fb.probe(step, (xs, None), loss=lambda a, _: a.sum())
    assert profile["adjoint_decay"].rate == pytest.approx(-0.479, abs=1e-3)


@pytest.mark.parametrize("f", [0.3, 0.9, 0.999])
def test_the_c_block_of_a_held_forget_gate_forgets_at_ln_f(f):
    torch.manual_seed(0)
    layer = nn.LSTM(2, 5, batch_first=True).double()
    with torch.no_grad():
        layer.weight_hh_l0.zero_()
        layer.weight_ih_l0[5:10] = 0
        layer.bias_ih_l0[5:10] = math.log(f / (1 - f))
        layer.bias_hh_l0[5:10] = 0
    profile = fb.probe(layer, torch.randn(3, 60, 2).double(), loss=lambda y, _: y[:, -1].sum())
    blocks = profile["adjoint_decay"].blocks
    assert blocks["LSTM.l0:c"].rate == pytest.approx(math.log(f), abs=1e-6)
    assert profile["gate_memory"].mean == pytest.approx(f, abs=1e-9)


class Detached(nn.Module):
    def __init__(self, cell, every, hidden=6):
        super().__init__()
        self.cell = cell
        self.every = every
        self.hidden = hidden

    def forward(self, x):
        state = None
        for t in range(x.shape[1]):
            if t and t % self.every == 0:
                state = (
                    tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
                )
            state = self.cell(x[:, t], state)
        return state[0] if isinstance(state, tuple) else state


@pytest.mark.parametrize("cell", [nn.RNNCell, nn.GRUCell, nn.LSTMCell])
@pytest.mark.parametrize("k", [1, 4, 7])
def test_a_state_detached_every_k_steps_is_truncated_at_k(cell, k):
    torch.manual_seed(0)
    profile = fb.probe(Detached(cell(2, 6), k), torch.randn(3, 20, 2))
    assert profile.verdict.word == f"truncated at {k}"
    assert profile["truncation"].steps == k


def test_a_fused_layer_called_on_windows_with_detached_state_is_truncated():
    class Windows(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.LSTM(2, 6, batch_first=True)

        def forward(self, x):
            state = None
            for window in x.split(5, 1):
                if state is not None:
                    state = tuple(s.detach() for s in state)
                y, state = self.rnn(window, state)
            return y

    torch.manual_seed(0)
    profile = fb.probe(Windows(), torch.randn(3, 20, 2), loss=lambda y, _: y[:, -1].sum())
    assert profile["truncation"].steps == 5
    assert len(profile["adjoint_decay"].lags) == 20
    assert profile["adjoint_decay"].log_norm[5] == -math.inf


class Attention(nn.Module):
    """L layers of attention; `band` steps are seen by each, None for all of them."""

    def __init__(self, layers, band, width=8):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.MultiheadAttention(width, 2, batch_first=True) for _ in range(layers)
        )
        self.band = band

    def forward(self, x):
        steps = x.shape[1]
        mask = None
        if self.band is not None:
            lag = torch.arange(steps)[:, None] - torch.arange(steps)
            mask = (lag < 0) | (lag >= self.band)
        for layer in self.layers:
            x = x + layer(x, x, x, attn_mask=mask, need_weights=False)[0]
        return x


@pytest.mark.parametrize(("layers", "band"), [(1, 4), (2, 4), (3, 5)])
def test_banded_causal_attention_ends_at_its_receptive_field(layers, band):
    torch.manual_seed(0)
    profile = fb.probe(Attention(layers, band), torch.randn(2, 30, 8))
    assert profile.verdict.word == f"ends at {layers * (band - 1) + 1}"


def test_an_unmasked_encoder_ends_with_the_batch_and_says_so():
    torch.manual_seed(0)
    profile = fb.probe(Attention(2, None), torch.randn(2, 30, 8))
    assert profile.verdict.word == "ends at 30"
    assert "at least 30, the batch ends there" in profile.verdict.sentence


def test_dilated_causal_convolutions_end_at_their_receptive_field():
    class Convolutions(nn.Module):
        def __init__(self):
            super().__init__()
            self.convs = nn.ModuleList(nn.Conv1d(4, 4, 3, dilation=d) for d in (1, 2, 4))

        def forward(self, x):
            x = x.transpose(1, 2)
            for conv in self.convs:
                x = conv(nn.functional.pad(x, (2 * conv.dilation[0], 0))).tanh()
            return x.transpose(1, 2)

    torch.manual_seed(0)
    profile = fb.probe(Convolutions(), torch.randn(2, 40, 4))
    assert profile.verdict.word == f"ends at {1 + 2 * (1 + 2 + 4)}"


@pytest.mark.parametrize(
    "loss",
    [
        lambda y, target: 0 * y.sum(),
        lambda y, target: target.mean(),
        lambda y, target: (target - 1).square().sum() * torch.ones((), requires_grad=True),
    ],
)
def test_a_loss_that_ignores_the_sequence_gives_no_signal(loss):
    profile = fb.probe(
        nn.GRU(2, 4, batch_first=True), (torch.randn(3, 9, 2), torch.randn(3)), loss=loss
    )
    assert profile.verdict.word == "no signal"
    assert profile.verdict.severity == "bad"


def test_a_matrix_whose_eigenvalues_hide_its_growth_is_measured_as_it_is():
    # papers.md D2, caveat: eigenvalues below one do not bound a product of non-normal matrices
    w = torch.tensor([[0.5, 10.0], [0.0, 0.5]], dtype=torch.float64)
    step = StepMap(lambda s, x: s @ w.T, start=torch.ones(1, 2, dtype=torch.float64))
    decay = fb.probe(step, torch.zeros(1, 12, 1).double(), loss=lambda s, _: s[:, 0].sum())[
        "adjoint_decay"
    ]
    expected = [
        0.5 * math.log(0.25**q + (q * 10 * 0.5 ** (q - 1)) ** 2) if q else 0.0 for q in range(12)
    ]
    assert decay.log_norm.tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("k", [1, 3, 8])
def test_a_step_map_that_detaches_inside_is_truncated_at_k(k):
    count = iter(range(20))

    def step(state, x):
        state = state.detach() if next(count) % k == 0 else state
        return (0.9 * state + x).tanh()

    profile = fb.probe(StepMap(step, start=torch.ones(2, 3)), (torch.randn(2, 20, 3), None))
    assert profile.verdict.word == f"truncated at {k}"
