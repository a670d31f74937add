"""Where a trial was run: versions, device, commit."""

from __future__ import annotations

import platform
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import torch

from .. import __version__


@cache
def versions() -> dict[str, str]:
    """The versions that numbers may depend on."""
    return {
        "farback": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
    }


@cache
def device_name(device: str) -> str:
    """The device as a person knows it."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device}, {platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"


@cache
def commit() -> str | None:
    """The commit of farback's own sources; None where they are not a checkout."""
    here = Path(__file__).parent
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
