"""farback's native engine beside its peers: whole training runs of small nets on all cores.

    python benchmarks/engine/compare.py                    everything, to results/engine.json
    python benchmarks/engine/compare.py --only Reber       what has it in its name, to the screen

Every way to train is built, warmed up and tried for a moment. Of the variants of one peer the
fastest counts, once its gradients are found to be those of the reference; those then run in turns,
some seconds each, and the median of the turns is what is reported. Peers that are not installed are
missing, and nothing else. On a machine with other work, figures of two cores say little.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from _measuring import write
from peak import peak
from peer import TOLERANCE, Peer
from rich.console import Console
from rich.table import Table
from workloads import ALL

MODULES = "native", "peers_numba", "peers_jax", "peers_torch"
LIBRARIES = "numpy", "numba", "llvmlite", "jax", "jaxlib"

Row = dict[str, Any]


def main() -> None:
    asked = _asked()
    found, missing = [], {}
    for name in asked.modules:
        try:
            found += importlib.import_module(name).peers()
        except ImportError as error:
            missing[name] = str(error)
    chosen = [it for it in found if asked.only.lower() in _label(it).lower()]
    chosen.sort(key=_workload)
    rows: list[Row] = []
    for _, group in groupby(chosen, key=_workload):
        # Those of a workload and a number of trials run against one another.
        rows += _compared(list(group), asked)
    everything = {"turns": asked.rounds, "seconds": asked.seconds, "missing": missing, "rows": rows}
    if not asked.only and len(asked.modules) == len(MODULES):
        write("engine", {"versions": _versions(), "peak_gflops": peak(), **everything})
    _show(everything)


def _compared(peers: list[Peer], asked: argparse.Namespace) -> list[Row]:
    """The best variants of each of them, in turns."""
    rows, best = [], []
    for name in dict.fromkeys(it.name for it in peers):
        tried = _tried([it for it in peers if it.name == name], asked)
        rows.append(tried)
        if isinstance(tried["peer"], Peer):
            best.append(tried)
    for _ in range(asked.rounds):
        for row in best:
            row["turns"].append(round(row["peer"].run(asked.seconds), 1))
    for row in best:
        row["units_per_second"] = median(row["turns"])
        row["peer"].drop()
        row["peer"] = row["peer"].name
    return rows


def _tried(variants: list[Peer], asked: argparse.Namespace) -> Row:
    """The fastest variant whose gradients are right, ready to run, and what the others did."""
    one = variants[0]
    row: Row = {
        "workload": one.workload.name,
        "unit": one.workload.unit,
        "trials": one.trials,
        "peer": one.name,
        "tried": {},
        "turns": [],
    }
    fastest = 0.0
    for it in variants:
        print(f"{_label(it)}, {it.variant}", file=sys.stderr)
        try:
            it.prepare()
            speed = it.run(asked.trial)
            row["tried"][it.variant] = round(speed, 1)
            if speed <= fastest:
                it.drop()
                continue
            error = it.error()
            if not error < TOLERANCE:
                raise ArithmeticError(f"gradients are off by {error:.1e}")
        except Exception as problem:  # whatever it is, the others are to be measured
            row.setdefault("failed", {})[it.variant] = f"{type(problem).__name__}: {problem}"[:200]
            it.drop()
            continue
        if isinstance(row["peer"], Peer):
            row["peer"].drop()
        fastest = speed
        row |= {
            "peer": it,
            "variant": it.variant,
            "compile_seconds": round(it.compile_seconds, 2),
            "gradient_error": float(f"{error:.1e}"),
        }
    return row


def _label(peer: Peer) -> str:
    return f"{peer.name}: {peer.workload.name}, N={peer.trials}"


def _workload(peer: Peer) -> tuple[int, int]:
    return ALL.index(peer.workload), peer.trials


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return {**found, "kernel": platform.release()}


def _show(everything: dict[str, Any]) -> None:
    """The figures as tables, the fastest of each first."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    for workload, group in groupby(everything["rows"], key=lambda it: it["workload"]):
        rows = list(group)
        table = Table(title=f"{workload}: {rows[0]['unit']} per second, all trials together")
        for column in ("N", "per second", "of best", "compile s", "error"):
            table.add_column(column, justify="right")
        for column in ("peer", "variant"):
            table.add_column(column)
        for _, same in groupby(rows, key=lambda it: it["trials"]):
            _fill(table, sorted(same, key=_speed, reverse=True))
            table.add_section()
        console.print(table)
    for name, why in everything["missing"].items():
        console.print(f"{name} is missing: {why}", highlight=False)


def _fill(table: Table, rows: list[Row]) -> None:
    for row in rows:
        if not _speed(row):
            why = "; ".join(dict.fromkeys(row["failed"].values()))
            table.add_row(str(row["trials"]), "failed", "", "", "", row["peer"], why)
            continue
        times = _speed(rows[0]) / _speed(row)
        table.add_row(
            str(row["trials"]),
            f"{_speed(row):,.0f}",
            f"1/{times:.1f}" if times > 1 else "1",
            f"{row['compile_seconds']:.1f}",
            f"{row['gradient_error']:.0e}",
            row["peer"],
            row["variant"],
        )


def _speed(row: Row) -> float:
    return row.get("units_per_second", 0.0)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("modules", nargs="*", default=list(MODULES), help="which peers")
    parser.add_argument("--only", default="", help="peers, workloads or trials with this in them")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each turn")
    parser.add_argument("--trial", type=float, default=0.3, help="seconds a variant is tried")
    return parser.parse_args()


if __name__ == "__main__":
    main()
