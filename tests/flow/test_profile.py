"""A profile as an object and as a file."""

import json

import numpy as np
import pytest
import torch
from torch import nn

import farback as fb
from farback.errors import FarbackError, InputRefused


@pytest.fixture(scope="module")
def profile():
    torch.manual_seed(0)
    batch = (torch.randn(4, 20, 3), None)
    return fb.probe(nn.LSTM(3, 6, batch_first=True), batch, needs=10)


def test_a_saved_profile_comes_back_the_same(profile, tmp_path):
    saved = profile.save(tmp_path / "profile.json")
    again = fb.load(saved)
    assert again.to_json() == profile.to_json()
    assert again.verdict == profile.verdict
    assert again["adjoint_decay"].log_norm.tolist() == profile["adjoint_decay"].log_norm.tolist()
    assert again["underflow"].lag == profile["underflow"].lag


def test_a_true_zero_is_null_in_json_and_minus_infinity_in_python(profile, tmp_path):
    block = profile["adjoint_decay"].blocks["LSTM.l0:c"]
    assert block.log_norm[0] == -np.inf
    plain = json.loads(profile.to_json())
    assert plain["measurements"]["adjoint_decay"]["blocks"]["LSTM.l0:c"]["log_norm"][0] is None
    again = fb.load(profile.save(tmp_path / "profile.json"))
    assert again["adjoint_decay"].blocks["LSTM.l0:c"].log_norm[0] == -np.inf


def test_the_fields_that_scripts_rely_on_are_there(profile):
    assert profile.verdict.word == "vanishes"
    assert profile.verdict.severity in ("ok", "watch", "bad")
    assert profile.verdict.sentence.startswith(profile.verdict.word)
    decay = profile["adjoint_decay"]
    assert decay.lags.tolist() == list(range(20))
    assert decay.log_norm.dtype == np.float64
    assert len(decay.rate_interval) == 2
    assert decay.half_life == pytest.approx(np.log(2) / -decay.rate)
    assert set(decay.blocks) == {"LSTM.l0", "LSTM.l0:h", "LSTM.l0:c"}
    assert len(profile["weight_gradient_by_lag"].far_share) == 20
    assert set(profile["underflow"].lag) == {"float16", "bfloat16", "float32"}
    assert profile["truncation"].steps is None


def test_an_unknown_measurement_names_the_near_ones(profile):
    with pytest.raises(FarbackError, match="no measurement 'adjoint'; try adjoint_decay"):
        profile["adjoint"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not a farback profile"),
        ("{}", "not a farback profile"),
        ("[1, 2]", "not a farback profile"),
        ("<html>", "not a farback profile"),
        ('{"format": "farback.profile", "schema": 99}', "has schema 99, and this farback reads"),
        ('{"format": "farback.profile", "schema": 1}', "damaged profile"),
    ],
)
def test_a_foreign_or_newer_or_damaged_file_is_refused(content, said, tmp_path):
    file = tmp_path / "profile.json"
    file.write_text(content)
    with pytest.raises(InputRefused, match=said):
        fb.load(file)


def test_a_missing_file_and_folder_are_refused(profile, tmp_path):
    with pytest.raises(InputRefused, match="cannot be read"):
        fb.load(tmp_path / "none.json")
    with pytest.raises(InputRefused, match="no folder"):
        profile.save(tmp_path / "none" / "profile.json")


def test_a_save_that_fails_leaves_nothing_behind(profile, tmp_path, monkeypatch):
    monkeypatch.setattr(type(profile), "to_json", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        profile.save(tmp_path / "profile.json")
    assert list(tmp_path.iterdir()) == []


def test_a_plot_draws_into_the_axes_given(profile):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, ax = pyplot.subplots()
    assert profile.plot(ax) is ax
    curve = ax.get_lines()[0].get_ydata()
    assert curve[5] == pytest.approx(profile["adjoint_decay"].log_norm[5] / np.log(10))
    pyplot.close(figure)


def test_a_notebook_shows_the_sentence(profile):
    assert profile.verdict.sentence.split(";")[0] in profile._repr_html_()
