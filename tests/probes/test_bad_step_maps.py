"""Step maps that cannot be run or followed, each refused in one sentence before or at its step."""

import pytest
import torch
from torch import nn

import farback as fb
from farback.errors import InputRefused
from farback.probes import StepMap

B, T, N = 2, 9, 3


def leak(state, x):
    return 0.5 * state + x


def sequence(*shape, **options):
    return torch.zeros(*(shape or (B, T, N)), **options)


def refusal(step=leak, start=None, batch=None, **options) -> str:
    start = torch.ones(B, N) if start is None else start
    with pytest.raises(InputRefused) as caught:
        fb.probe(StepMap(step, start=start), sequence() if batch is None else batch, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_step_that_fails_is_named_with_its_shapes():
    text = refusal(lambda state, x: state @ torch.zeros(4, 4))
    assert "The step map fails at step 0, on a state [2, 3] and an input [2, 3]" in text
    assert "mat1 and mat2 shapes cannot be multiplied" in text


def test_a_step_that_returns_another_shape_is_named():
    assert "returned (2, 4) at step 0" in refusal(lambda state, x: state @ torch.zeros(N, 4))


def test_a_step_that_returns_more_than_the_state_is_named():
    text = refusal(lambda state, x: (state, x))
    assert "returned tuple at step 0" in text and "the next state and nothing else" in text


def test_the_first_step_that_is_not_finite_is_named():
    text = refusal(lambda state, x: 1e20 * state)
    assert "first gives NaN or infinity at step 1" in text


def test_a_nan_in_the_start_shows_at_the_first_step():
    assert "at step 0" in refusal(start=torch.full((B, N), torch.nan))


@pytest.mark.parametrize(
    ("batch", "told"),
    [
        (sequence(B, T), "[2, 9] of float32"),
        (sequence(dtype=torch.long), "[2, 9, 3] of int64"),
        ([torch.zeros(4, N), torch.zeros(9, N)], "a list"),
        (((sequence(), sequence(B)), None), "[2, 9, 3] of float32, [2] of float32"),
    ],
)
def test_an_input_of_another_form_is_named_with_the_one_expected(batch, told):
    text = refusal(batch=batch)
    assert f"The input of the step map is {told}" in text
    assert "one floating tensor xs [B, T, I] was expected" in text


@pytest.mark.parametrize(
    "start", [torch.ones(B, N, dtype=torch.long), torch.ones(1, B, N), torch.ones(N) * 1j]
)
def test_a_start_of_another_form_is_named_with_the_one_expected(start):
    assert "a floating tensor [B, N] or [N] was expected" in refusal(start=start)


def test_a_start_with_other_rows_than_the_input_is_refused():
    text = refusal(batch=sequence(4, T, N))
    assert "has 2 rows, and the input is read as batch=4, time=9" in text


def test_a_layout_turns_the_input_of_a_step_map():
    step = StepMap(leak, start=torch.ones(B, N))
    x = torch.randn(T, B, N)
    turned = fb.probe(step, x, layout="time-first")
    plain = fb.probe(step, x.transpose(0, 1))
    assert turned.reading == plain.reading == "read as batch=2, time=9, features=3"
    ours, theirs = (p["adjoint_decay"].log_norm.tolist() for p in (turned, plain))
    assert ours == theirs


def test_a_step_under_no_grad_is_told_so():
    assert "runs without gradients" in refusal(torch.no_grad()(leak))


def test_a_step_may_write_into_the_state_that_it_takes():
    def writing(state, x):
        state.mul_(0.5)
        return state.add_(x)

    ours, theirs = (
        fb.probe(StepMap(step, start=torch.ones(B, N)), sequence()) for step in (writing, leak)
    )
    assert ours["adjoint_decay"].log_norm.tolist() == theirs["adjoint_decay"].log_norm.tolist()


def test_a_step_that_spoils_its_way_back_names_the_line():
    def spoiling(state, x):
        y = state.exp()
        z = y * y
        y.zero_()
        return z - 1

    text = refusal(spoiling, start=torch.zeros(B, N))
    assert "has written into it in place" in text and "test_bad_step_maps.py line" in text


def test_a_module_as_step_map_is_put_back_when_it_is_stopped():
    class Step(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.count = nn.Parameter(torch.eye(N)), 0

        def forward(self, state, x):
            self.count += 1
            if self.count == 4:
                raise KeyboardInterrupt
            return state @ self.weight + x

    step = Step()
    with pytest.raises(KeyboardInterrupt):
        fb.probe(StepMap(step, start=torch.ones(B, N)), sequence())
    assert step.count == 0


class Scaled(nn.Module):
    """A step of two parameters that are single numbers."""

    def __init__(self):
        super().__init__()
        self.kept, self.added = nn.Parameter(torch.tensor(0.5)), nn.Parameter(torch.tensor(0.1))

    def forward(self, state, x):
        return self.kept * state + x + self.added


@pytest.mark.parametrize("depth", ["standard", "deep"])
@pytest.mark.parametrize("frozen", [True, False])
def test_a_parameter_may_be_one_number_and_may_be_frozen(depth, frozen):
    step = Scaled()
    step.added.requires_grad_(not frozen)
    subject = StepMap(step, start=torch.ones(N))
    profile = fb.probe(subject, (sequence(), None), loss=lambda s, _: s.sum(), depth=depth)
    assert profile["adjoint_decay"].half_life == pytest.approx(1.0, rel=1e-5)
    assert step.added.requires_grad is not frozen
