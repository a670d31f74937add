"""The verbs on the real thing: probe, save, report, and the demo."""

import json
import subprocess
import sys

import pytest

from farback import load

NO_TORCH = """
import sys
from farback.cli import main
assert main(sys.argv[1:]) == 0
assert not {"torch", "sklearn"} & set(sys.modules), "torch was imported"
"""


@pytest.fixture
def saved(farback, user, tmp_path):
    """A profile of the user's model, probed and saved by the command line."""
    file = tmp_path / "probe.json"
    ended = farback("probe", f"{user}:build", "--batch", f"{user}:sequences", "--save", file)
    assert ended.code == 0, ended.err
    return file


def test_json_of_a_real_probe_is_a_profile(farback, user, tmp_path):
    ended = farback("probe", f"{user}:build", "--batch", f"{user}:sequences", "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["verdict"]["word"] == "vanishes"


def test_a_needed_lag_out_of_reach_exits_1(farback, user):
    ended = farback("probe", f"{user}:build", "--batch", f"{user}:sequences", "--needs", "39")
    assert ended.code == 1
    assert "vanishes" in ended.out


def test_a_saved_profile_is_reported_without_torch(saved, tmp_path):
    page = tmp_path / "page.html"
    for more in ([], ["--html", str(page)]):
        words = ["report", str(saved), *more]
        ended = subprocess.run(
            [sys.executable, "-c", NO_TORCH, *words], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
    assert ended.stdout == f"{page}\n"
    assert load(saved).verdict.word in page.read_text(encoding="utf-8")


def test_a_file_that_is_no_profile_exits_3(farback, user):
    ended = farback("report", user)
    assert ended.code == 3
    assert "is not a farback profile" in ended.err


@pytest.mark.slow
def test_the_demo_compares_both_nets_before_and_after_training(farback, tmp_path):
    page = tmp_path / "demo.html"
    ended = farback("demo", "--epochs", "1", "--html", page)
    assert ended.code == 0, ended.err
    *verdicts, written = ended.out.splitlines()
    titles = ["RNN, at the start", "RNN, trained", "LSTM, at the start", "LSTM, trained"]
    assert [line.partition(":")[0] for line in verdicts] == titles
    assert written == f"The report: {page}" and page.is_file()
    assert "Training the LSTM: epoch 1 of 1" in ended.err


def test_the_demo_without_scikit_learn_names_the_extra(farback, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    ended = farback("demo", "--html", tmp_path / "demo.html")
    assert ended.code == 3
    assert "pip install 'farback[demo]'" in ended.err
