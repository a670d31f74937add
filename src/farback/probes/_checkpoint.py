"""A file of weights, opened without running any code from it.

What the file is, its first bytes tell; its name is not believed. `.safetensors` holds no code by
construction and is read here. What torch.save wrote is a pickle, which is a program: a child
process (_unpickle.py) opens it with weights_only=True and hands back plain tensors. A file that
needs more than that is refused; there is no switch to run it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from codecs import getincrementaldecoder
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..errors import InputRefused

SECONDS = 60.0
"""How long opening may take, besides a second for every 10 MB."""

OLDEST = (2, 10)
"""Before it, weights_only could be made to corrupt memory (GHSA-63cw-57p8-fm3p)."""

SUFFIXES = (".safetensors", ".pt", ".pth", ".ckpt", ".bin")

_FLOATS = {"F16", "BF16", "F32", "F64"}
_MOST_HEADER = 100_000_000
_PICKLES = tuple(b"\x80" + bytes([protocol]) for protocol in range(2, 6))

_RECIPE = """in the program that made the model, write
    import torch
    torch.save(model.state_dict(), "weights.pt")
and name that file."""

_OTHERS = {
    b"version https://git-lfs": ("a git-LFS pointer, not the weights", "try git lfs pull"),
    b"\x89HDF": ("an HDF5 file, as Keras writes", "save a state_dict with torch"),
    b"\x93NUMPY": ("a NumPy array", "save a state_dict with torch"),
    b"GGUF": ("a GGUF file of quantised weights", "name the float weights"),
    b"\x1f\x8b": ("compressed by gzip", "unpack it first"),
    b"\x89PNG": ("a PNG image", "name the weights"),
    b"%PDF": ("a PDF document", "name the weights"),
}

_REFUSALS = {
    "global": "{name} can only be opened by running {asked}, and farback runs no code that a file "
    "names; {recipe}",
    "torchscript": "{name} is a TorchScript program, and a state_dict was expected; {recipe}",
    "pickle": "{name} is a pickle that torch.save did not write (it runs {asked}), and a "
    "state_dict was expected; {recipe}",
    "protocol": "{name} is damaged, or written in a newer pickle protocol than can be opened "
    "without running code, and torch.save's own was expected; {recipe}",
    "shape": "{name} holds a {detail}, and a dict of tensors was expected; {recipe}",
    "zip": "{name} is a zip archive that holds no torch checkpoint (no data.pkl), and a state_dict "
    "was expected; unpack it and name the weights.",
    "memory": "{name} asks for far more memory than its {size} bytes, and plain weights were "
    "expected; {recipe}",
    "damaged": "{name} is a torch file that is cut short or damaged ({size} bytes; {detail}), and "
    "a whole one was expected; save or download it again.",
    "crash": "{name} made the process that opened it fail ({detail}), and plain weights were "
    "expected; save them by safetensors.torch.save_file.",
}


@dataclass(frozen=True)
class Checkpoint:
    """The floating tensors of a file by name; `ignored` is what else it held."""

    tensors: Mapping[str, Tensor]
    ignored: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def read_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Open a file of weights; no code from it runs.

    Raises:
        InputRefused: it is no file of weights, is damaged, or needs code to be opened.
    """
    file = Path(path)
    name = shown(file.name or str(file))
    try:
        _refuse_no_file(file, name)
        with file.open("rb") as opened:
            head = opened.read(512)
        size = file.stat().st_size
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputRefused(
            f"{name} cannot be read ({why}), and a file of weights was expected; look at its path "
            "and permissions."
        ) from None
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= _MOST_HEADER:
        found = _read_safetensors(file, name, size)
    elif head.startswith((b"PK", *_PICKLES)):
        found = _read_pickled(file, name, size)
    else:
        what, remedy = _what_it_is(head)
        raise InputRefused(
            f"{name} is {what}, and a file of weights was expected (.safetensors, or a state_dict "
            f"written by torch.save); {remedy}."
        )
    return _without_prefixes(found)


def shown(text: str) -> str:
    """A name out of a file as it may be printed: no control characters, and not endless."""
    clean = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:120])
    return clean if len(text) <= 120 else f"{clean}…"


def listed(names: Iterable[str], most: int) -> str:
    """The first of many names, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(shown(name) for name in every[:most]) + more


def _refuse_no_file(file: Path, name: str) -> None:
    if file.is_dir():
        inside = sorted(p.name for p in file.iterdir() if p.suffix in SUFFIXES)
        remedy = f"name the file in it: {listed(inside, 3)}" if inside else "name a file"
        raise InputRefused(f"{name} is a directory, and a file of weights was expected; {remedy}.")
    if not file.exists():
        beside = [p.name for p in file.parent.iterdir()] if file.parent.is_dir() else []
        near = get_close_matches(file.name, beside, n=3)
        remedy = f"did you mean {listed(near, 3)}?" if near else "look at its path."
        raise InputRefused(f"There is no file {name}, and a file of weights was expected; {remedy}")
    if not file.is_file():
        raise InputRefused(
            f"{name} is a device or a pipe, and a file of weights was expected; save it to disk."
        )


def _what_it_is(head: bytes) -> tuple[str, str]:
    """What a file that holds no weights is, in words, and what to try."""
    if not head:
        return "empty (0 bytes)", "save or download it again"
    for sign, answer in _OTHERS.items():
        if head.startswith(sign):
            return answer
    start = head.lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml")):
        return "an HTML page, as of a login or an error", "download the file from its own link"
    try:
        text = getincrementaldecoder("utf-8")().decode(head)  # the last letter may be cut
    except UnicodeDecodeError:
        text = "\0"
    if not all(c.isprintable() or c.isspace() for c in text):
        return "binary data of no known kind", "it may be damaged, so download it again"
    if start[:1] in (b"{", b"["):
        return "JSON text", "name the file of weights that it describes"
    return "plain text", "name the weights"


def _read_safetensors(file: Path, name: str, size: int, *, mapped: bool = True) -> Checkpoint:
    """The floating tensors; `mapped` ones stay in the file until they are used."""
    tensors: dict[str, Tensor] = {}
    ignored: list[str] = []
    try:
        with safe_open(file, framework="pt") as opened:
            for key in opened.keys():
                kind = opened.get_slice(key).get_dtype()
                if kind in _FLOATS:
                    tensor = opened.get_tensor(key)
                    tensors[key] = tensor if mapped else tensor.clone()
                else:
                    ignored.append(f"{key} ({kind} tensor)")
    except (SafetensorError, OSError, ValueError, RuntimeError, TypeError, MemoryError) as error:
        why = shown(str(error).partition("\n")[0])
        raise InputRefused(
            f"{name} is a safetensors file that is cut short or damaged ({size} bytes; {why}), and "
            "a whole one was expected; save or download it again."
        ) from None
    return Checkpoint(tensors, tuple(ignored))


def _read_pickled(file: Path, name: str, size: int) -> Checkpoint:
    """What a child process made of a file that torch.save wrote."""
    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if version < OLDEST:
        raise InputRefused(
            f"{name} is a pickle, which torch {torch.__version__} cannot open safely, and 2.10 or "
            "newer was expected; update torch, or save by safetensors.torch.save_file."
        )
    seconds = SECONDS + size / 1e7
    child = Path(__file__).with_name("_unpickle.py")
    with tempfile.TemporaryDirectory(prefix="farback-weights-") as folder:
        target = Path(folder) / "weights.safetensors"
        command = [sys.executable, "-P", str(child), str(file.absolute()), str(target)]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds
            )
        except subprocess.TimeoutExpired:
            raise InputRefused(
                f"{name} was not open after {seconds:.3g} s, where a moment was expected; save its "
                "weights by safetensors.torch.save_file, which opens at once."
            ) from None
        if done.returncode:
            raise _refusal(name, size, done)
        found = _read_safetensors(target, name, size, mapped=False)
    about: dict[str, list[str]] = json.loads(done.stdout)
    return Checkpoint(found.tensors, tuple(about["ignored"]), tuple(about["remarks"]))


def _refusal(name: str, size: int, done: subprocess.CompletedProcess[bytes]) -> InputRefused:
    """The child's answer in a sentence. torch's advice to switch weights_only off is not in it."""
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
        text = _REFUSALS[answer["reason"]]
        asked, detail = listed(answer["names"], 3) or "nothing", shown(answer["detail"])
    except (ValueError, KeyError, TypeError):
        text, asked, detail = _REFUSALS["crash"], "", _ending(done)
    return InputRefused(
        text.format(name=name, size=size, asked=asked, detail=detail, recipe=_RECIPE)
    )


def _ending(done: subprocess.CompletedProcess[bytes]) -> str:
    said = done.stderr.decode(errors="replace").strip().splitlines()
    code = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
    return f"{code}: {shown(said[-1])}" if said else code


def _without_prefixes(found: Checkpoint) -> Checkpoint:
    """Names without what a wrapper put before them: torch.compile, DataParallel and DDP."""
    tensors, remarks = dict(found.tensors), list(found.remarks)
    own = {key.replace("_orig_mod.", ""): value for key, value in tensors.items()}
    if len(own) == len(tensors) and own.keys() != tensors.keys():
        tensors = own
        remarks.append("'_orig_mod.' (torch.compile) was taken off the names.")
    if tensors and all(key.startswith("module.") for key in tensors):
        while all(key.startswith("module.") for key in tensors):
            tensors = {key.removeprefix("module."): value for key, value in tensors.items()}
        remarks.append("'module.' (DataParallel) was taken off the names.")
    return replace(found, tensors=tensors, remarks=tuple(remarks))
