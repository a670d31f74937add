"""A layer comes back from the names and shapes of its weights as it was, or is refused."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from farback.errors import InputRefused
from farback.probes._checkpoint import read_checkpoint
from farback.probes._rebuilt import rebuild

KINDS = (nn.LSTM, nn.GRU, nn.RNN)
CELLS = (nn.LSTMCell, nn.GRUCell, nn.RNNCell)
OPTIONS = [
    (kind, {"num_layers": layers, "bidirectional": both, "bias": bias, **projection})
    for kind, layers, both, bias in itertools.product(KINDS, (1, 3), (False, True), (False, True))
    for projection in ([{}, {"proj_size": 2}] if kind is nn.LSTM else [{}])
]


def file_of(folder: Path, state: Mapping[str, Tensor]) -> Path:
    save_file({key: x.contiguous() for key, x in state.items()}, folder / "w.safetensors")
    return folder / "w.safetensors"


def rebuilt(path: Path) -> dict[str, Any]:
    return {one.name: one.layer for one in rebuild(read_checkpoint(path).tensors, path.name)}


def same(one: nn.Module, other: nn.Module) -> bool:
    """The same kind of layer with the same weights, in the same type."""
    ours, theirs = one.state_dict(), other.state_dict()
    return (
        type(one) is type(other)
        and list(ours) == list(theirs)
        and all(ours[k].dtype == theirs[k].dtype and ours[k].equal(theirs[k]) for k in ours)
    )


def refusal(state: Mapping[str, Tensor]) -> str:
    with pytest.raises(InputRefused) as caught:
        rebuild(state, "w.safetensors")
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("prefix", ["", "encoder.rnn."])
@pytest.mark.parametrize(("kind", "options"), OPTIONS, ids=str)
def test_every_layer_and_option_comes_back(
    tmp_path: Path, kind: type[nn.RNNBase], options: dict[str, Any], prefix: str
) -> None:
    layer = kind(4, 5, batch_first=True, dtype=torch.float64, **options)
    state = {prefix + key: x for key, x in layer.state_dict().items()}
    ((name, found),) = rebuilt(file_of(tmp_path, state)).items()
    assert name == (prefix[:-1] or kind.__name__.lower())
    assert same(found, layer)
    x = torch.randn(2, 6, 4, dtype=torch.float64)
    assert torch.equal(found(x)[0], layer(x)[0])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kind", CELLS)
def test_every_cell_comes_back_in_its_type(
    tmp_path: Path, kind: type[nn.RNNCellBase], bias: bool, dtype: torch.dtype
) -> None:
    cell = kind(4, 5, bias=bias).to(dtype)
    (found,) = rebuilt(file_of(tmp_path, cell.state_dict())).values()
    assert same(found, cell)


@pytest.mark.slow
def test_every_layer_and_cell_comes_back_from_one_torch_checkpoint(tmp_path: Path) -> None:
    layers = nn.ModuleDict()
    for number, (kind, options) in enumerate(OPTIONS):
        layers[f"layer{number}"] = kind(3, 4, **options)
    for cell in CELLS:
        layers[cell.__name__] = cell(3, 4)
    torch.save({"model": layers.state_dict(), "epoch": 3}, tmp_path / "w.pt")
    found = rebuilt(tmp_path / "w.pt")
    assert found.keys() == set(layers)
    assert all(same(found[name], layer) for name, layer in layers.items())


def test_a_layer_and_a_cell_at_one_place_keep_two_names(tmp_path: Path) -> None:
    state = {**nn.LSTM(3, 4).state_dict(), **nn.LSTMCell(3, 4).state_dict()}
    assert set(rebuilt(file_of(tmp_path, state))) == {"lstm", "lstmcell"}
    state = {f"a.{key}": x for key, x in state.items()}
    assert set(rebuilt(file_of(tmp_path, state))) == {"a", "a_"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weight_hh_l0": (16, 5)}, "a.weight_ih_l0 is (16, 3), a.weight_hh_l0 is (16, 5)"),
        ({"weight_hh_l0": (12, 4)}, "a.weight_hh_l0 is (12, 4), and (16, 4) was expected"),
        ({"weight_ih_l0": (3, 16)}, "a.weight_ih_l0 is (3, 16), a.weight_hh_l0 is (16, 4)"),
        ({"weight_ih_l0": (8, 3), "weight_hh_l0": (8, 4)}, "a.weight_ih_l0 is (8, 3)"),
        ({"weight_hh_l0": (16, 4, 1)}, "a.weight_hh_l0 is (16, 4, 1)"),
        ({"weight_ih_l0": (0, 3), "weight_hh_l0": (0, 0)}, "a.weight_ih_l0 is (0, 3)"),
        ({"bias_ih_l0": (15,)}, "a.bias_ih_l0 is (15,), and (16,) was expected"),
        ({"bias_hh_l0": None}, "a.bias_hh_l0 is missing"),
        ({"weight_hh_l0": None}, "a.weight_hh_l0 is missing"),
        ({"weight_ih_l2": (16, 4)}, "a.weight_ih_l1 is missing"),
        ({"weight_ih_l9999": (16, 4)}, "a.weight_ih_l1 is missing"),
        ({"weight_ih_l0_reverse": (16, 3)}, "a.weight_hh_l0_reverse is missing"),
        ({"weight_hr_l0": (4, 4)}, "a.weight_hr_l0 is (4, 4)"),
        ({"weight_hr_l0": (2, 5)}, "a.weight_hr_l0 is (2, 5)"),
    ],
    ids=str,
)
def test_weights_that_do_not_fit_are_refused_by_name_and_shape(
    changes: dict[str, tuple[int, ...] | None], said: str
) -> None:
    state = {f"a.{key}": x for key, x in nn.LSTM(3, 4).state_dict().items()}
    for key, shape in changes.items():
        state.pop(f"a.{key}", None)
        if shape is not None:
            state[f"a.{key}"] = torch.zeros(shape)
    assert said in refusal(state)


def test_a_cell_with_a_projection_is_refused() -> None:
    state = {**nn.LSTMCell(3, 4).state_dict(), "weight_hr": torch.ones(2, 4)}
    assert "weight_hr is no weight of LSTMCell" in refusal(state)


@settings(max_examples=200)
@given(
    st.dictionaries(
        st.builds(
            "{}{}{}{}".format,
            st.sampled_from(["", "a.", "a.b."]),
            st.sampled_from(["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"]),
            st.sampled_from(["", "_l0", "_l1", "_l01", "_l٣", "_l99999"]),
            st.sampled_from(["", "_reverse"]),
        ),
        st.lists(st.sampled_from([0, 1, 2, 3, 4, 6, 8, 12]), max_size=3),
        max_size=8,
    )
)
def test_any_names_and_shapes_are_rebuilt_or_refused(shapes: dict[str, list[int]]) -> None:
    try:
        assert rebuild({key: torch.zeros(shape) for key, shape in shapes.items()}, "w")
    except InputRefused:
        pass
