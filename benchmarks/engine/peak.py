"""What the machine can do at most: float32 multiply-adds a second, of one core and of all at once.

python benchmarks/engine/peak.py       prints GFLOP/s
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

ROUNDS, TURNS = 100_000_000, 5
SOURCE = Path(__file__).with_name("peak.c")


def peak() -> dict[str, float]:
    """The most GFLOP/s of some turns, by how many cores; nothing where there is no C compiler."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "peak"
        try:
            subprocess.run(
                ["cc", "-O3", "-march=native", SOURCE, "-o", program],
                check=True,
                capture_output=True,
            )
        except (OSError, subprocess.CalledProcessError):
            return {}
        cores = sorted({1, os.cpu_count() or 1})
        return {
            f"{count} core{'s' * (count > 1)}": round(
                max(_together(program, count) for _ in range(TURNS)), 1
            )
            for count in cores
        }


def _together(program: Path, count: int) -> float:
    """The sum of as many processes side by side."""
    running = [
        subprocess.Popen([program, str(ROUNDS)], stdout=subprocess.PIPE, text=True)
        for _ in range(count)
    ]
    return sum(float(it.communicate()[0].split()[0]) for it in running)


if __name__ == "__main__":
    print(peak())
