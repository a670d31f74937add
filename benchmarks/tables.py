"""Every published table, at its number of trials and at caps that keep all of them to three hours.

    python benchmarks/tables.py                       to results/tables.json, part by part
    python benchmarks/tables.py --only reber          the parts with this in their name

Each part is written when it is done, so a run that was stopped goes on with `--only`: parts that
are not asked for keep what they had.

A row's own cap is the published budget where that is affordable; here the dearest rows have less,
and a claim beyond a cap is said to be not comparable. On two cores the whole takes an hour or two.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from typing import Any

from _measuring import RESULTS, write

import farback as fb


@dataclass(frozen=True)
class Part:
    """Rows that run side by side, as one call of farback reproduce.

    Args:
        experiment: its name.
        rows: words of the names of its rows; all of them without any.
        sequences: the cap; each row's own without it.
        seeds: as many as the source has trials, without it.
    """

    experiment: str
    rows: tuple[str, ...] = ()
    sequences: int | None = None
    seeds: int | None = None

    @property
    def name(self) -> str:
        return f"{self.experiment.removeprefix('hochreiter1997_')}: {', '.join(self.rows) or 'all'}"


PARTS = (
    Part("hochreiter1997_temporal_order"),
    Part("hochreiter1997_adding", ("T = 100", "T = 500")),
    Part("hochreiter1997_two_sequence", ("T = 100, N",)),
    Part("hochreiter1997_reber", ("LSTM", "ours")),
    Part("hochreiter1997_reber", ("RTRL",)),
    Part("hochreiter1997_long_lag", ("p = 4",)),
    Part("hochreiter1997_long_lag", ("LSTM",)),
    Part("hochreiter1997_long_lag", ("p = 10,",)),
    Part("hochreiter1997_long_lag", ("RTRL, p = 100", "BPTT, p = 100"), sequences=1_000_000),
    Part("hochreiter1997_adding", ("T = 1000",)),
    Part("hochreiter1997_two_sequence", ("3a, T = 1000",)),
    Part("hochreiter1997_multiplication", sequences=1_000_000),
    Part("hochreiter1997_distractors", ("q = 50,", "q = 100,", "q = 200,")),
    Part("hochreiter1997_two_sequence", ("3b, T = 1000",)),
    Part("hochreiter1997_distractors", ("q = 500,", "q = 1000,"), sequences=30_000),
)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--only", default="", help="parts with this in their name")
    only = asked.parse_args().only
    file = RESULTS / "tables.json"
    before = json.loads(file.read_text())["parts"] if only and file.exists() else []
    known: dict[str, dict[str, Any]] = {it["part"]: it for it in before}
    for part in PARTS:
        if only.lower() in part.name.lower():
            known[part.name] = _done(part)
            done = [known[it.name] for it in PARTS if it.name in known]
            total = round(sum(it["seconds"] for it in done))
            write("tables", {"seconds": total, "parts": done})


def _done(part: Part) -> dict[str, Any]:
    begun = time.perf_counter()
    found = fb.reproduce(
        part.experiment,
        rows=part.rows or None,
        sequences=part.sequences,
        seeds=part.seeds,
        progress=False,
    )
    taken = time.perf_counter() - begun
    caps = {row.name: part.sequences or row.sequences for row in found.rows}
    lines = [list(line.cells()) for line in found.compare().lines]
    return {"part": part.name, "seconds": round(taken, 1), "caps": caps, "lines": lines}


if __name__ == "__main__":
    main()
