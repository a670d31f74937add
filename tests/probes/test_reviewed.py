"""Models on which an earlier probe was wrong, as a reviewer wrote them."""

import math

import pytest
import torch
from torch import nn

import farback as fb
from farback.errors import FarbackError, InputRefused
from farback.probes import StepMap

T, B, IN, H = 20, 4, 3, 5


class Own(nn.Module):
    """A cell of the user's own in a loop; `gives` makes its answer of the new state."""

    class Cell(nn.Module):
        def __init__(self, gives):
            super().__init__()
            self.mix = nn.Linear(IN + H, H)
            self.out = nn.Linear(H, 2)
            self.gives = gives

        def forward(self, x, h):
            return self.gives(self, self.mix(torch.cat([x, h], -1)).tanh())

    def __init__(self, gives):
        super().__init__()
        self.cell = self.Cell(gives)

    def forward(self, x):
        h = x.new_zeros(len(x), H)
        for x_t in x.unbind(1):
            y, h = self.cell(x_t, h)
        return y


def input_norms(model, x):
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(x).sin().sum(), x)
    return gradient.norm(dim=-1).log().flip(1).quantile(0.5, dim=0).tolist()


def probed(model, x):
    return fb.probe(model, (x, None), loss=lambda y, _: y.sin().sum())["input_sensitivity"]


@pytest.mark.parametrize("gives", [lambda c, h: (c.out(h), h), lambda c, h: (h, h)])
def test_a_cell_that_gives_output_and_state_has_a_decay(gives):
    torch.manual_seed(0)
    profile = fb.probe(Own(gives), torch.randn(B, T, IN))
    assert profile.verdict.word == "vanishes"
    assert profile["adjoint_decay"].half_life is not None


def test_a_cell_that_keeps_its_state_in_an_attribute_is_refused():
    class Keeping(nn.Module):
        def __init__(self):
            super().__init__()
            self.mix = nn.Linear(IN + H, H)
            self.h = None

        def forward(self, x):
            h = x.new_zeros(len(x), H) if self.h is None else self.h
            self.h = self.mix(torch.cat([x, h], -1)).tanh()
            return self.h

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = Keeping()

        def forward(self, x):
            self.cell.h = None
            return [self.cell(x_t) for x_t in x.unbind(1)][-1]

    with pytest.raises(InputRefused, match="keeps its state to itself"):
        fb.probe(Net(), torch.randn(B, T, IN), cells="cell")


class Strided(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(IN, H, 4, stride=4)
        self.rnn = nn.LSTM(H, H, batch_first=True)

    def forward(self, x):
        return self.rnn(self.conv(x.transpose(1, 2)).transpose(1, 2))[0][:, -1]


class Differences(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(IN, H, batch_first=True)

    def forward(self, x):
        return self.rnn(x[:, 1:] - x[:, :-1])[0][:, -1]


class TimeFirst(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(IN, H)

    def forward(self, x):
        return self.rnn(x.transpose(0, 1))[0][-1]


@pytest.mark.parametrize(
    ("model", "shape"), [(Strided, (B, 24, IN)), (Differences, (B, T, IN)), (TimeFirst, (9, 9, IN))]
)
def test_the_input_keeps_its_own_clock_and_axes(model, shape):
    torch.manual_seed(0)
    net = model().double()
    x = torch.randn(*shape, dtype=torch.float64)
    expected = input_norms(net, x)
    assert probed(net, x).log_norm.tolist() == pytest.approx(expected, abs=1e-10)


def test_a_cell_after_a_layer_is_found_too():
    class After(nn.Module):
        def __init__(self):
            super().__init__()
            self.low = nn.LSTM(IN, IN, batch_first=True)
            self.high = Own(lambda c, h: (h, h))

        def forward(self, x):
            return self.high(self.low(x)[0])

    torch.manual_seed(0)
    found = fb.probe(After(), torch.randn(B, T, IN))["adjoint_decay"]
    assert {"low.l0", "high.cell"} <= set(found.blocks)


def test_a_deep_step_map_runs_in_each_type():
    halve = StepMap(lambda s, x: 0.5 * s + x, start=torch.ones(2, 3))
    deep = fb.probe(halve, (torch.zeros(2, 200, 3), None), loss=lambda s, _: s.sum(), depth="deep")
    assert deep["underflow"].lag == {"float16": 25, "bfloat16": 134, "float32": 150}
    assert set(deep["underflow"].method.values()) == {"measured"}
    assert deep.settings["dtype"] == "float64"


def test_summands_neither_over_nor_underflow():
    torch.manual_seed(0)
    model = nn.RNN(IN, H, nonlinearity="relu", batch_first=True)
    with torch.no_grad():
        model.weight_hh_l0.copy_(3.0 * torch.eye(H))
    found = fb.probe(model, (torch.rand(B, 60, IN), None), loss=lambda y, _: y[:, -1].mean())
    assert all(map(math.isfinite, found["weight_gradient_by_lag"].log_norm[:-1]))


@pytest.mark.parametrize("give", [lambda y: y, lambda y: y.transpose(1, 2), lambda y: y[..., 0]])
def test_an_output_has_its_steps_on_any_axis(give):
    class Causal(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(IN, 2, 3)

        def forward(self, x):
            padded = nn.functional.pad(x.transpose(1, 2), (2, 0))
            return give(self.conv(padded).transpose(1, 2))

    torch.manual_seed(0)
    assert fb.probe(Causal(), torch.randn(B, T, IN)).verdict.word == "ends at 3"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"needs": 0}, "needs is 0"),
        ({"seed": 10**23}, "seed is"),
        ({"output": 1}, "has no part '1'; it has no parts: it is one tensor"),
    ],
)
def test_a_wrong_argument_is_told(asked, said):
    with pytest.raises(FarbackError, match=said):
        fb.probe(TimeFirst(), torch.randn(B, T, IN), **asked)


def test_one_loss_time_and_one_analysis_may_come_alone():
    profile = fb.probe(nn.GRU(IN, H, batch_first=True), torch.randn(B, T, IN), loss_times=5)
    assert profile.settings["loss_times"] == [5]
    one = fb.probe(TimeFirst(), torch.randn(B, T, IN), analyses="truncation")
    assert list(one) == ["truncation"]


def test_a_cell_may_give_one_number_a_row_and_write_into_its_state():
    def gives(cell, h):
        return cell.out(h)[:, 0], h

    torch.manual_seed(0)
    assert fb.probe(Own(gives), torch.randn(B, T, IN)).verdict.word == "vanishes"

    class Writing(Own.Cell):
        def forward(self, x, h):
            kept = self.mix(torch.cat([x, h], -1)).tanh()
            h.mul_(0.5).add_(kept)
            return h, h

    net = Own(lambda c, h: (h, h))
    net.cell = Writing(None)
    assert fb.probe(net, torch.randn(B, T, IN)).verdict.word == "vanishes"


def test_a_checkpointed_cell_is_refused_by_name():
    from torch.utils.checkpoint import checkpoint

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.GRUCell(IN, H)

        def forward(self, x):
            h = x.new_zeros(len(x), H)
            for x_t in x.unbind(1):
                h = checkpoint(self.cell, x_t, h, use_reentrant=False)
            return h

    with pytest.raises(InputRefused, match="checkpoint"):
        fb.probe(Net(), torch.randn(B, T, IN))


def test_max_steps_does_not_cut_rows_of_their_own_lengths():
    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.GRU(IN, H, batch_first=True)

        def forward(self, x, lengths):
            pack = nn.utils.rnn.pack_padded_sequence
            return self.rnn(pack(x, lengths, batch_first=True, enforce_sorted=False))[1][0]

    batch = ((torch.randn(B, T, IN), torch.tensor([T, 5, 9, 12])), None)
    with pytest.raises(InputRefused, match="lengths of its own"):
        fb.probe(Reader(), batch, max_steps=8)


def test_a_layer_with_a_forward_of_its_own_is_refused():
    class OnlyOutput(nn.LSTM):
        def forward(self, x):
            return super().forward(x)[0]

    with pytest.raises(InputRefused, match="whose forward is its own"):
        fb.probe(OnlyOutput(IN, H, batch_first=True), torch.randn(B, T, IN))


def test_a_notebook_that_the_forward_writes_into_is_put_back():
    class Notebook:
        calls = 0

    class Noting(TimeFirst):
        def __init__(self):
            super().__init__()
            self.book = Notebook()

        def forward(self, x):
            self.book.calls += 1
            self.book.last = x.mean()
            return super().forward(x)

    model = Noting()
    profile = fb.probe(model, torch.randn(B, T, IN))
    assert vars(model.book) == {}
    assert any("book" in note for note in profile.notes)


def test_a_state_with_its_layers_first_has_the_batchs_rows():
    class Layers(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = Two()

        def forward(self, x):
            h = x.new_zeros(2, len(x), H)
            for x_t in x.unbind(1):
                h = self.cell(x_t, h)
            return h[-1]

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.low, self.high = nn.Linear(IN + H, H), nn.Linear(2 * H, H)

        def forward(self, x, h):
            low = self.low(torch.cat([x, h[0]], -1)).tanh()
            return torch.stack([low, self.high(torch.cat([low, h[1]], -1)).tanh()])

    torch.manual_seed(0)
    net = Layers()
    found = fb.probe(
        net.double(), (torch.randn(B, T, IN).double(), None), loss=lambda y, _: y.sum()
    )
    assert found["adjoint_decay"].samples == B
    assert found["adjoint_decay"].log_norm[0] == pytest.approx(math.log(H) / 2)
