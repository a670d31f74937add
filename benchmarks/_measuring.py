"""How the benchmarks measure: in pairs, in processes of their own, and with the environment."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results"


def seconds(work: Callable[[], Any]) -> float:
    """The time of one call."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def side_by_side(
    ours: Callable[[], Any], plain: Callable[[], Any], *, pairs: int
) -> dict[str, float]:
    """Medians of alternating calls, and the median of their ratios; one call of each to warm up."""
    ours(), plain()
    found = [(seconds(ours), seconds(plain)) for _ in range(pairs)]
    return {
        "ours_seconds": round(median(a for a, _ in found), 4),
        "plain_seconds": round(median(b for _, b in found), 4),
        "ratio_of_pairs": round(median(a / b for a, b in found), 3),
        "lowest_ratio": round(min(a / b for a, b in found), 3),
        "highest_ratio": round(max(a / b for a, b in found), 3),
        "pairs": pairs,
    }


def peak(script: str, case: str) -> dict[str, float]:
    """Peak memory in MiB of one case in its own process: above the bare process, and whole."""
    done = subprocess.run(
        [sys.executable, script, case], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def report_peak(work: Callable[[], Any]) -> None:
    """The child's side of `peak`."""
    bare = _high_water()
    work()
    whole = _high_water()
    print(json.dumps({"above_bare_mib": round(whole - bare), "whole_mib": round(whole)}))


def _high_water() -> float:
    """The peak of resident memory in MiB (getrusage would carry the parent's over)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def environment() -> dict[str, Any]:
    """What the numbers were measured on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = lines[0].partition(":")[2].strip() if lines else cpu
    return {
        "cpu": cpu,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "system": f"{platform.system()} {platform.machine()}",
    }


def write(name: str, results: dict[str, Any]) -> None:
    """Keep the results beside the code, with their environment."""
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"environment": environment(), **results}, indent=2)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    print(text)
