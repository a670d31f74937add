"""What the child process keeps of a checkpoint, what it names, and what it cannot do."""

import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from farback.probes import _unpickle

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
ALONE = (
    f"import sys; sys.path.insert(0, {str(Path(_unpickle.__file__).parent)!r}); import _unpickle\n"
)


class Malicious:
    """Creates a folder as soon as it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def alone(code: str) -> subprocess.CompletedProcess[bytes]:
    """Run code in a process of its own, because a limit or an audit hook stays for good."""
    return subprocess.run([sys.executable, "-c", ALONE + code], capture_output=True, timeout=60)


def test_nested_weights_are_found_and_the_rest_is_named() -> None:
    inner = {"rnn.weight_hh_l0": torch.ones(2, 2)}
    found = _unpickle.sort(
        {
            "state_dict": {"model_state_dict": inner, "note": "x"},
            "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}},
            "epoch": 3,
        }
    )
    assert list(found.kept) == ["rnn.weight_hh_l0"]
    assert found.ignored == ["optimizer (dict)", "epoch (int)", "note (str)"]
    assert len(found.remarks) == 2


def test_several_models_in_one_file_keep_their_names_and_optimisers_stay_out() -> None:
    found = _unpickle.sort(
        {
            "encoder": {"w": torch.ones(2)},
            "decoder": {"w": torch.ones(3)},
            "optimizer_state_dict": {"w": torch.ones(2)},
        }
    )
    assert {name: len(x) for name, x in found.kept.items()} == {"encoder.w": 2, "decoder.w": 3}
    assert found.ignored == ["optimizer_state_dict (dict)"]


def test_only_plain_floating_tensors_are_kept() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantised = torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)
        compressed = torch.eye(2).to_sparse_csr()
    found = _unpickle.sort(
        {
            **{str(dtype): torch.ones(2, dtype=dtype) for dtype in FLOATS},
            "parameter": nn.Parameter(torch.ones(2)),
            "transposed": torch.arange(6.0).reshape(2, 3).t(),
            "whole": torch.arange(3),
            "complex": torch.ones(2, dtype=torch.complex64),
            "eighth": torch.ones(2).to(torch.float8_e5m2),
            "nowhere": torch.ones(2, device="meta"),
            "sparse": torch.eye(2).to_sparse(),
            "compressed": compressed,
            "quantised": quantised,
        }
    )
    assert list(found.kept) == [*map(str, FLOATS), "parameter", "transposed"]
    assert found.kept["transposed"].is_contiguous()
    assert found.kept["transposed"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert len(found.ignored) == 7


def test_a_checkpoint_that_holds_itself_ends() -> None:
    loaded: dict[str, Any] = {"w": torch.ones(2)}
    loaded["again"] = loaded
    wrapped: dict[str, Any] = {}
    wrapped["model"] = wrapped
    deep: dict[str, Any] = {"w": torch.ones(2)}
    for _ in range(40):
        deep = {str(n): deep for n in range(9)}
    assert list(_unpickle.sort(loaded).kept) == ["w"]
    assert not _unpickle.sort(wrapped).kept
    assert not _unpickle.sort(deep).kept


def test_very_many_ignored_entries_are_listed_in_part() -> None:
    found = _unpickle.sort({str(n): n for n in range(5000)})
    assert len(found.listed()) == _unpickle.MOST_LISTED + 1
    assert found.listed()[-1] == "4000 more"


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("protocol", [2, 4])
def test_the_globals_of_a_pickle_are_read_without_running_it(
    tmp_path: Path, protocol: int, zipped: bool
) -> None:
    content = {"w": torch.ones(2), "a": Malicious(tmp_path / "marker")}
    options = {"pickle_protocol": protocol, "_use_new_zipfile_serialization": zipped}
    torch.save(content, tmp_path / "w.pt", **options)
    names = _unpickle.globals_in(tmp_path / "w.pt")
    assert not (tmp_path / "marker").exists()
    assert f"{os.mkdir.__module__}.mkdir" in names
    assert "torch._utils._rebuild_tensor_v2" in names


def test_the_child_can_reach_neither_the_network_nor_other_programs() -> None:
    done = alone("""
import os, socket, subprocess
sys.addaudithook(_unpickle.forbid)
for act in (
    lambda: socket.create_connection(("127.0.0.1", 9)),
    lambda: subprocess.run(["true"]),
    lambda: os.system("true"),
    lambda: os.fork(),
    lambda: os.execv("/bin/true", ["true"]),
):
    try:
        act()
    except _unpickle.Refused:
        print("refused")
""")
    assert done.stdout.split() == [b"refused"] * 5


@pytest.mark.skipif(_unpickle.resource is None, reason="no limits on this system")
def test_the_child_is_stopped_when_its_processor_time_is_spent() -> None:
    done = alone("_unpickle.PROCESSOR_SECONDS = 1\n_unpickle.confine(0)\nwhile True: pass")
    assert done.returncode in (-signal.SIGKILL, -signal.SIGXCPU)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no count of mapped memory")
def test_the_child_cannot_take_much_more_memory_than_the_file() -> None:
    done = alone("_unpickle.MEMORY = 10**8\n_unpickle.confine(10**6)\nbytearray(2 * 10**8)")
    assert b"MemoryError" in done.stderr
    assert (
        alone("_unpickle.MEMORY = 10**8\n_unpickle.confine(10**8)\nbytearray(2 * 10**8)").returncode
        == 0
    )
