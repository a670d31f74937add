"""Opening what torch.save wrote never runs code from it, and what needs code is refused."""

import io
import os
import pickle
import subprocess
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from farback.cli import main
from farback.errors import InputRefused
from farback.probes import _checkpoint
from farback.probes._checkpoint import Checkpoint, read_checkpoint

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
RECIPE = 'torch.save(model.state_dict(), "weights.pt")'


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files of its own; after each test it must be empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[Path]:
    """What a malicious file would create; after the test it must not exist."""
    path = tmp_path / "marker"
    yield path
    assert not path.exists()


class Malicious:
    """Creates a file as soon as it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def refusal(path: Path) -> str:
    with pytest.raises(InputRefused) as caught:
        read_checkpoint(path)
    text = str(caught.value)
    assert "weights_only" not in text
    assert text.isprintable() or text.replace("\n", "").isprintable()
    return text


def saved(path: Path, content: Any, **options: Any) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save(content, path, **options)
    return path


# Pickles: what needs no torch to be refused.


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_plain_pickle_is_refused_by_the_globals_that_it_names(
    tmp_path: Path, marker: Path, protocol: int
) -> None:
    path = tmp_path / "w.pt"
    path.write_bytes(pickle.dumps({"a": Malicious(marker)}, protocol))
    assert main(["probe", str(path)]) == 3
    text = refusal(path)
    assert f"it runs {os.mkdir.__module__}.mkdir" in text
    assert RECIPE in text


def test_a_torchscript_file_is_refused_with_a_recipe(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(nn.Linear(2, 2)), tmp_path / "w.pt")
    text = refusal(tmp_path / "w.pt")
    assert "is a TorchScript program" in text
    assert RECIPE in text


def test_a_zip_that_is_no_checkpoint_is_named_so(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.pt", "w") as archive:
        archive.writestr("readme.txt", "words")
    assert "is a zip archive that holds no torch checkpoint" in refusal(tmp_path / "w.pt")


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_truncated_checkpoint_is_named_so(tmp_path: Path, share: float) -> None:
    path = saved(tmp_path / "w.pt", {"a": torch.ones(500)})
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert "is a torch file that is cut short or damaged" in refusal(path)


def test_a_torch_that_is_too_old_opens_no_pickle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "w.pt", {"a": torch.ones(2)})
    monkeypatch.setattr(torch, "__version__", "2.9.1+cpu")
    monkeypatch.setattr(subprocess, "run", None)
    assert "torch 2.9.1+cpu cannot open safely, and 2.10 or newer was expected" in refusal(path)


def test_a_child_that_takes_too_long_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    children: list[subprocess.Popen[bytes]] = []

    class Watched(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any):
            super().__init__(*args, **options)
            children.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    monkeypatch.setattr(_checkpoint, "SECONDS", 0.01)
    path = saved(tmp_path / "w.pt", {"a": torch.ones(2)})
    assert "was not open after 0.01" in refusal(path)
    (child,) = children
    assert child.returncode is not None and child.returncode != 0


def test_a_child_that_crashes_is_told_with_its_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crashed = subprocess.CompletedProcess([], -11, b"", b"noise\nSegmentation fault")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: crashed)
    path = saved(tmp_path / "w.pt", {"a": torch.ones(2)})
    assert "made the process that opened it fail (signal 11: Segmentation fault)" in refusal(path)


# The child itself: each starts a process and loads torch.


@pytest.mark.slow
def test_a_torch_checkpoint_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    tensors = {str(dtype): torch.randn(3, 4).to(dtype) for dtype in FLOATS}
    content = {
        "epoch": 7,
        "state_dict": {f"module._orig_mod.{name}": x for name, x in tensors.items()},
        "optimizer": {"state": {0: torch.ones(2)}},
    }
    found = read_checkpoint(saved(tmp_path / "w.safetensors", content))  # the wrong name
    assert found.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found.tensors[name].dtype == tensor.dtype
        assert torch.equal(found.tensors[name], tensor)
    assert found.ignored == ("epoch (int)", "optimizer (dict)")
    assert len(found.remarks) == 3


@pytest.mark.slow
def test_a_checkpoint_of_before_torch_1_6_is_read(tmp_path: Path) -> None:
    content = {"a": torch.ones(2), "b": nn.Parameter(torch.ones(3))}
    path = saved(tmp_path / "w.pth", content, _use_new_zipfile_serialization=False)
    assert set(read_checkpoint(path).tensors) == {"a", "b"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{}, {"pickle_protocol": 4}, {"_use_new_zipfile_serialization": False}],
    ids=["zip", "protocol 4", "before 1.6"],
)
def test_a_malicious_checkpoint_never_runs_and_its_global_is_named(
    tmp_path: Path, marker: Path, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    path = saved(tmp_path / "w.pt", {"w": torch.ones(2), "a": Malicious(marker)}, **options)
    text = refusal(path)
    assert f"can only be opened by running {os.mkdir.__module__}.mkdir" in text
    assert "farback runs no code that a file names" in text


@pytest.mark.slow
def test_a_whole_pickled_module_is_refused_with_a_recipe(tmp_path: Path) -> None:
    text = refusal(saved(tmp_path / "w.pt", nn.LSTM(2, 3)))
    assert "can only be opened by running torch.nn.modules.rnn.LSTM" in text
    assert RECIPE in text


@pytest.mark.slow
def test_a_newer_pickle_protocol_is_refused_with_a_recipe(tmp_path: Path) -> None:
    text = refusal(saved(tmp_path / "w.pt", {"a": torch.ones(2)}, pickle_protocol=4))
    assert "a newer pickle protocol" in text
    assert RECIPE in text


@pytest.mark.slow
def test_a_small_file_that_asks_for_much_memory_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.pt", {"a": torch.ones(1).expand(10**11)})
    assert path.stat().st_size < 10_000
    assert "asks for far more memory than its" in refusal(path)


@pytest.mark.slow
def test_a_checkpoint_that_is_no_dict_is_refused(tmp_path: Path) -> None:
    assert "w.pt holds a list, and a dict of tensors" in refusal(saved(tmp_path / "w.pt", [1]))


def _legacy(tail: bytes) -> bytes:
    whole = io.BytesIO()
    torch.save({}, whole, _use_new_zipfile_serialization=False)
    return whole.getvalue()[:30] + tail


def _zipped(tail: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("w/data.pkl", b"\x80\x02" + tail)
        archive.writestr("w/version", b"3\n")
    return whole.getvalue()


@pytest.mark.slow
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    tail=st.binary(max_size=300),
    dressed=st.sampled_from(
        [lambda t: b"PK\x03\x04" + t, lambda t: b"\x80\x02" + t, _legacy, _zipped]
    ),
)
def test_any_bytes_that_look_like_a_checkpoint_are_read_or_refused(
    tmp_path: Path, marker: Path, tail: bytes, dressed: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "w.pt"
    path.write_bytes(dressed(tail))
    try:
        assert isinstance(read_checkpoint(path), Checkpoint)
    except InputRefused as error:
        assert "weights_only" not in str(error)
