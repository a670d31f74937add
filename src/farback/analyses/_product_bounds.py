"""How large a product of q Jacobians can be, when all that is known is one enclosure of them all.

Each |J| <= M entry by entry, and J = sum over k of diag(a_k) W_k (_derivative.py). Norms without a
name are Euclidean; |J_1 ... J_q| is bounded by

    (1)  p c^q,  c = max row sum of M, p = sqrt(N)                               rows
    (2)  p c^q,  c = max column sum of M, p = sqrt(N)                            columns
    (3)  c^q,    c = the root of the sum of all squares of M                     frobenius
    (4)  c^q,    c the least of |M|, |mid J| + |rad J|, sum over k of |diag(max a_k) W_k|, and
                 |sum over k of diag(mid a_k) W_k| + sum over k of |diag(rad a_k) W_k|    spectral
    (5)  p c^q,  c = |D^-1 M D|, p = max d / min d, for any d > 0                scaled
    (6)  sqrt(max (M^q 1) max (1' M^q)): no product is larger than M^q, entry by entry    powers
    (7)  the same with B_ij >= |J_ij| in the place of M, for the blocks i, j of the state    blocks
    (8)  the norms (4) of J^2, J^4, ..., whose enclosures are squared again and again    squares

(5) is least, and then the spectral radius of M, where d_i = sqrt(u_i / v_i) with the right and left
Perron vectors u, v of M; where M has zeros, a little is added to it to find d, but never to bound.
(6) costs two vectors a lag and needs no p. (8) is what tells W^q from |W|^q where J hardly varies.
All is rounded upward; norms by LAPACK are taken as right to 1e-12 of their size.

Axes: N state, Q lags 0, 1, ..., Q - 1.

Reference: (1) to (4) Hochreiter and Schmidhuber 1997, section 3.1, and Pascanu, Mikolov and Bengio
2013, section 2.1; (5) Perron and Frobenius, bound of Collatz 1942 and Wielandt 1950.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor

from ._derivative import Term, whole
from ._interval import EPS, Interval, up

_LAPACK = 1 + 1e-12
_ADDED = (1e-12, 1e-6, 1e-3, 1e-1)
_SQUARINGS = 7
_DOUBLINGS = 9
_LEAST = 1e-60
_FURTHEST = 4096
_LARGEST = 1000
"""An exponent of two that a float has with either sign."""


@dataclass(frozen=True)
class Geometric:
    """A bound exp(log_prefactor + q log_factor) for every lag q >= 1."""

    log_factor: float
    log_prefactor: float = 0.0

    def at(self, lags: np.ndarray) -> np.ndarray:
        """The log of the bound."""
        logs = np.zeros(len(lags))
        logs[lags > 0] = self.log_prefactor + lags[lags > 0] * self.log_factor
        return logs

    def below(self, log_floor: float) -> int | None:
        """The first lag from which on it lies below the floor; None where there is none."""
        if self.log_factor >= 0:
            return None
        return max(1, math.ceil((self.log_prefactor - log_floor) / -self.log_factor))


@dataclass(frozen=True)
class ProductBounds:
    """All of (1) to (8) for one enclosure; `squares` are the logs of (8), for J, J^2, J^4, ...

    `by_name` holds (1) to (5), (5) with the least factor found; `blocks` is B.
    """

    by_name: Mapping[str, Geometric]
    others: Sequence[Geometric]
    largest: Tensor
    blocks: Tensor
    squares: Sequence[float]

    @property
    def rate(self) -> float:
        """The least rate at which products of any length are known to grow."""
        return min(bound.log_factor for bound in self._geometric())

    def curve(self, lags: int) -> np.ndarray:
        """The tightest of all bounds at the lags 0 ... lags - 1."""
        q = np.arange(lags, dtype=float)
        found = [bound.at(q) for bound in self._geometric()]
        found += [self.curves(lags)[name] for name in ("powers", "blocks", "squares")]
        return np.minimum.reduce(found)

    def curves(self, lags: int) -> dict[str, np.ndarray]:
        """Each bound by lag."""
        q = np.arange(lags, dtype=float)
        return {name: bound.at(q) for name, bound in self.by_name.items()} | {
            "powers": _powers(self.largest, lags),
            "blocks": _powers(self.blocks, lags),
            "squares": np.array([_by_squares(self.squares, lag) for lag in range(lags)]),
        }

    def below(self, floor: float) -> int | None:
        """The lag beyond which no product is larger than `floor`; None where none is known."""
        log_floor = math.log(floor)
        sure = [lag for bound in self._geometric() if (lag := bound.below(log_floor)) is not None]
        if self.squares[-1] == -math.inf:  # a power of J is zero
            sure.append(2 ** (len(self.squares) - 1))
        if not sure:
            return None
        lag = min(sure)
        if lag > _FURTHEST:
            return lag
        above = np.flatnonzero(self.curve(lag + 1) > log_floor)
        return int(above[-1]) if len(above) else 0

    def _geometric(self) -> list[Geometric]:
        return [*self.by_name.values(), *self.others, _repeated(self.squares)]


def product_bounds(terms: Sequence[Term], blocks: Mapping[str, slice]) -> ProductBounds:
    """The bounds for a Jacobian of these terms, each with a matrix [N, 1, N]."""
    jacobian = whole(terms).map(lambda end: end.squeeze(1).t())
    parts = [_apart(term) for term in terms]
    largest = jacobian.largest
    size = len(largest)
    root = math.log(size) / 2
    by_blocks = _by_blocks(jacobian, parts, list(blocks.values()))
    entries, joined = _scalings(largest), _scalings(by_blocks)
    least = min([*entries, *joined], key=lambda bound: bound.log_factor)
    by_name = {
        "rows": Geometric(_log(_sum(largest, 1).max()), root),
        "columns": Geometric(_log(_sum(largest, 0).max()), root),
        "frobenius": Geometric(_log(_frobenius(largest))),
        "spectral": Geometric(_log(spectral(jacobian, parts))),
        "scaled": least,
    }
    others = (*entries, *joined)
    return ProductBounds(by_name, others, largest, by_blocks, _squared(jacobian, parts))


class Part(NamedTuple):
    """One term: the slopes [N] of the state after the step, and its matrix [N, N]."""

    slope: Interval
    matrix: Interval


def _apart(term: Term) -> Part:
    slope = term.slope.map(lambda end: end[0])
    return Part(slope, term.matrix.map(lambda end: end.squeeze(1).t()))


def spectral(jacobian: Interval, parts: Sequence[Part] = ()) -> Tensor:
    """(4)."""
    found = [_norm(jacobian.largest), _norm(jacobian.mid) + _frobenius(jacobian.rad)]
    if parts:
        found.append(_together(_over(part.slope.largest, part.matrix) for part in parts))
        center = sum(part.slope.mid[:, None] * part.matrix.mid for part in parts)
        lost = sum(_frobenius(part.slope.largest[:, None] * part.matrix.largest) for part in parts)
        around = _together(_over(part.slope.rad, part.matrix) for part in parts)
        blurred = _together(_frobenius(p.slope.largest[:, None] * p.matrix.rad) for p in parts)
        rounded = (len(parts) + 4) * EPS * lost
        found.append(_norm(cast(Tensor, center)) + around + blurred + rounded)
    return torch.stack(found).min() * _LAPACK


def _over(slopes: Tensor, matrix: Interval) -> Tensor:
    """At least |diag(a) W| for every a within +- slopes."""
    return _norm(slopes[:, None] * matrix.mid) + _frobenius(slopes[:, None] * matrix.rad)


def _together(sizes: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(sizes)).sum() * _LAPACK


def _norm(matrix: Tensor) -> Tensor:
    return _by_peak(matrix, lambda small: torch.linalg.matrix_norm(small, ord=2))


def _frobenius(matrix: Tensor) -> Tensor:
    return _by_peak(matrix, torch.linalg.vector_norm)


def _by_peak(matrix: Tensor, norm: Callable[[Tensor], Tensor]) -> Tensor:
    """A norm with the largest entry taken out, lest its squares underflow to none at all."""
    peak = matrix.abs().max() if matrix.numel() else matrix.new_zeros(())
    return up(peak * norm(matrix / peak) * _LAPACK) if float(peak) else peak


def _sum(matrix: Tensor, axis: int) -> Tensor:
    return matrix.sum(axis) * (1 + matrix.shape[axis] * EPS)


def _log(value: Tensor) -> float:
    if float(value) <= 0:
        return -math.inf
    log = math.log(float(value))
    return log + 4 * EPS * (1 + abs(log))


def _by_blocks(jacobian: Interval, parts: Sequence[Part], blocks: Sequence[slice]) -> Tensor:
    """B, (7)."""
    rows = []
    for i in blocks:
        row = []
        for j in blocks:
            own = [
                Part(
                    part.slope.map(lambda end, i=i: end[i]),
                    part.matrix.map(lambda end, i=i, j=j: end[i, j]),
                )
                for part in parts
            ]
            own = [p for p in own if bool((p.slope.largest[:, None] * p.matrix.largest).any())]
            row.append(spectral(jacobian.map(lambda end, i=i, j=j: end[i, j]), own))
        rows.append(torch.stack(row))
    return torch.stack(rows)


def _scalings(matrix: Tensor) -> list[Geometric]:
    """(5), with the d of several matrices near M."""
    found, peak = [], matrix.max()
    if float(peak) == 0:
        return [Geometric(-math.inf)]
    for added in _ADDED:
        near = matrix / peak + added
        right, left = _perron(near)
        d = (right / left).sqrt()
        turned = matrix * (d / d[:, None]) * (1 + 4 * EPS)
        found.append(Geometric(_log(_norm(turned)), _log(d.max() / d.min())))
    return found


def _perron(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Positive vectors near those that the matrix only stretches, from the right and the left."""
    power = matrix + (matrix.diagonal().max() + matrix.max()) * torch.eye(len(matrix)).to(matrix)
    for _ in range(_DOUBLINGS):
        power = power @ power
        power = power / power.max()
    return power.sum(1).clamp(min=_LEAST), power.sum(0).clamp(min=_LEAST)


def _powers(matrix: Tensor, lags: int) -> np.ndarray:
    """(6), each vector rescaled at every lag, and each product rounded upward."""
    logs = np.zeros(lags)
    by_row, by_column = matrix.new_ones(len(matrix)), matrix.new_ones(len(matrix))
    lost, size = 1 + (len(matrix) + 4) * EPS, 0.0
    for lag in range(1, lags):
        by_row, by_column = lost * (matrix @ by_row), lost * (by_column @ matrix)
        tall, wide = float(by_row.max()), float(by_column.max())
        if tall == 0 or wide == 0:
            logs[lag:] = -np.inf
            break
        size += (math.log(tall) + math.log(wide)) / 2
        size += 4 * EPS * (1 + abs(size))
        logs[lag] = size
        by_row, by_column = lost * by_row / tall, lost * by_column / wide
    return logs


def _squared(jacobian: Interval, parts: Sequence[Part]) -> list[float]:
    """(8), with the power of two taken out that would make a square over- or underflow."""
    logs, taken = [_log(spectral(jacobian, parts))], 0.0
    for _ in range(_SQUARINGS):
        if not math.isfinite(logs[-1]):
            break
        exponent = min(max(round((logs[-1] - taken) / math.log(2)), -_LARGEST), _LARGEST)
        taken = 2 * (taken + exponent * math.log(2))
        small = jacobian.map(lambda end, by=2.0**-exponent: end * by)
        jacobian = small @ small
        logs.append(_log(spectral(jacobian)) + taken)
        if logs[-1] > 2 * logs[-2]:  # wider than the square of what is known: it only gets worse
            return logs[:-1]
    return logs


def _by_squares(squares: Sequence[float], lag: int) -> float:
    """(8) at a lag: the largest powers that fit, one after the other."""
    total = 0.0
    for level in range(len(squares) - 1, -1, -1):
        times, lag = divmod(lag, 2**level)
        total += times * squares[level] if times else 0.0
    return total


def _repeated(squares: Sequence[float]) -> Geometric:
    """(8) with its last power again and again, and the steps left over once."""
    squares = [log for log in squares if math.isfinite(log)] or squares
    length = 2 ** (len(squares) - 1)
    rate = squares[-1] / length
    rest = [_by_squares(squares, lag) - lag * rate for lag in range(length)]
    return Geometric(rate, max(rest) if math.isfinite(rate) else 0.0)
