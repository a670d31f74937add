"""What a model's own forward refuses: told with the module, the line and the reading."""

import pytest
import torch
from torch import nn

import farback as fb
from farback.errors import InputRefused

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


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(11, IN)
        self.rnn = layer()

    def forward(self, tokens):
        return self.rnn(self.embedding(tokens))[0]


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ((B, 8, 7), "input.size(-1) must be equal to input_size. Expected 4, got 7"),
        ((B, 8, 7, IN), "Expected input to be 2D or 3D, got 4D instead"),
    ],
)
def test_a_shape_that_the_layer_refuses_is_told_in_its_own_words(shape, told, refused):
    text = refused(Reader(), torch.randn(shape))
    assert "The model's forward fails in rnn (LSTM), test_bad_forwards.py line" in text
    assert "on a batch read as batch=3, time=8" in text
    assert told in text


def test_dropout_between_the_layers_hides_no_wrong_shape(refused):
    model = layer(num_layers=2, dropout=0.5)
    assert "Expected 4, got 7" in refused(model, torch.randn(B, 8, 7))


def test_a_shape_that_a_head_refuses_names_the_head(refused):
    model = Reader()
    model.head = nn.Linear(H + 1, 2)
    text = refused(model, torch.randn(B, T, IN))
    assert "fails in head (Linear)" in text
    assert "mat1 and mat2 shapes cannot be multiplied" in text


def test_a_missing_input_names_the_argument(refused):
    class Two(Reader):
        def forward(self, x, lengths):
            return self.rnn(x)[0]

    text = refused(Two(), torch.randn(B, T, IN))
    assert "missing 1 required positional argument: 'lengths'" in text


def test_the_models_own_exception_is_kept_as_the_cause():
    class Broken(Reader):
        def forward(self, x):
            raise ValueError("first line\nsecond line")

    with pytest.raises(InputRefused) as caught:
        fb.probe(Broken(), torch.randn(B, T, IN))
    assert isinstance(caught.value.__cause__, ValueError)
    assert "ValueError: first line;" in str(caught.value)
    assert "second line" not in str(caught.value)


def test_tokens_are_followed_to_the_embeddings_output_and_that_is_said(probed):
    profile = probed(Tagger(), torch.randint(0, 11, (B, T)))
    assert profile["input_sensitivity"].entrance == "embedding"
    assert any(
        "tokens, so the error is followed to the output of embedding" in note
        for note in profile.notes
    )


@pytest.mark.parametrize(("ids", "least", "largest"), [([11, 57], 0, 57), ([-1], -1, 10)])
def test_an_id_outside_the_table_is_named_with_the_tables_size(ids, least, largest, refused):
    tokens = torch.arange(B * T).reshape(B, T) % 11
    tokens.view(-1)[: len(ids)] = torch.tensor(ids)
    text = refused(Tagger(), tokens)
    assert f"embedding is given ids from {least} to {largest}" in text
    assert "its table holds ids 0 to 10" in text


def test_integers_given_to_a_layer_are_told_in_its_own_words(refused):
    text = refused(layer(), torch.randint(0, 11, (B, T, IN)))
    assert "torch.int64" in text  # the rest is in the words of each torch


def test_an_input_in_another_type_lists_what_is_in_which(refused):
    text = refused(Reader(), torch.randn(B, T, IN).double())
    assert "the model holds float32 on cpu (rnn.weight_ih_l0 and 5 more)" in text
    assert "the input is float64 on cpu" in text


def test_a_model_of_mixed_types_lists_what_is_in_which(refused):
    model = Reader()
    model.head.double()
    text = refused(model, torch.randn(B, T, IN))
    assert "float64 on cpu (head.weight, head.bias)" in text


@pytest.mark.gpu
def test_an_input_on_another_device_lists_what_is_where(refused):
    text = refused(Reader().cuda(), torch.randn(B, T, IN))
    assert "float32 on cuda:0" in text and "the input is float32 on cpu" in text


@pytest.mark.gpu
def test_an_id_outside_the_table_leaves_the_device_usable(refused, probed):
    model = Tagger().cuda()
    assert "57" in refused(model, torch.full((B, T), 57, device="cuda"))
    probed(model, torch.zeros(B, T, dtype=torch.long, device="cuda"))
