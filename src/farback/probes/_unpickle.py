"""The child process in which a file written by torch.save is opened.

    python -P .../_unpickle.py SOURCE TARGET

It opens SOURCE with `torch.load(weights_only=True)`, which builds tensors and plain containers and
calls nothing that the file names, and writes the floating tensors to TARGET as safetensors. One
JSON object on stdout says what was left out, or (exit code 3) why the file is refused.

The safety rests on weights_only. The process is there for the day on which that has a fault: then a
crafted file meets limits of memory, processor time and file size, can reach neither the network nor
another program through Python, and crashes nobody else.

It is run by its path: `-m` would first import farback.probes, and with it much that has no business
here; so this file imports nothing of farback. -P keeps the script's and the working folder off the
import path. -I would do more, but also hide a torch that was installed for one user or through
PYTHONPATH; that environment is the parent's own.
"""

from __future__ import annotations

import json
import pickletools
import re
import sys
import zipfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

try:
    import resource
except ImportError:  # not on Windows
    resource = None

if TYPE_CHECKING:
    from torch import Tensor

WRAPPERS = ("state_dict", "model_state_dict", "model")
TRAINING = re.compile(r"optim|sched|scaler|callback", re.IGNORECASE)
FLOATS = {"torch.float16", "torch.bfloat16", "torch.float32", "torch.float64"}

MEMORY = 2 * 2**30
"""Bytes beyond what torch itself takes and four times the file."""

PROCESSOR_SECONDS = 120
MOST_LISTED = 1000
DEEPEST = 8

_TORCH_MAGIC = bytes.fromhex("8a0a6cfc9c46f920 6aa85019")
_FORBIDDEN = ("socket.", "subprocess.", "os.exec", "os.spawn", "os.posix_spawn", "os.fork")
_FORBIDDEN += ("os.system", "os.startfile", "pty.spawn")
_GLOBAL = re.compile(r"GLOBAL (\S+) (?:was not|whose)")
_KNOWN = ("torch.", "collections.OrderedDict")


class Refused(Exception):
    """Why the file is not opened: a word for the parent, and the globals that it asks for."""

    def __init__(self, reason: str, *names: str, detail: str = ""):
        self.reason = reason
        self.names = names
        self.detail = detail


def main(source: Path, target: Path) -> int:
    """Open, sort, write; 0, or 3 where the file is refused."""
    try:
        refuse_by_contents(source)
        loaded = load(source)
        found = sort(loaded)
        from safetensors.torch import save_file

        save_file(found.kept, target)
    except Refused as no:
        answer = {"reason": no.reason, "names": no.names, "detail": no.detail}
    except Exception as error:  # a damaged file fails in as many ways as there are bytes
        memory = isinstance(error, MemoryError) or "alloc" in str(error)
        reason = "memory" if memory else "damaged"
        answer = {"reason": reason, "names": [], "detail": type(error).__name__}
    else:
        print(json.dumps({"ignored": found.listed(), "remarks": found.remarks}))
        return 0
    print(json.dumps(answer))
    return 3


def refuse_by_contents(source: Path) -> None:
    """Refuse what is no state dict by its first bytes or its list of members; torch is not needed.

    Raises:
        Refused: TorchScript, a zip of something else, a pickle that torch.save did not write.
    """
    with source.open("rb") as file:
        head = file.read(64)
    if head[:2] == b"PK":
        with zipfile.ZipFile(source) as archive:
            members = {name.partition("/")[2] for name in archive.namelist()}
        if "constants.pkl" in members or any(name.startswith("code/") for name in members):
            raise Refused("torchscript")
        if "data.pkl" not in members:
            raise Refused("zip")
    elif _TORCH_MAGIC not in head:
        raise Refused("pickle", *globals_in(source))


def load(source: Path) -> Any:
    """What the file holds, under limits.

    Raises:
        Refused: it needs more than tensors and plain containers.
    """
    import torch  # here, so that what needs no torch is refused at once

    torch.set_num_threads(1)
    confine(source.stat().st_size)
    try:
        with source.open("rb") as file:
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        found = _GLOBAL.search(str(error))
        if found is not None:
            raise Refused("global", found[1]) from None
        if "DTensor" in str(error):
            raise Refused("global", "torch.distributed.tensor.DTensor") from None
        if "Unsupported operand" in str(error):
            names = [name for name in globals_in(source) if not name.startswith(_KNOWN)]
            raise Refused("global" if names else "protocol", *names) from None
        raise


def confine(size: int) -> None:
    """Limit memory, time and files from here on, and close the ways out that Python knows."""
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + PROCESSOR_SECONDS)
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_FSIZE, MEMORY + 4 * size)
        pages = Path("/proc/self/statm")
        if pages.exists():  # address space is counted in full, shared libraries and all
            mapped = int(pages.read_text().split()[0]) * resource.getpagesize()
            _limit(resource.RLIMIT_AS, mapped + MEMORY + 4 * size)
    sys.addaudithook(forbid)


def _limit(which: int, value: int) -> None:
    assert resource is not None
    _, hard = resource.getrlimit(which)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (value, value))


def forbid(event: str, _: tuple[Any, ...]) -> None:
    """An audit hook that refuses the network and other programs."""
    if event.startswith(_FORBIDDEN):
        raise Refused("global", event)


@dataclass
class Sorted:
    """The floating tensors by name, and the names of what else there was."""

    kept: dict[str, Tensor] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def ignore(self, name: Any, value: Any) -> None:
        """Note something that is no floating tensor."""
        what = type(value).__name__
        if hasattr(value, "layout"):
            what = f"{value.dtype} {value.layout} tensor".replace("torch.", "").replace(
                "strided ", ""
            )
        self.ignored.append(f"{str(name)[:200]} ({what})")

    def listed(self) -> list[str]:
        """What was ignored; of very much, the beginning."""
        more = len(self.ignored) - MOST_LISTED
        return [*self.ignored[:MOST_LISTED], *([f"{more} more"] if more > 0 else [])]


def sort(loaded: Any) -> Sorted:
    """Take a checkpoint apart.

    Raises:
        Refused: it is not a dict.
    """
    if not isinstance(loaded, Mapping):
        raise Refused("shape", detail=type(loaded).__name__)
    found = Sorted()
    for _ in range(DEEPEST):
        wrapper = next((n for n in WRAPPERS if isinstance(loaded.get(n), Mapping)), None)
        if wrapper is None:
            break
        for key, value in loaded.items():
            if key != wrapper:
                found.ignore(key, value)
        found.remarks.append(f"The weights lie under '{wrapper}' in the file.")
        loaded = loaded[wrapper]
    _gather(loaded, "", found, {id(loaded)})
    return found


def _gather(loaded: Mapping[Any, Any], prefix: str, found: Sorted, seen: set[int]) -> None:
    """Nested dicts by dotted names; each is entered once, so that a cycle ends."""
    import torch

    for key, value in loaded.items():
        name = f"{prefix}{key}"
        if type(value) in (torch.Tensor, torch.nn.Parameter) and _plain(value):
            found.kept[name] = value.detach().clone(memory_format=torch.contiguous_format)
        elif not isinstance(value, Mapping) or id(value) in seen or TRAINING.search(name):
            found.ignore(name, value)
        elif len(seen) < MOST_LISTED and prefix.count(".") < DEEPEST:
            seen.add(id(value))
            _gather(value, f"{name}.", found, seen)


def _plain(value: Any) -> bool:
    """Dense, real, floating, and with numbers in it."""
    dense = str(value.layout) == "torch.strided" and value.device.type == "cpu"
    return dense and str(value.dtype) in FLOATS


def globals_in(source: Path) -> list[str]:
    """The globals that a pickle names, in the order of the file, read without running it."""
    found: list[str] = []
    try:
        with ExitStack() as opened:
            file: Any = opened.enter_context(source.open("rb"))
            if zipfile.is_zipfile(source):
                archive = opened.enter_context(zipfile.ZipFile(source))
                inner = next(n for n in archive.namelist() if n.endswith("data.pkl"))
                file = opened.enter_context(archive.open(inner))
            for _ in range(5):  # torch's older files are several pickles, one after another
                _name_globals(file, found)
    except Exception:  # cut short or garbled: what was named until there
        pass
    return list(dict.fromkeys(found))


def _name_globals(file: Any, found: list[str]) -> None:
    strings: list[str] = []
    memo: dict[int, str] = {}
    for op, arg, _ in islice(pickletools.genops(file), 100_000):
        last = strings[-1] if strings else ""
        match op.name:
            case "GLOBAL" | "INST":
                found.append(str(arg).replace(" ", "."))
            case "STACK_GLOBAL":
                found.append(".".join(strings[-2:]))
            case "MEMOIZE":
                memo[len(memo)] = last
            case "BINPUT" | "LONG_BINPUT" | "PUT" if isinstance(arg, int):
                memo[arg] = last
            case "BINGET" | "LONG_BINGET" | "GET" if isinstance(arg, int):
                strings.append(memo.get(arg, ""))
            case _ if isinstance(arg, str):
                strings.append(arg)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
