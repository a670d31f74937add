"""What a file of weights is, its content tells: tensors are read, anything else is named."""

import json
import os
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save, save_file

from farback.errors import InputRefused
from farback.probes._checkpoint import Checkpoint, read_checkpoint

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def refusal(path: Path) -> str:
    with pytest.raises(InputRefused) as caught:
        read_checkpoint(path)
    return str(caught.value)


# Safetensors.


def test_safetensors_keep_every_float_type(tmp_path: Path) -> None:
    tensors = {str(dtype): torch.randn(3, 4).to(dtype) for dtype in FLOATS}
    save_file(tensors, tmp_path / "w.safetensors")
    found = read_checkpoint(tmp_path / "w.safetensors")
    assert found.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found.tensors[name].dtype == tensor.dtype
        assert torch.equal(found.tensors[name], tensor)


def test_integer_tensors_are_ignored_and_named(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2), "n": torch.arange(3)}, tmp_path / "w.safetensors")
    found = read_checkpoint(tmp_path / "w.safetensors")
    assert list(found.tensors) == ["a"]
    assert found.ignored == ("n (I64 tensor)",)


@pytest.mark.parametrize(
    ("prefix", "told"),
    [("module.", "'module.'"), ("_orig_mod.", "'_orig_mod.'"), ("module._orig_mod.", "'module.'")],
)
def test_the_prefixes_of_wrappers_are_taken_off(tmp_path: Path, prefix: str, told: str) -> None:
    save_file({f"{prefix}a.w": torch.ones(2)}, tmp_path / "w.safetensors")
    found = read_checkpoint(tmp_path / "w.safetensors")
    assert list(found.tensors) == ["a.w"]
    assert told in " ".join(found.remarks)


def test_a_submodule_that_is_called_module_keeps_its_name(tmp_path: Path) -> None:
    save_file({"module.a": torch.ones(2), "b": torch.ones(3)}, tmp_path / "w.safetensors")
    assert set(read_checkpoint(tmp_path / "w.safetensors").tensors) == {"module.a", "b"}


def test_the_content_counts_and_not_the_name(tmp_path: Path) -> None:
    (tmp_path / "w.pt").write_bytes(save({"a": torch.ones(2)}))
    assert list(read_checkpoint(tmp_path / "w.pt").tensors) == ["a"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_safetensors_file_is_named_so(tmp_path: Path, share: float) -> None:
    whole = save({"a": torch.ones(50)})
    path = tmp_path / "w.safetensors"
    path.write_bytes(whole[: int(len(whole) * share)])
    assert "is a safetensors file that is cut short or damaged" in refusal(path)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.one_of(
        st.binary(max_size=80),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["F32", "F4", "I64"]),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["a", "__metadata__", "dtype", "shape", "data_offsets"]), inner
                )
            ),
            max_leaves=12,
        ).map(lambda it: json.dumps(it).encode()),
    ),
    body=st.binary(max_size=40),
    length=st.one_of(st.none(), st.integers(0, 2**64 - 1)),
)
def test_any_safetensors_header_is_read_or_refused(
    tmp_path: Path, header: bytes, body: bytes, length: int | None
) -> None:
    size = len(header) if length is None else length
    path = tmp_path / "w.safetensors"
    path.write_bytes(size.to_bytes(8, "little") + b"{"[: len(header)] + header[1:] + body)
    try:
        assert isinstance(read_checkpoint(path), Checkpoint)
    except InputRefused:
        pass


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10**6), value=st.integers(0, 255), cut=st.integers(0, 10**6))
def test_any_damage_to_a_safetensors_file_is_read_or_refused(
    tmp_path: Path, place: int, value: int, cut: int
) -> None:
    whole = bytearray(save({"a.weight": torch.ones(5), "b": torch.ones(2, 2).half()}))
    whole[place % len(whole)] = value
    path = tmp_path / "w.safetensors"
    path.write_bytes(whole[: cut if cut < len(whole) else None])
    try:
        for tensor in read_checkpoint(path).tensors.values():
            tensor.double().sum()
    except InputRefused:
        pass


# Files that hold no weights.


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty (0 bytes)"),
        (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "is an HTML page"),
        (b"\n  <html>", "is an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "is a git-LFS pointer"),
        (b'{"weight_map": {}}', "is JSON text"),
        (b"just some words", "is plain text"),
        ("ä".encode() * 300, "is plain text"),
        (b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
        (b"\x1f\x8b\x08\x00", "is compressed by gzip"),
        (b"\x00\xff\xfe\x01" * 9, "is binary data of no known kind"),
    ],
)
def test_a_file_that_holds_no_weights_is_named_for_what_it_is(
    tmp_path: Path, content: bytes, what: str
) -> None:
    for name in ("w.safetensors", "w.pt"):
        (tmp_path / name).write_bytes(content)
        text = refusal(tmp_path / name)
        assert f"{name} {what}" in text
        assert "\n" not in text


def test_a_missing_file_is_told_with_the_near_names(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "weights.safetensors")
    text = refusal(tmp_path / "weight.safetensors")
    assert "There is no file weight.safetensors" in text
    assert "did you mean weights.safetensors?" in text


def test_a_directory_is_told_with_the_weights_in_it(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "weights.safetensors")
    assert "is a directory" in refusal(tmp_path)
    assert "name the file in it: weights.safetensors" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    assert "is a device or a pipe" in refusal(tmp_path / "pipe.pt")


def test_no_control_character_of_a_name_reaches_the_message(tmp_path: Path) -> None:
    path = tmp_path / "\x1b[31mred.pt"
    path.write_bytes(b"words")
    assert "\x1b" not in refusal(path)
