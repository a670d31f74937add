"""What is measured at which loss time, in which arithmetic, under which mask."""

import math

import pytest
import torch
from torch import nn

import farback as fb

T, B, IN, H = 24, 3, 4, 5


def test_each_loss_time_is_measured_apart():
    torch.manual_seed(0)
    layer = nn.GRU(IN, H, batch_first=True).double()
    x = torch.randn(B, T, IN, dtype=torch.float64)
    together = fb.probe(layer, x, loss=lambda y, _: y.sum(), loss_times=[5, 23])
    alone = [
        fb.probe(layer, x, loss=lambda y, _: y.sum(), loss_times=[t])["adjoint_decay"]
        for t in (5, 23)
    ]
    assert together.settings["loss_times"] == [5, 23]
    assert together["adjoint_decay"].log_norm[10:].tolist() == alone[1].log_norm[10:].tolist()
    assert together["adjoint_decay"].samples == sum(one.samples for one in alone)
    assert len(alone[0].lags) == 6


def test_without_a_loss_random_projections_estimate_the_frobenius_norm():
    torch.manual_seed(0)
    layer = nn.RNN(2, 40, batch_first=True).double()
    x = torch.randn(1, 9, 2, dtype=torch.float64)
    profile = fb.probe(layer, x, loss_times=[-1])
    assert "random projections" in profile.settings["loss"]
    outputs = layer(x)[0]
    state = outputs[0, 4].detach().requires_grad_()

    def rest(h):
        return layer(x[:, 5:], h.view(1, 1, -1))[0][0, -1]

    jacobian = torch.autograd.functional.jacobian(rest, state)
    expected = float(jacobian.norm().log())
    assert profile["adjoint_decay"].log_norm[4] == pytest.approx(expected, abs=0.15)


def test_dropout_draws_one_mask_and_its_seed_decides():
    torch.manual_seed(0)
    model = nn.LSTM(IN, H, num_layers=3, dropout=0.5, batch_first=True)
    x = torch.randn(B, T, IN)
    one, again = (fb.probe(model, x, seed=1)["adjoint_decay"].log_norm for _ in range(2))
    other = fb.probe(model, x, seed=2)["adjoint_decay"].log_norm
    assert one.tolist() == again.tolist()
    assert one.tolist() != other.tolist()


def test_the_half_life_in_float32_equals_that_in_float64():
    torch.manual_seed(0)
    model = nn.RNN(IN, H, batch_first=True)
    x = torch.randn(B, 400, IN)
    single = fb.probe(model, x)["adjoint_decay"]
    deep = fb.probe(model, x, depth="deep")["adjoint_decay"]
    assert single.log_norm[-1] < math.log(1e-46)
    assert single.rate == pytest.approx(deep.rate, rel=1e-4)


def plain_zero(model, x, dtype):
    """The first lag at which a plain backward pass in `dtype` holds a zero, of a bare nn.RNN."""
    h = torch.zeros(len(x), H, dtype=dtype)
    weights = [p.detach().to(dtype) for p in model.parameters()]
    states = []
    for x_t in x.to(dtype).unbind(1):
        h = (
            (x_t @ weights[0].T + h @ weights[1].T + weights[2] + weights[3])
            .tanh()
            .requires_grad_()
        )
        states.append(h)
        h.retain_grad()
    (h.sum() / len(x)).backward()
    zeros = [(s.grad == 0).all(1) for s in reversed(states)]
    return int(torch.stack(zeros).int().argmax(0).median())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_the_deep_underflow_lag_is_that_of_a_plain_backward_pass(dtype):
    torch.manual_seed(0)
    model = nn.RNN(IN, H, batch_first=True)
    x = torch.randn(5, 300, IN)
    name = str(dtype).removeprefix("torch.")

    def loss(y, _):
        return y[:, -1].sum() / len(y)

    deep = fb.probe(model, (x, None), loss=loss, depth="deep")["underflow"]
    assert deep.method[name] == "measured"
    wanted = plain_zero(model, x, dtype)
    assert deep.lag[name] == pytest.approx(wanted, abs=max(1, 0.03 * wanted))
    quick = fb.probe(model, (x, None), loss=loss)["underflow"]
    assert quick.method[name] == "predicted"
    assert quick.lag[name] == pytest.approx(wanted, abs=max(2, 0.05 * wanted))


def test_an_exploding_net_is_told_where_to_clip():
    torch.manual_seed(0)
    model = nn.RNN(IN, 32, nonlinearity="relu", batch_first=True)
    with torch.no_grad():
        model.weight_hh_l0.copy_(1.3 * torch.eye(32))
    profile = fb.probe(model, torch.rand(B, 60, IN))
    assert profile.verdict.word == "explodes"
    assert profile.verdict.severity == "bad"
    assert any("clip" in remedy.what for remedy in profile.verdict.remedies)
    assert any("spectral radius is 1.3" in remedy.why for remedy in profile.verdict.remedies)


def test_the_summands_norms_and_the_far_share_are_those_of_the_loop():
    torch.manual_seed(0)
    model = nn.RNN(IN, H, batch_first=True).double()
    x = torch.randn(B, T, IN, dtype=torch.float64)
    found = fb.probe(model, (x, None), loss=lambda y, _: y[:, -1].sum())["weight_gradient_by_lag"]
    copies = [model.weight_hh_l0.detach().clone().requires_grad_() for _ in range(T)]
    h = x.new_zeros(B, H)
    for t, w in enumerate(copies):
        net = x[:, t] @ model.weight_ih_l0.T + h @ w.T + model.bias_ih_l0 + model.bias_hh_l0
        h = net.tanh()
    norms = [g.norm() for g in torch.autograd.grad(h.sum(), copies)][::-1]
    expected = [float(n.log()) for n in norms]
    assert found.log_norm.tolist()[:-1] == pytest.approx(expected[:-1], abs=1e-9)
    assert found.log_norm[-1] == -math.inf  # the first step starts from zero
    total = float(sum(norms))
    assert found.far_share[3] == pytest.approx(float(sum(norms[4:])) / total, abs=1e-12)


def test_two_inputs_are_two_entrances():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.GRU(2, H, batch_first=True)
            self.b = nn.GRU(2, H, batch_first=True)

        def forward(self, x, y):
            return self.a(x)[0] + self.b(y)[0]

    torch.manual_seed(0)
    batch = ((torch.randn(B, T, 2), torch.randn(B, T, 2)), None)
    found = fb.probe(Two(), batch)["input_sensitivity"]
    assert set(found.blocks) == {"input", "input 2"}


def test_a_quick_look_sees_both_directions():
    torch.manual_seed(0)
    model = nn.GRU(2, H, bidirectional=True, batch_first=True)
    found = fb.probe(model, torch.randn(B, T, 2), depth="quick")["adjoint_decay"]
    assert {"GRU.l0", "GRU.l0.reverse"} <= set(found.blocks)
    assert len(found.blocks["GRU.l0.reverse"].lags) == T


def test_the_reach_lies_in_its_interval():
    torch.manual_seed(0)
    found = fb.probe(nn.LSTM(IN, H, batch_first=True), torch.randn(9, 60, IN))["adjoint_decay"]
    low, high = found.reach_interval
    assert low <= found.reach <= high
    low, high = found.rate_interval
    assert low <= found.rate <= high


def test_the_difference_between_a_layer_and_its_replay_is_reported():
    torch.manual_seed(0)
    profile = fb.probe(nn.LSTM(IN, H, batch_first=True), torch.randn(B, T, IN))
    assert 0 < profile.settings["replay_difference"] < 1e-5
