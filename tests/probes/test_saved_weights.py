"""Weights alone are measured on stated noise, layer by layer, and the profile says so."""

import math
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import farback as fb
from farback.errors import InputRefused, WrongUsage
from farback.probes import probe_file
from farback.probes._checkpoint import read_checkpoint
from farback.probes._rebuilt import rebuild
from farback.probes.saved_weights import noise

CELLS = (nn.LSTMCell, nn.GRUCell, nn.RNNCell)


def file_of(folder: Path, state: Mapping[str, Tensor]) -> Path:
    save_file({key: x.contiguous() for key, x in state.items()}, folder / "w.safetensors")
    return folder / "w.safetensors"


def refusal(state: Mapping[str, Tensor], folder: Path) -> str:
    with pytest.raises(InputRefused) as caught:
        probe_file(file_of(folder, state), max_steps=5)
    text = str(caught.value)
    assert "\n" not in text
    return text


# The measurement.


class LastOutput(nn.Module):
    def __init__(self, gru: nn.GRU):
        super().__init__()
        self.gru = gru

    def forward(self, x: Tensor) -> Tensor:
        return self.gru(x)[0][:, -1]


def test_a_file_measures_what_its_module_measures_on_the_same_noise(tmp_path: Path) -> None:
    gru = nn.GRU(3, 6, 2, batch_first=True).double()
    path = file_of(tmp_path, {f"gru.{key}": x for key, x in gru.state_dict().items()})
    x = noise(rebuild(read_checkpoint(path).tensors, "w"), 30, seed=4)
    assert tuple(x.shape) == (8, 30, 3)
    ours = probe_file(path, max_steps=30, seed=4)["adjoint_decay"]
    theirs = fb.probe(LastOutput(gru), (x, None), seed=4)["adjoint_decay"]
    assert ours.blocks.keys() == theirs.blocks.keys()
    for name, block in ours.blocks.items():
        assert block.log_norm.tolist() == theirs.blocks[name].log_norm.tolist()


def forgetful(keep: float) -> nn.LSTM:
    """An LSTM whose forget gate is held at `keep`, with nothing else in the way."""
    layer = nn.LSTM(2, 3).double()
    for weight in layer.parameters():
        nn.init.zeros_(weight)
    layer.bias_ih_l0.data[3:6] = math.log(keep / (1 - keep))
    return layer


def test_the_layers_of_a_file_are_measured_each_by_itself(tmp_path: Path) -> None:
    keeps = {"fast": 0.5, "deep.er.slow": 0.9}
    state = {
        f"{name}.{key}": x
        for name, keep in keeps.items()
        for key, x in forgetful(keep).state_dict().items()
    }
    profile = probe_file(file_of(tmp_path, state), max_steps=40)
    for name, keep in keeps.items():
        rate = profile["adjoint_decay"].blocks[f"{name}.l0:c"].rate
        assert rate == pytest.approx(math.log(keep), abs=1e-6)
    assert profile["adjoint_decay"].block.startswith("deep.er.slow")


@pytest.mark.parametrize("depth", ["quick", "standard", "deep"])
def test_both_directions_are_measured_at_every_depth(tmp_path: Path, depth: str) -> None:
    layer = nn.RNN(3, 4, bidirectional=True)
    profile = probe_file(file_of(tmp_path, layer.state_dict()), max_steps=20, depth=depth)
    blocks = profile["adjoint_decay"].blocks
    assert {len(blocks[name].lags) for name in ("rnn.l0", "rnn.l0.reverse")} == {20}


@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_is_measured_over_all_steps(tmp_path: Path, kind: type[nn.RNNCellBase]) -> None:
    path = file_of(tmp_path, {f"cell.{key}": x for key, x in kind(3, 4).state_dict().items()})
    assert len(probe_file(path, max_steps=12)["adjoint_decay"].blocks["cell"].lags) == 12


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_float_type_is_measured_as_it_is(tmp_path: Path, dtype: torch.dtype) -> None:
    path = file_of(tmp_path, nn.LSTM(3, 4).to(dtype).state_dict())
    profile = probe_file(path, max_steps=12)
    assert f"torch.{profile.environment['model dtype']}" == str(dtype)
    assert math.isfinite(profile["adjoint_decay"].rate)


def test_without_max_steps_the_noise_has_200_steps(tmp_path: Path) -> None:
    profile = probe_file(file_of(tmp_path, nn.RNN(2, 3).state_dict()), depth="quick")
    assert profile.reading == "noise N(0, 1), read as batch=8, time=200, features=2"


def test_the_seed_decides_every_number(tmp_path: Path) -> None:
    path = file_of(tmp_path, nn.LSTM(3, 4).state_dict())
    texts = [probe_file(path, max_steps=12, seed=seed).to_json() for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]


def test_what_was_asked_reaches_the_probe(tmp_path: Path) -> None:
    path = file_of(tmp_path, nn.LSTM(3, 4).state_dict())
    profile = probe_file(path, needs=9, floor=0.1, analyses=["adjoint_decay"], max_steps=12)
    assert list(profile) == ["adjoint_decay"]
    assert (profile.settings["needs"], profile.settings["floor"]) == (9, 0.1)


# What is said.


def test_the_subject_names_the_file_and_its_layers(tmp_path: Path) -> None:
    lstm = nn.LSTM(3, 4, 2, bidirectional=True, proj_size=2)
    path = file_of(tmp_path, lstm.state_dict())
    said = "w.safetensors (LSTM 2 layers of 4, projected to 2, both directions)"
    assert probe_file(path, max_steps=5).subject == said
    many = nn.ModuleDict({name: nn.GRUCell(2, 3) for name in "abcde"})
    path = file_of(tmp_path, many.state_dict())
    said = "w.safetensors (a: GRUCell of 3; b: GRUCell of 3; c: GRUCell of 3 and 2 more)"
    assert probe_file(path, max_steps=5).subject == said


def test_the_notes_say_what_was_rebuilt_fed_assumed_and_left_out(tmp_path: Path) -> None:
    model = nn.ModuleDict({"rnn": nn.RNN(3, 4), "head": nn.Linear(4, 2)})
    state = {**model.state_dict(), "count": torch.tensor([3])}
    state["rnn.bias_hh_l0"] = state["rnn.bias_hh_l0"].half()
    profile = probe_file(file_of(tmp_path, state), max_steps=12, seed=7)
    text = "\n".join(profile.notes)
    for part in (
        "rnn was rebuilt as RNN 1 layer of 4 on 3 inputs, from rnn.weight_ih_l0, rnn.weight_hh_l0",
        "N(0, 1), seed 7, in 8 rows of 12 steps",
        "does not tell the real inputs, the embedding, the head, the loss",
        "rnn is taken as tanh",
        "The weights are float16 and float32, and were taken as float32",
        "Not used, as it is no recurrent layer: head.bias, head.weight",
        "Ignored, as it is no floating tensor: count (I64 tensor)",
    ):
        assert part in text
    assert "the model that these weights belong to" in profile.verdict.unchecked[0]


def test_a_profile_of_a_file_is_saved_and_read_again(tmp_path: Path) -> None:
    profile = probe_file(file_of(tmp_path, nn.LSTM(3, 4).state_dict()), max_steps=5)
    again = fb.load(profile.save(tmp_path / "profile.json"))
    assert again.notes == profile.notes
    assert msgspec.to_builtins(again.verdict) == msgspec.to_builtins(profile.verdict)


def test_rebuilding_draws_no_random_numbers(tmp_path: Path) -> None:
    path = file_of(tmp_path, nn.LSTM(3, 4).state_dict())
    before = torch.get_rng_state()
    probe_file(path, max_steps=5)
    assert torch.equal(torch.get_rng_state(), before)


# What is refused.


def test_a_file_without_recurrent_layers_is_refused_with_some_of_its_keys(tmp_path: Path) -> None:
    text = refusal(nn.Linear(2, 3).state_dict(), tmp_path)
    assert "holds no recurrent layer" in text
    assert "it holds bias, weight" in text
    assert "it holds no floating tensor" in refusal({"n": torch.arange(3)}, tmp_path)


def test_weights_that_are_not_finite_are_refused_by_name(tmp_path: Path) -> None:
    state = {f"rnn.{key}": x for key, x in nn.GRU(3, 4).state_dict().items()}
    state["rnn.weight_hh_l0"][1, 2] = math.nan
    assert "rnn.weight_hh_l0 has 1 NaN at [1, 2]" in refusal(state, tmp_path)


def test_wrong_choices_are_refused_before_the_file_is_opened() -> None:
    for wrong in ({"max_steps": 0}, {"depth": "deeper"}, {"floor": 2.0}, {"needs": -1}):
        with pytest.raises(WrongUsage):
            probe_file("no such file", **wrong)
