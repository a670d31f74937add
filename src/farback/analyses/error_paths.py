"""Which paths through the units carry the error from one step to another, and how many there are.

    (1)  ds_u(t) / ds_v(t-q) = sum over l_1 ... l_{q-1} of prod_{m=1..q} J_{t-m}[l_{m-1}, l_m]
         with l_0 = u and l_q = v
    (2)  J_{t-m}[l_{m-1}, l_m] = f'(net_{l_{m-1}}) w_{l_{m-1} l_m}   in a plain net
    (3)  A = sum over the same n^(q-1) paths of |product|
    (4)  left by cancellation = |(1)| / A,   share of a path = |its product| / A
    (5)  through a block at lag m = share of A of the paths whose l_m lies in the block

Axes: q lag, m = 0 ... q lags on the way, n units of the state, l units. The row is one row of the
batch and t its last step; u and v are the ends of the largest path of all, unless `entry` names
them. Where there are few enough, all paths are written out, and their sum must be (1); the largest
few are found exactly among any number, because the largest to a unit goes on from the largest to
some unit.

How to read it: (1) is the error's way through the net as Hochreiter wrote it. Each path is a
product of factors, which grows where all are above one in modulus and decays where all are below.
A net whose error is carried by one path, or by paths that stay in one block, has a carousel: look
at the units that it runs through. Where no path stands out, the error is a sum over a crowd of
small ones, and what is left by cancellation says how much their signs undo. An adjoint that decays
more slowly than the largest path lives from the number of paths.

Reference: Hochreiter 1991; Hochreiter and Schmidhuber 1997, section 3.1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import WrongUsage, expect
from ..flow import Finding, Measurement, Path, Trace
from ..flow.motion import Motion
from ._analysis import Analysis
from ._beside import beside
from ._decay import Decay, decay
from ._last_steps import last_steps, steps_of
from ._path_finding import charts, judged, numbers, written_out
from ._path_sums import backward, every_path, forward, largest, largest_by_lag, signed_sum

_MOST_NUMBERS = 2**25
"""Numbers in the Jacobians that are held at once, where the lag is chosen here."""

_WITHOUT_REACH = 10
"""The lag where the adjoint has no reach."""


@dataclass(frozen=True)
class ErrorPaths(Analysis):
    """The largest paths of the error between two units, and where all paths run.

    Args:
        lag: q; None is half of the adjoint's reach, as far as 2^25 numbers hold the Jacobians.
        row: the row of the batch.
        entry: (u, v), places in the state at t and at t - q; None is where the largest path runs.
        best: how many of the largest paths are found.
        terms: up to how many paths are written out one by one.
    """

    lag: int | None = None
    row: int = 0
    entry: tuple[int, int] | None = None
    best: int = 10
    terms: int = 100_000

    depth = "deep"
    of_motion = True

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, lag=1 if self.lag is None else self.lag, best=self.best)
        expect(0, row=self.row, terms=self.terms, entry=min(self.entry or (0,)))

    def applies(self, trace: Trace) -> bool:
        return bool(_followed(trace))

    def measure(self, trace: Trace) -> Measurement:
        moving = _followed(trace)
        decays = {
            name: decay(path.log_norm[""], draws=trace.draws, floor=trace.floor)
            for name, (path, _) in moving.items()
        }
        found = {name: self._fields(*pair, decays[name]) for name, pair in moving.items()}
        furthest = max(found, key=lambda name: _reach(decays[name]))
        fields = found[furthest]
        return Measurement(
            name="error_paths",
            summary="Which paths through the units carry the error, of all that there are.",
            fields={**fields, "path": furthest, "needs": trace.needs, "floor": trace.floor},
            blocks={n: Measurement(n, "One chain of states.", f) for n, f in found.items()},
            charts=charts(furthest, fields, moving[furthest][1].blocks),
            numbers=numbers(fields),
            conditions=(
                f"row {self.row}, from its last step {fields['lag']} steps back",
                f"from {fields['to']} to {fields['origin']}",
                "products as logs, the sum with its signs",
                written_out(fields),
                f"{trace.dtype}",
            ),
        )

    def judge(self, measurement: Measurement) -> Finding:
        return judged(measurement)

    def _fields(self, path: Path, motion: Motion, decayed: Decay | None) -> dict[str, Any]:
        size, lag = motion.states.shape[-1], self._lag(motion, path.name, decayed)
        jacobians = [each.numpy() for each in last_steps(motion, self.row, lag)]
        by_lag, to, origin = largest_by_lag(jacobians)
        if self.entry is not None:
            to, origin = self.entry
            if max(to, origin) >= size:
                raise WrongUsage(
                    f"entry came as {self.entry}, and {path.name} has {size} states, numbered from "
                    "0; name two of these, or leave entry out."
                )
        logs, signs = np.zeros(0), np.zeros(0)
        if count_log(size, lag) <= math.log(max(self.terms, 1e-9)) + 1e-9:
            logs, signs = every_path(jacobians, to, origin)
        moduli = [np.abs(each) for each in jacobians]
        rows, offsets = forward(jacobians, to)
        sums, sum_offsets = forward(moduli, to)
        log_entry, log_total = (
            offset + math.log(abs(value)) if value else -math.inf
            for offset, value in (
                (offsets[-1], rows[-1, origin]),
                (sum_offsets[-1], sums[-1, origin]),
            )
        )
        best = largest(jacobians, to, origin, self.best)
        running = sums * backward(moduli, origin)
        shares = running / np.maximum(running.sum(1, keepdims=True), np.finfo(float).tiny)
        written, sign = signed_sum(logs, signs) if len(logs) else (None, None)
        return {
            "lags": np.arange(lag + 1.0),
            "lag": lag,
            "gated": bool(path.gates),
            "row": self.row,
            "to": named(motion.blocks, to),
            "origin": named(motion.blocks, origin),
            "log_entry": log_entry,
            "sign": float(np.sign(rows[-1, origin])),
            "log_all": log_total,
            "left_by_cancellation": _share(log_entry, log_total),
            "log_count": count_log(size, lag),
            "written_out": len(logs),
            "log_sum": written,
            "sign_of_sum": sign,
            "ranks": np.arange(1.0, len(best.log) + 1),
            "log_best": best.log,
            "sign_best": best.sign,
            "share_of_best": np.cumsum([_share(log, log_total) for log in best.log]),
            "largest_path": best.units[0].astype(float) if len(best.log) else np.zeros(0),
            "log_factors": _factors(jacobians, best.units[0]) if len(best.log) else np.zeros(0),
            "runs": _runs(motion.blocks, best.units[0]) if len(best.log) else "",
            "log_largest": by_lag,
            "log_adjoint": beside(decayed, lag + 1),
            "stays": _stays(motion.blocks, moduli, to, origin, log_total),
            **{f"through_{name}": shares[:, where].sum(1) for name, where in motion.blocks.items()},
        }

    def _lag(self, motion: Motion, name: str, decayed: Decay | None) -> int:
        if self.row >= motion.states.shape[1]:
            raise WrongUsage(
                f"row came as {self.row}, and the batch has {motion.states.shape[1]} rows, "
                "numbered from 0; try row=0."
            )
        steps = len(steps_of(motion, self.row))
        if self.lag is not None:
            if self.lag > steps:
                raise WrongUsage(
                    f"lag came as {self.lag}, and row {self.row} of {name} has {steps} steps; try "
                    f"lag={steps}."
                )
            return self.lag
        half = (_reach(decayed) + 1) // 2 or _WITHOUT_REACH
        return max(1, min(half, steps, _MOST_NUMBERS // motion.states.shape[-1] ** 2))


def _followed(trace: Trace) -> dict[str, tuple[Path, Motion]]:
    """The chains whose Jacobian can be held at all, by name."""
    return {
        path.name: (path, motion)
        for path, motion in trace.moving
        if motion.states.shape[-1] ** 2 <= _MOST_NUMBERS
    }


def count_log(units: int, lag: int) -> float:
    """Ln of the number of paths, n^(q-1)."""
    return (lag - 1) * math.log(units)


def named(blocks: Mapping[str, slice], unit: int) -> str:
    """A unit by its block: 'c[3]'."""
    for name, where in blocks.items():
        if where.start <= unit < where.stop:
            return f"{name}[{unit - where.start}]"
    return f"[{unit}]"


def _reach(decayed: Decay | None) -> int:
    return 0 if decayed is None or decayed.reach is None else decayed.reach


def _share(log: float, log_total: float) -> float:
    return 0.0 if log == -math.inf else min(math.exp(log - log_total), 1.0)


def _factors(jacobians: list[np.ndarray], units: np.ndarray) -> np.ndarray:
    steps = zip(jacobians, units[:-1], units[1:], strict=True)
    return np.array([math.log(abs(jacobian[after, before])) for jacobian, after, before in steps])


def _stays(
    blocks: Mapping[str, slice], moduli: list[np.ndarray], to: int, origin: int, log_total: float
) -> dict[str, float]:
    """For each block the share of A of the paths that never leave it."""
    shares = {}
    for name, where in blocks.items():
        shares[name] = 0.0
        if all(where.start <= end < where.stop for end in (to, origin)):
            inside = [each[where, where] for each in moduli]
            rows, logs = forward(inside, to - where.start)
            value = rows[-1, origin - where.start]
            shares[name] = _share(logs[-1] + math.log(value) if value else -math.inf, log_total)
    return shares


def _runs(blocks: Mapping[str, slice], units: np.ndarray) -> str:
    """Where the largest path runs, in words."""
    if len(set(units.tolist())) == 1:
        return f"stays in {named(blocks, int(units[0]))} throughout"
    names = [named(blocks, int(unit)).partition("[")[0] for unit in units]
    spent = {name: names.count(name) for name in dict.fromkeys(names)}
    where = ", ".join(f"{count} of {len(names)} places in {n}" for n, count in spent.items() if n)
    return f"runs through {len(set(units.tolist()))} units" + (f" ({where})" if where else "")
