"""Batches that cannot be read, or that could be read in two ways."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence

from farback.errors import WrongUsage

T, B, IN, H = 12, 3, 4, 5


def layer(**options):
    torch.manual_seed(0)
    return nn.LSTM(IN, H, batch_first=True, **options)


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = layer()
        self.head = nn.Linear(H, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


class Counted(nn.Module):
    """Packs its rows by the lengths that it is given."""

    def __init__(self):
        super().__init__()
        self.rnn = layer()

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return self.rnn(packed)[1][0]


# Nothing to measure.


def test_a_sequence_of_length_0_is_refused(refused):
    text = refused(layer(), torch.randn(B, 0, IN))
    assert text.startswith("The sequence length is 0, and at least 2 steps are needed")
    assert "time=0" in text


def test_an_empty_batch_is_an_error_and_no_empty_report(refused):
    text = refused(layer(), torch.randn(0, T, IN))
    assert text.startswith("The batch is empty (read as batch=0, time=12, features=4)")


def test_a_single_step_holds_no_dependency(refused):
    text = refused(layer(), torch.randn(B, 1, IN))
    assert "one step (read as batch=3, time=1, features=4), so no dependency to measure" in text
    assert "layout=" in text


@pytest.mark.parametrize("batch", ["text", None, {"x": 3}, 7.0, torch.tensor(3.0)])
def test_a_batch_without_a_sequence_is_named_by_what_it_holds(batch, refused):
    assert "holds no tensor" in refused(layer(), batch)


def test_a_batch_of_three_is_no_input_and_target(refused):
    x = torch.randn(B, T, IN)
    text = refused(layer(), (x, x, x))
    assert "tuple of 3" in text and "(input, target) was expected" in text


def test_a_nan_in_the_input_is_named_with_its_place(refused):
    x = torch.randn(B, T, IN)
    x[1, 7, 2] = torch.nan
    assert "NaN or infinity, first at [1, 7, 2]" in refused(layer(), x)


def test_an_infinite_mask_beside_the_sequence_is_no_fault(probed):
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(IN, 2, batch_first=True)

        def forward(self, x, mask):
            return self.attention(x, x, x, attn_mask=mask, need_weights=False)[0]

    mask = nn.Transformer.generate_square_subsequent_mask(T)
    profile = probed(Attention(), ((torch.randn(B, T, IN), mask), None))
    assert profile.verdict.word == f"ends at {T}"


# Rows of lengths of their own.


def test_a_ragged_list_is_measured_from_each_rows_own_end(probed):
    rows = [torch.randn(n, IN) for n in (5, 9, 2)]
    profile = probed(layer(), rows, loss_times=[-1])
    assert profile.reading == "read as batch=3, time=9, features=4"
    assert any(
        note.startswith("The rows have 2 to 9 steps: they end together") for note in profile.notes
    )
    packed = probed(layer(), pack_sequence(rows, enforce_sorted=False), loss_times=[-1])
    assert profile["adjoint_decay"].log_norm.tolist() == packed["adjoint_decay"].log_norm.tolist()


def test_a_packed_sequence_needs_no_hook_on_the_layer(probed):
    model = layer()
    seen = []
    model.register_full_backward_hook(lambda *_: seen.append(1))
    packed = pack_sequence([torch.randn(9, IN), torch.randn(5, IN)])
    profile = probed(model, packed)
    assert len(profile["adjoint_decay"].lags) == 9


@pytest.mark.parametrize("tokens", [False, True])
def test_packed_rows_are_followed_to_their_input_as_each_row_alone(tokens, probed):
    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(11, IN)
            self.rnn = layer()

        def forward(self, packed):
            if tokens:
                packed = packed._replace(data=self.embedding(packed.data))
            return self.rnn(packed)[1][0]

    model = Packed().double()
    rows = [torch.randn(n, IN).double() for n in (5, 9, 7)]
    if tokens:
        rows = [torch.randint(0, 11, (n,)) for n in (5, 9, 7)]
    packed = pack_sequence(rows, enforce_sorted=False)
    found = probed(model, packed, loss=lambda h, _: h.sin().sum())["input_sensitivity"]
    norms = []
    for row in rows:
        x = (model.embedding(row) if tokens else row).detach().requires_grad_()
        (gradient,) = torch.autograd.grad(model.rnn(x[None])[1][0].sin().sum(), x)
        norms.append(gradient.norm(dim=-1).log().flip(0))
    expected = [
        float(torch.stack([row[q] for row in norms if len(row) > q]).quantile(0.5))
        for q in range(9)
    ]
    assert found.log_norm.tolist() == pytest.approx(expected, abs=1e-10)
    assert found.entrance == ("embedding" if tokens else "input")


def test_the_last_steps_of_packed_rows_can_be_asked_for(probed):
    rows = [torch.randn(9, IN), torch.randn(3, IN)]
    profile = probed(layer(), pack_sequence(rows), max_steps=4)
    assert profile.reading == "read as batch=2, time=4, features=4"
    assert "Only the last 4 of 9 steps were used (max_steps)." in profile.notes


def test_a_list_given_to_a_forward_that_wants_a_tensor_is_told_to_pad_or_pack(refused):
    text = refused(Reader(), ([torch.randn(5, IN), torch.randn(9, IN)], None))
    assert "fails in rnn (LSTM)" in text and "read as batch=2, time=9, features=4" in text
    assert "the rows came as a list" in text and "pack_sequence" in text


def test_a_forward_that_takes_a_list_gets_it(probed):
    class Packing(Reader):
        def forward(self, rows):
            return self.head(self.rnn(pack_sequence(rows, enforce_sorted=False))[1][0])

    profile = probed(Packing(), ([torch.randn(5, IN), torch.randn(9, IN)], None))
    assert profile.reading == "read as batch=2, time=9, features=4"


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([torch.randn(5, IN), torch.randn(0, IN)], "Row 1 of the list has length 0"),
        ([torch.randn(5, IN), torch.randn(4, IN + 1)], "Row 1 of the list is [4, 5] float32"),
        ([torch.randn(5, IN), torch.randn(5, IN).double()], "Row 1 of the list is [5, 4] float64"),
        ([[1.0, 2.0], [3.0]], "Row 0 of the list is a list"),
        ([], "The list of rows is empty"),
    ],
)
def test_a_row_that_does_not_fit_is_named(rows, told, refused):
    assert told in refused(layer(), (rows, None))


def test_a_length_of_0_inside_a_pack_names_its_row(refused):
    batch = ((torch.randn(B, T, IN), torch.tensor([12, 0, 3])), None)
    text = refused(Counted(), batch)
    assert "row 1 has length 0" in text
    assert "test_bad_batches.py line" in text


def test_a_loaders_list_of_input_and_target_is_a_pair(probed):
    x = torch.randn(B, T, IN)
    profile = probed(layer(), [x, x], loss=lambda y, t: (y[..., :IN] - t).square().mean())
    assert profile.reading == f"read as batch={B}, time={T}, features={IN}"


# Which axis is time.


@pytest.mark.parametrize("batch_first", [True, False])
def test_the_reading_is_always_told(batch_first, probed):
    model = nn.LSTM(IN, H, batch_first=batch_first)
    profile = probed(model, torch.randn(7, 9, IN))
    batch, time = (7, 9) if batch_first else (9, 7)
    assert profile.reading == f"read as batch={batch}, time={time}, features={IN}"


def test_axes_that_look_swapped_are_remarked(probed):
    profile = probed(layer(), torch.randn(50, 2, IN))
    assert profile.reading == "read as batch=50, time=2, features=4"
    (note,) = (note for note in profile.notes if "swapped" in note)
    assert "if these are 50 steps of 2 rows" in note and "layout=" in note


def test_axes_that_look_right_are_not_remarked(probed):
    profile = probed(layer(), torch.randn(6, 30, IN))
    assert not any("swapped" in note for note in profile.notes)


def test_a_layout_that_contradicts_the_layer_is_refused(refused):
    text = refused(layer(), torch.randn(50, 2, IN), WrongUsage, layout="time-first")
    assert "layout= says time first" in text and "batch=50, time=2" in text
    assert "set batch_first on the layer" in text


def test_a_layout_forces_the_axes_where_no_layer_tells_them(probed):
    class TimeFirst(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.RNNCell(IN, H)

        def forward(self, x):
            h = None
            for x_t in x:
                h = self.cell(x_t, h)
            return h

    profile = probed(TimeFirst(), torch.randn(T, B, IN), layout="time-first")
    assert profile.reading == f"read as batch={B}, time={T}, features={IN}"
    assert len(profile["input_sensitivity"].lags) == T


def test_a_layout_that_does_not_exist_is_told_with_the_others(refused):
    text = refused(layer(), torch.randn(B, T, IN), WrongUsage, layout="sideways")
    assert "batch-first" in text and "time-first" in text


def test_a_sequence_made_under_inference_mode_is_read(probed):
    with torch.inference_mode():
        x = torch.randn(B, T, IN)
    assert probed(layer(), x).verdict.word == "vanishes"
