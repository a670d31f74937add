"""Outputs and losses from which no error can be followed back, and those where it is zero."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

import farback as fb
from farback.errors import WrongUsage

T, B, IN, H = 12, 3, 4, 5


class Reader(nn.Module):
    """A layer whose outputs `give` turns into what forward returns."""

    def __init__(self, give=lambda y, h: y):
        super().__init__()
        torch.manual_seed(0)
        self.rnn = nn.GRU(IN, H, batch_first=True)
        self.give = give

    def forward(self, x):
        return self.give(*self.rnn(x))


class Looped(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRUCell(IN, H)
        self.head = nn.Linear(H, 2)

    def states(self, x):
        h = None
        for x_t in x.unbind(1):
            h = self.cell(x_t, h)
        return h

    def forward(self, x):
        return self.head(self.states(x))


@dataclasses.dataclass(frozen=True)
class Answer:
    logits: torch.Tensor
    hidden: torch.Tensor


def sequence():
    return torch.randn(B, T, IN, generator=torch.Generator().manual_seed(1))


# No gradient path.


@pytest.mark.parametrize(
    "cut",
    [
        lambda y, h: y.argmax(-1),
        lambda y, h: (y * 10).int(),
        lambda y, h: y.detach(),
        lambda y, h: torch.tensor(y.sum().item()),
    ],
    ids=["argmax", "int", "detach", "item"],
)
def test_an_output_without_a_gradient_path_names_the_last_differentiable_tensor(cut, refused):
    text = refused(Reader(cut), sequence())
    assert "no gradient path from the model's output back to any step" in text
    assert "argmax, round, item or detach" in text
    assert "last differentiable tensor is the output of rnn" in text


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_forward_under_no_grad_is_told_from_an_output_that_is_cut(mode, refused):
    class Blind(Reader):
        forward = mode()(Reader.forward)

    text = refused(Blind(), sequence())
    assert "rnn runs under no_grad, inference_mode or a re-entrant checkpoint" in text
    assert "argmax" not in text


def test_a_blind_loop_under_a_head_with_gradients_is_refused_too(refused):
    class Blind(Looped):
        states = torch.no_grad()(Looped.states)

    assert "cell runs under no_grad" in refused(Blind(), sequence())


def test_a_blind_module_without_recurrence_is_told_so(refused):
    class Blind(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(IN, H, 3)

        @torch.no_grad()
        def forward(self, x):
            return self.conv(x.transpose(1, 2)).transpose(1, 2)

    assert "The model's forward runs under no_grad" in refused(Blind(), sequence())


def test_a_burn_in_under_no_grad_is_noted_and_the_rest_is_measured(probed):
    class BurnIn(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.LSTM(IN, H, batch_first=True)

        def forward(self, x):
            with torch.no_grad():
                _, state = self.rnn(x[:, :4])
            return self.rnn(x[:, 4:], state)[0]

    profile = probed(BurnIn(), sequence())
    assert len(profile["adjoint_decay"].lags) == T - 4
    assert any("rnn is called under no_grad" in note for note in profile.notes)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_probe_called_under_no_grad_measures_all_the_same(mode):
    model, x = Reader(), sequence()
    outside = fb.probe(model, x)
    with mode():
        inside = fb.probe(model, x)
    assert inside["adjoint_decay"].log_norm.tolist() == outside["adjoint_decay"].log_norm.tolist()


# Which part of the output.

SHAPES = {
    "dict": (lambda y, h: {"logits": y, "hidden": h}, ["logits", "hidden"]),
    "tuple": (lambda y, h: (y, (h, h)), ["0", "1.0", "1.1"]),
    "dataclass": (Answer, ["logits", "hidden"]),
    "nested": (lambda y, h: {"a": {"b": y}, "c": [h]}, ["a.b", "c.0"]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_output_of_several_parts_lists_them(shape, refused):
    give, parts = SHAPES[shape]
    text = refused(Reader(give), sequence())
    assert f"pick it with output= (--output), of {', '.join(parts)}" in text


@pytest.mark.parametrize("shape", SHAPES)
def test_each_part_that_is_listed_can_be_picked(shape, probed):
    give, parts = SHAPES[shape]
    for part in parts:
        assert probed(Reader(give), sequence(), output=part).verdict.word == "vanishes"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_part_that_does_not_exist_is_told_with_the_others(shape, refused):
    give, parts = SHAPES[shape]
    text = refused(Reader(give), sequence(), WrongUsage, output="logitz")
    assert "no part 'logitz'" in text and ", ".join(parts) in text


def test_a_loss_may_read_the_fields_of_an_object(probed):
    plain = probed(Reader(), sequence(), loss=lambda y, _: y.square().sum())
    inside = probed(Reader(Answer), sequence(), loss=lambda o, _: o.logits.square().sum())
    ours, theirs = (p["adjoint_decay"].log_norm.tolist() for p in (inside, plain))
    assert ours == theirs


def test_an_object_from_a_module_without_recurrence_is_cut_field_by_field(probed):
    class Convolution(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv1d(IN, H, 3)

        def forward(self, x):
            y = self.conv(nn.functional.pad(x.transpose(1, 2), (2, 0))).transpose(1, 2)
            return Answer(y, y.mean())

    profile = probed(Convolution(), sequence(), loss=lambda o, _: o.logits[:, -1].sum())
    assert profile.verdict.word == "ends at 3"


def test_a_distribution_as_output_is_read_by_its_own_log_prob(probed):
    model = Reader(lambda y, h: torch.distributions.Normal(y, 1 + y.square()))
    target = torch.randn(B, T, H)
    profile = probed(model, (sequence(), target), loss=lambda d, y: -d.log_prob(y).mean())
    assert profile.verdict.word == "vanishes"


def test_a_forward_that_returns_nothing_is_told_to_return(refused):
    text = refused(Reader(lambda y, h: None), sequence())
    assert "forward returned nothing (None)" in text and "let it return its output" in text


def test_an_output_without_tensors_is_named_by_its_type(refused):
    assert "returned a str without tensors" in refused(Reader(lambda y, h: "done"), sequence())


# The loss.


def test_a_loss_that_leaves_the_graph_is_told_to_return_the_tensor(refused):
    text = refused(Reader(), sequence(), loss=lambda y, _: y.sum().item())
    assert "returned a float" in text and "return the tensor itself" in text


def test_a_loss_that_fails_says_what_it_was_given(refused):
    give, _ = SHAPES["dict"]
    text = refused(Reader(give), sequence(), loss=lambda y, _: y["logit"].sum())
    assert "The loss fails on the model's output, a dict (it has logits, hidden)" in text
    assert "KeyError: 'logit'" in text and "output=" in text


def test_a_loss_that_runs_backward_itself_is_told_to_leave_it_out(refused):
    def loss(y, _):
        error = y.square().sum()
        error.backward()
        return error

    model = Reader()
    model(sequence()).sum().backward()  # a gradient that backward() would add to
    assert "leave backward() out" in refused(model, sequence(), loss=loss)


def test_each_measurement_has_a_graph_of_its_own(probed):
    model, x = Reader(), sequence()
    one, two = (probed(model, x)["adjoint_decay"].log_norm for _ in range(2))
    assert one.tolist() == two.tolist()


@pytest.mark.parametrize(
    "loss",
    [
        lambda y, _: 0 * y.sum(),
        lambda y, _: torch.tensor(3.0),
        lambda y, _: y.relu().neg().relu().sum(),
    ],
)
def test_a_gradient_that_is_zero_everywhere_is_no_signal_and_no_vanishing(loss, probed):
    profile = probed(Reader(), sequence(), loss=loss)
    assert profile.verdict.word == "no signal"
    assert profile.verdict.severity == "bad"
    assert "exactly zero" in " ".join(finding.evidence for finding in profile.findings)


def test_a_zero_head_is_no_signal_while_a_tiny_one_vanishes(probed):
    model = Looped()
    with torch.no_grad():
        model.head.weight.mul_(1e-30)
    tiny = probed(model, sequence())["adjoint_decay"].log_norm
    assert np.isfinite(tiny).all()
    with torch.no_grad():
        model.head.weight.zero_()
    assert probed(model, sequence()).verdict.word == "no signal"


@pytest.mark.gpu
def test_a_second_derivative_through_a_cudnn_layer_is_told_not_crashed(refused):
    model = Reader().cuda()

    def loss(y, _):
        (gradient,) = torch.autograd.grad(y.sum(), model.rnn.weight_hh_l0, create_graph=True)
        return gradient.square().sum()

    assert "The loss fails" in refused(model, sequence().cuda(), loss=loss)
