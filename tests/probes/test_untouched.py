"""Nothing is left behind: whatever the forward does, and however the probe ends."""

import random

import numpy as np
import pytest
import torch
from torch import nn

import farback as fb
from farback.errors import InputRefused
from farback.probes._untouched import untouched
from farback.testing import fingerprint

T, B, IN, H = 12, 3, 4, 5


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.rnn = nn.GRU(IN, H, batch_first=True)
        self.head = nn.Linear(H, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


class Looped(Reader):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRUCell(IN, H)

    def forward(self, x):
        h = None
        for x_t in x.unbind(1):
            h = self.rnn(x_t, h)
        return self.head(h)


class Own(Looped):
    """A loop around a cell of the user's own, which is found by running the forward once."""

    class Cell(nn.Module):
        def __init__(self):
            super().__init__()
            self.x, self.h = nn.Linear(IN, H), nn.Linear(H, H)

        def forward(self, x, h):
            return (self.x(x) + (0 if h is None else self.h(h))).tanh()

    def __init__(self):
        super().__init__()
        self.rnn = self.Cell()


class Plain(Reader):
    """No recurrence."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.Linear(IN, H)

    def forward(self, x):
        return self.head(self.rnn(x))


KINDS = [Reader, Looped, Own, Plain]


def sequence():
    return torch.randn(B, T, IN, generator=torch.Generator().manual_seed(1))


# However the probe ends.


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("depth", ["quick", "standard", "deep"])
def test_a_probe_leaves_nothing_behind(make, depth, probed):
    probed(make().eval(), sequence(), depth=depth)


@pytest.mark.parametrize(
    ("make", "call"), [(Reader, 1), (Looped, 1), (Own, 1), (Own, 2), (Plain, 1), (Plain, 2)]
)
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_forward_that_is_stopped_leaves_nothing_behind(make, call, error):
    """The second call is the one that is measured, after the search for cells."""
    model, x, calls = make(), sequence(), []

    def stop(*_):
        calls.append(1)
        model.note = "half done"
        if len(calls) == call:
            raise error("stopped")

    model.head.register_forward_hook(stop)
    before = fingerprint(model)
    with pytest.raises((InputRefused, KeyboardInterrupt)):
        fb.probe(model, x)
    assert len(calls) == call
    assert fingerprint(model) == before
    assert not any("forward" in module.__dict__ for module in model.modules())
    assert len(model.head._forward_hooks) == 1 and not model.rnn._forward_hooks


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_loss_that_raises_leaves_nothing_behind(make, error):
    model, x = make(), sequence()

    def loss(y, _):
        raise error

    before = fingerprint(model)
    with pytest.raises((InputRefused, KeyboardInterrupt)):
        fb.probe(model, x, loss=loss)
    assert fingerprint(model) == before
    assert not any("forward" in module.__dict__ for module in model.modules())


def test_an_interrupted_way_back_leaves_nothing_behind():
    class Stop(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, *gradients):
            raise KeyboardInterrupt

    class Stopping(Reader):
        def forward(self, x):
            self.seen = x
            return self.head(Stop.apply(self.rnn(x)[0]))

    model = Stopping()
    before = fingerprint(model)
    with pytest.raises(KeyboardInterrupt):
        fb.probe(model, sequence())
    assert fingerprint(model) == before


# Random states.


def test_every_random_state_is_put_back_and_the_draw_is_noted():
    model = nn.Linear(1, 1)
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state()
    with untouched(model, 3) as changed:
        drawn = [random.random(), np.random.rand(), float(torch.rand(1))]
    assert changed.drew
    with untouched(model, 3):
        assert drawn == [random.random(), np.random.rand(), float(torch.rand(1))]
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]
    assert torch.equal(torch.get_rng_state(), states[2])


@pytest.mark.parametrize("how", ["module", "function", "noise", "layer"])
def test_random_draws_use_one_seed_and_that_is_said(how, probed):
    class Noisy(Reader):
        def __init__(self):
            super().__init__()
            self.drop = nn.Dropout(0.5)
            if how == "layer":
                self.rnn = nn.GRU(IN, H, num_layers=2, dropout=0.5, batch_first=True)

        def forward(self, x):
            match how:
                case "module":
                    x = self.drop(x)
                case "function":
                    x = nn.functional.dropout(x, 0.5, self.training)
                case "noise":
                    x = x + torch.randn_like(x)
            return super().forward(x)

    model, x = Noisy(), sequence()
    one, two, other = (probed(model, x, seed=seed) for seed in (1, 1, 2))
    ours, same, unlike = (p["adjoint_decay"].log_norm.tolist() for p in (one, two, other))
    assert ours == same != unlike
    assert any("draws random numbers" in n and "seed 1" in n for n in one.notes)
    if how != "noise":
        assert not any("random" in note for note in probed(model.eval(), x).notes)


@pytest.mark.gpu
def test_the_random_state_of_a_device_is_put_back(probed):
    model = nn.Sequential(nn.Dropout(0.5), nn.GRU(IN, H, batch_first=True)).cuda()
    before = torch.cuda.get_rng_state()
    probed(model, sequence().cuda(), output="0")
    assert torch.equal(torch.cuda.get_rng_state(), before)
