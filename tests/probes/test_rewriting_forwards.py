"""Forwards that rewrite their own model, their input or their states: measured, and put back."""

import copy
from collections import OrderedDict, defaultdict, deque

import numpy as np
import pytest
import torch
from torch import nn

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


def sequence():
    return torch.randn(B, T, IN, generator=torch.Generator().manual_seed(1))


def test_batch_norm_in_training_keeps_its_running_statistics(probed):
    class Normed(Reader):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(IN)

        def forward(self, x):
            return super().forward(self.norm(x.transpose(1, 2)).transpose(1, 2))

    model = Normed()
    probed(model, sequence())
    assert model.norm.running_mean.tolist() == [0.0] * IN
    assert model.norm.num_batches_tracked == 0


def test_a_buffer_that_the_graph_needs_is_put_back_only_after_the_way_back(probed):
    class Scaled(Reader):
        def __init__(self):
            super().__init__()
            self.register_buffer("scale", torch.ones(IN))

        def forward(self, x):
            self.scale.copy_(3 * torch.ones(IN))
            return super().forward(x * self.scale)

    x = sequence()
    profile = probed(Scaled(), x)
    assert any("The forward rewrites scale" in note for note in profile.notes)
    ours = profile["input_sensitivity"].log_norm
    theirs = probed(Reader(), 3 * x)["input_sensitivity"].log_norm + np.log(3)
    assert ours.tolist() == pytest.approx(theirs.tolist(), abs=1e-5)


def test_an_embedding_with_a_largest_norm_keeps_its_weights(probed):
    class Tagger(Reader):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(7, IN, max_norm=0.1)

        def forward(self, tokens):
            return super().forward(self.embedding(tokens))

    probed(Tagger(), torch.randint(0, 7, (B, T)))


class Carrying(Reader):
    """Begins each call with the state that the last one ended with."""

    def __init__(self, how):
        super().__init__()
        self.how, self.state = how, None
        self.register_buffer("held", torch.zeros(1, B, H))

    def forward(self, x):
        start = self.held if self.how == "buffer" else self.state
        y, end = self.rnn(x, start)
        if self.how == "buffer":
            self.held.copy_(end.detach())
        else:
            self.state = end if self.how == "graph" else end.detach()
        return self.head(y)


@pytest.mark.parametrize("how", ["buffer", "attribute", "graph"])
def test_a_state_carried_between_calls_is_noted_and_put_back(how, probed):
    model, x = Carrying(how), sequence()
    one, two = (probed(model, x) for _ in range(2))
    assert one["adjoint_decay"].log_norm.tolist() == two["adjoint_decay"].log_norm.tolist()
    name = "held" if how == "buffer" else "state"
    assert any(f"The forward rewrites {name};" in note for note in one.notes)
    model(x)  # a state, with its graph, is there before the probe
    probed(model, x)


@pytest.mark.parametrize(
    "made",
    [
        lambda: [1, [2]],
        lambda: {"a": {"b": [3]}},
        lambda: OrderedDict(a=1),
        lambda: defaultdict(list, a=[4]),
        lambda: deque([5], maxlen=1),
        lambda: {6},
        lambda: ([7],),
    ],
)
def test_containers_that_the_forward_fills_are_emptied_again(made, probed):
    class Logging(Reader):
        def __init__(self):
            super().__init__()
            self.log = made()

        def forward(self, x):
            self.fill(self.log, x)
            return super().forward(x)

        def fill(self, log, x):
            match log:
                case dict():
                    self.fill(next(iter(log.values())), x)
                    log["new"] = x
                case list() | deque():
                    self.fill(log[-1], x)
                    log.append(x)
                case set():
                    log.add(8)
                case tuple():
                    self.fill(log[0], x)

    model = Logging()
    before = copy.deepcopy(model.log)
    profile = probed(model, sequence())
    assert model.log == before
    assert any("The forward rewrites log;" in note for note in profile.notes)


def test_plain_tensors_counters_and_flags_are_put_back(probed):
    class Busy(Reader):
        def __init__(self):
            super().__init__()
            self.total, self.calls = torch.zeros(IN), 0
            self.head.weight.requires_grad_(False)

        def forward(self, x):
            self.total += x.sum((0, 1)).detach()
            self.calls += 1
            self.added = x
            self.train(not self.training)
            self.head.weight.requires_grad_(True)
            self.head.register_forward_hook(lambda *_: None)
            return super().forward(x)

    profile = probed(Busy(), sequence())
    (note,) = (note for note in profile.notes if "rewrites" in note)
    assert all(name in note for name in ("total", "calls", "added", "training"))


def test_the_users_gradients_stay_as_they_are(probed):
    model, x = Reader(), sequence()
    model(x).sum().backward()
    gradient = model.rnn.weight_hh_l0.grad
    value = gradient.clone()
    probed(model, x, loss=lambda y, _: y.square().sum())
    assert model.rnn.weight_hh_l0.grad is gradient
    assert torch.equal(gradient, value)


def test_the_users_own_hooks_work_and_stay(probed):
    model, seen = Reader(), []
    model.rnn.register_forward_hook(lambda *_: seen.append("forward"))
    model.rnn.register_full_backward_hook(lambda *_: seen.append("backward"))
    model.head.register_forward_pre_hook(lambda module, args: (2 * args[0],))
    profile = probed(model, sequence())
    assert seen[0] == "forward"
    model.head._forward_pre_hooks.clear()
    halved = probed(model, sequence())
    ours, theirs = (p["adjoint_decay"].log_norm for p in (profile, halved))
    assert (ours - theirs).tolist() == pytest.approx([np.log(2)] * T, abs=1e-5)


def test_a_forward_set_on_the_instance_is_kept(probed):
    model = Reader()
    own = model.rnn.forward
    model.rnn.forward = lambda x, hx=None: own(x, hx)
    given = model.rnn.forward
    probed(model, sequence())
    assert model.rnn.forward is given


# Writing in place.


def test_the_users_batch_is_not_written_into(probed):
    class Centring(Reader):
        def forward(self, x):
            x -= 1.0
            return super().forward(x)

    x = sequence()
    before = x.clone()
    profile = probed(Centring(), x)
    assert torch.equal(x, before)
    shifted = probed(Reader(), x - 1)["adjoint_decay"].log_norm
    assert profile["adjoint_decay"].log_norm.tolist() == pytest.approx(shifted.tolist(), abs=1e-6)


def test_outputs_and_states_may_be_written_into(probed):
    class Looping(Looped):
        def forward(self, x):
            h = x.new_zeros(len(x), H)
            for x_t in x.unbind(1):
                h = self.rnn(x_t, h)
                h.mul_(0.5)
            return h.relu_()

    class Apart(Looped):
        def forward(self, x):
            h = x.new_zeros(len(x), H)
            for x_t in x.unbind(1):
                h = 0.5 * self.rnn(x_t, h)
            return h.relu()

    inside, apart = (probed(make(), sequence())["adjoint_decay"] for make in (Looping, Apart))
    assert inside.log_norm.tolist() == pytest.approx(apart.log_norm.tolist(), abs=1e-6)


def test_an_activation_in_place_needs_no_hook_on_the_module(probed):
    class Activated(Reader):
        def __init__(self):
            super().__init__()
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x):
            return self.head(self.relu(self.rnn(x)[0]))

    assert probed(Activated(), sequence()).verdict.word == "vanishes"


def test_an_in_place_change_that_spoils_the_way_back_names_its_line(refused):
    class Spoiling(Reader):
        def forward(self, x):
            y = self.rnn(x)[0].exp()
            z = y * y
            y.zero_()
            return z

    text = refused(Spoiling(), sequence())
    assert "The backward pass needs what the Mul in test_rewriting_forwards.py line" in text
    assert "has written into it in place" in text
