"""`farback probe`: its options are the arguments of `fb.probe`, under the same words."""

import inspect
import json

import pytest
import torch
from torch.nn import functional

from farback import load


@pytest.fixture
def probe(farback, probes, user):
    """Probe the user's model with more options."""
    return lambda *more: farback("probe", f"{user}:made", "--batch", f"{user}:batch", *more)


def test_every_option_reaches_the_probe(probe, probes):
    ended = probe(
        *("--loss", "torch.nn.functional:cross_entropy", "--needs", "12", "--depth", "deep"),
        *("--output", "logits", "--layout", "time-first", "--chunk", "64", "--max-steps", "500"),
        *("--loss-times", "2,4", "--cells", "encoder.cell", "--floor", "0.01", "--seed", "3"),
    )
    assert ended.code == 0, ended.err
    given = {key: value for key, value in probes.given.items() if key not in ("model", "batch")}
    assert given == {
        "loss": functional.cross_entropy,
        "needs": 12,
        "depth": "deep",
        "analyses": None,
        "output": "logits",
        "layout": "time-first",
        "chunk": 64,
        "max_steps": 500,
        "loss_times": (2, 4),
        "cells": "encoder.cell",
        "floor": 0.01,
        "seed": 3,
    }


def test_the_options_left_out_are_the_defaults_of_the_python_call(farback, user, probes):
    import importlib
    import sys

    del sys.modules["farback.probes"]
    real = inspect.signature(importlib.import_module("farback.probes").probe).parameters
    sys.modules["farback.probes"].probe = probes.probe  # type: ignore[attr-defined]
    assert farback("probe", f"{user}:made", "--batch", f"{user}:batch").code == 0
    asked = {key: value for key, value in probes.given.items() if key not in ("model", "batch")}
    assert asked == {key: real[key].default for key in asked}
    assert {*asked, "model", "batch"} == set(real)


@pytest.mark.parametrize("name", ["torch.nn:CrossEntropyLoss", "torch.nn.functional:mse_loss"])
def test_a_loss_is_a_function_or_a_class(probe, probes, name):
    assert probe("--loss", name).code == 0
    assert callable(probes.given["loss"]) and not isinstance(probes.given["loss"], type)


def test_json_is_the_profile_and_nothing_else(probe, probes):
    ended = probe("--json")
    assert ended.out == probes.result.to_json() + "\n"


def test_a_saved_profile_can_be_loaded(probe, probes, tmp_path):
    ended = probe("--save", tmp_path / "probe.json")
    assert load(tmp_path / "probe.json").verdict == probes.result.verdict
    assert f"Saved to {tmp_path / 'probe.json'}." in ended.err


def test_a_report_is_written_and_named_on_stderr(probe, tmp_path):
    ended = probe("--html", tmp_path / "probe.html", "--json")
    assert str(tmp_path / "probe.html") in ended.err
    json.loads(ended.out)


@pytest.mark.parametrize("option", ["--save", "--html"])
def test_a_missing_folder_is_told_before_the_work(probe, probes, tmp_path, option):
    ended = probe(option, tmp_path / "nowhere" / "file")
    assert ended.code == 3
    assert "There is no folder" in ended.err and not probes.given


def test_weights_are_probed_without_any_code_of_the_user(farback, probes, tmp_path):
    ended = farback("probe", tmp_path / "net.safetensors", "--needs", "9")
    assert ended.code == 0
    assert "imports your code" not in ended.err
    assert probes.given == {
        "path": str(tmp_path / "net.safetensors"),
        "needs": 9,
        "depth": "standard",
        "analyses": None,
        "max_steps": None,
        "floor": 1e-3,
        "seed": 0,
    }


def test_weights_take_no_batch(farback, probes, tmp_path):
    ended = farback("probe", tmp_path / "net.pt", "--batch", "a:b", "--loss-times", "1")
    assert ended.code == 2
    assert "--batch, --loss-times came with a file of weights" in ended.err


def test_a_model_without_a_batch_is_wrong_usage(farback, probes, user):
    ended = farback("probe", f"{user}:made")
    assert ended.code == 2
    assert "--batch my_data.py:batch" in ended.err


def test_a_wrong_analysis_lists_the_near_ones(probe, probes):
    ended = probe("--analysis", "adjont_decay")
    assert ended.code == 2
    assert "try adjoint_decay" in ended.err and not probes.given


def test_an_analysis_is_taken_by_its_name(probe, probes):
    probe("--analysis", "adjoint_decay", "--analysis", "truncation")
    assert probes.given["analyses"] == ["adjoint_decay", "truncation"]


def test_an_error_in_the_users_forward_has_its_line(farback, probes, user):
    user.write_text(
        "import torch\n\n\nclass Net(torch.nn.Module):\n    def forward(self, x):\n"
        "        return x @ torch.zeros(7)\n\n\ndata = torch.zeros(4, 5, 2)\n"
    )
    ended = farback("probe", f"{user}:Net", "--batch", f"{user}:data")
    assert ended.code == 3
    assert f"Your code failed at {user}:6 while farback was probing" in ended.err
    assert torch.is_grad_enabled()
