"""Where a trial was run: versions, device, commit."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import torch

from .. import __version__
from ..errors import InputRefused


@cache
def versions() -> dict[str, str]:
    """The versions that numbers may depend on."""
    return {
        "farback": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }


def check_device(device: str) -> None:
    """Refuse a device that holds no numbers here.

    Raises:
        InputRefused: what torch says of it.
    """
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise InputRefused(
            f"device came as {device!r}, which cannot be used ({reason}); try 'cpu'."
        ) from None


@cache
def device_name(device: str) -> str:
    """The device as a person knows it."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device}, {platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"


@cache
def commit() -> str | None:
    """The commit of farback's own sources, and a + where they were changed since.

    None where they are not a checkout.
    """
    here = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
