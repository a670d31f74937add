"""What the way back leaves behind: norms by clock step for each chain of states.

A record holds arrays over [K, T, B]; once the sweep is over they are turned from clock steps into
lags, q = t_k - s in the direction of processing, and become a Path of the trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from ..flow.scaled import (
    NOTHING,
    Scaled,
    at,
    log,
    log_norm,
    log_peak,
    normalise,
    scaled,
    total,
)
from ..flow.trace import Gate, Path

EVERY = slice(None)
"""All loss times."""

MOST_OF_A_SUM = 2**26
"""Numbers that the whole gradients of all loss times may take together."""


@dataclass
class Record:
    """One chain of states while it is being measured."""

    name: str
    kind: str
    shape: tuple[int, int, int]
    direction: int = 1
    spectral_radius: float | None = None
    cuts: list[int] = field(default_factory=list)
    cut_reason: str = ""
    norms: dict[str, np.ndarray] = field(default_factory=dict)
    summands: dict[str, np.ndarray] = field(default_factory=dict)
    gates: dict[str, list[tuple[float, np.ndarray, int]]] = field(default_factory=dict)
    gate_bias: dict[str, float] = field(default_factory=dict)
    row_norm: np.ndarray | None = None
    gradient: Scaled | None = None
    sums: bool = False
    times: Sequence[int] | None = None

    def take_adjoint(
        self,
        clock: np.ndarray,
        adjoint: Scaled,
        blocks: Mapping[str, slice],
        valid: Tensor | None,
        *,
        draws: slice = EVERY,
    ) -> None:
        """Note the norms of an adjoint [S, K, B, N] at the clock steps [S], for the `draws`."""
        self._note("", clock, log_norm(adjoint), valid, draws)
        self._note("peak", clock, log_peak(adjoint), valid, draws)
        if len(blocks) > 1:
            for name, where in blocks.items():
                block = Scaled(adjoint.mantissa[..., where], adjoint.exponent)
                self._note(name, clock, log_norm(block), valid, draws)

    def _note(
        self, name: str, clock: np.ndarray, logs: Tensor, valid: Tensor | None, draws: slice
    ) -> None:
        if name not in self.norms:
            self.norms[name] = np.full(self.shape, np.nan)
        if valid is not None:
            logs = torch.where(valid.cpu().unsqueeze(1), logs, torch.nan)
        self.norms[name][draws, clock] = logs.transpose(0, 1).numpy()

    def reached_by_nothing(self, clock: range) -> None:
        """Steps at which states exist and nothing was noted hold a true zero."""
        for norms in self.norms.values():
            here = norms[:, clock.start : clock.stop]
            here[np.isnan(here).all(2)] = -np.inf

    def take_summands(
        self, group: str, clock: np.ndarray, logs: Tensor, *, draws: slice = EVERY
    ) -> None:
        """Note the log norm [S, K] of a weight gradient's summands at the clock steps [S]."""
        if group not in self.summands:
            self.summands[group] = np.full(self.shape[:2], np.nan)
        self.summands[group][draws, clock] = logs.t().numpy()

    def take_rows(self, logs: Tensor, *, draws: slice = EVERY) -> None:
        """Add the log norms [S, K, B] of each row's own summands to the bound on their sum."""
        if self.row_norm is None:
            self.row_norm = np.full((self.shape[0], self.shape[2]), -np.inf)
        sums = torch.logsumexp(logs, 0).numpy()
        self.row_norm[draws] = np.logaddexp(self.row_norm[draws], sums)

    def take_sum(self, summand: Scaled, *, draws: slice | Tensor = EVERY) -> None:
        """Add a summand [K, P] to the whole gradient of the recurrent weights."""
        if self.gradient is None:
            shape = (self.shape[0], summand.mantissa.shape[-1])
            blank = summand.mantissa.new_zeros(shape)
            level = torch.full(shape[:1], NOTHING, dtype=torch.int64, device=blank.device)
            self.gradient = Scaled(blank, level)
        held = self.gradient
        fresh = normalise(*summand)
        added = total(Scaled(held.mantissa[draws], held.exponent[draws]), fresh)
        held.mantissa[draws], held.exponent[draws] = added

    def adds_up(self, size: int) -> bool:
        """Whether the whole gradient of so many weights was asked for, and is not too large."""
        return self.sums and self.shape[0] * size <= MOST_OF_A_SUM

    def take_gate(self, name: str, values: Tensor, valid: Tensor | None) -> None:
        """Note a gate's values [S, B, H]: its mean, and each unit's mean log."""
        flat = (values.flatten(0, 1) if valid is None else values[valid]).cpu().double()
        if len(flat):
            logs = flat.clamp(min=1e-300).log().mean(0).numpy()
            self.gates.setdefault(name, []).append((float(flat.mean()), logs, len(flat)))

    def path(self, loss_times: Sequence[int]) -> Path:
        """The record by lag."""
        against = self._by_lag(self.norms[""], loss_times, sign=-1)
        return Path(
            name=self.name,
            kind=self.kind,
            log_norm={
                name: self._by_lag(norms, loss_times)
                for name, norms in self.norms.items()
                if name != "peak"
            },
            log_peak=self._by_lag(self.norms["peak"], loss_times),
            against=against if np.isfinite(against).any() else None,
            summands={n: self._by_lag(s, loss_times) for n, s in self.summands.items()},
            row_norm=self.row_norm,
            gradient=None if self.gradient is None else log_norm(self.gradient).numpy(),
            gates=tuple(self._gate(name) for name in self.gates),
            direction=self.direction,
            spectral_radius=self.spectral_radius,
            cuts=tuple(sorted(self.cuts)),
            cut_reason=self.cut_reason,
        )

    def _gate(self, name: str) -> Gate:
        means, logs, counts = zip(*self.gates[name], strict=True)
        return Gate(
            name=name,
            mean=float(np.average(means, weights=counts)),
            mean_log=np.average(np.stack(logs), axis=0, weights=counts),
            bias=self.gate_bias.get(name),
        )

    def _by_lag(self, by_step: np.ndarray, loss_times: Sequence[int], sign: int = 1) -> np.ndarray:
        """[K, T, ...] by clock step as [K, Q, ...] by lag 0, 1, ..., or -1, -2, ... (sign -1)."""
        steps = by_step.shape[1]
        out = np.full_like(by_step, np.nan)
        for k, t in enumerate(loss_times):
            ahead = sign * self.direction > 0
            # s = t, t - 1, ... where the processing runs forwards, else t, t + 1, ...
            line = by_step[k, t::-1] if ahead else by_step[k, t:steps]
            line = line if sign > 0 else line[1:]
            out[k, : len(line)] = line
        return out


def summand_norms(errors: Tensor, exponent: Tensor, carried: Tensor) -> Tensor:
    """Ln of the Frobenius norm of sum_b e_b (x) v_b, for errors [S, K, B, G] and carried [S, B, V].

    The square of that norm is the sum over pairs of rows of (e_b . e_b')(v_b . v_b'), so that two
    small Gram matrices replace a whole weight matrix wherever the batch is smaller than the layer.
    """
    level, top = _level(_wide(errors), exponent)
    carried, carried_top = _level(*scaled(_wide(carried)))
    rows, nets, width = carried.shape[-2], errors.shape[-1], carried.shape[-1]
    if rows * (nets + width) < nets * width:
        own = level @ level.transpose(-1, -2)
        other = (carried @ carried.transpose(-1, -2)).unsqueeze(1)
        square = (own * other).sum((-1, -2)).clamp(min=0)
    else:
        square = (level.transpose(-1, -2) @ carried.unsqueeze(1)).square().sum((-1, -2))
    return log(square.sqrt(), top + carried_top.unsqueeze(1))


def summed(errors: Tensor, exponent: Tensor, carried: Tensor) -> Scaled:
    """The sum over steps and rows of e_b (x) v_b, [K, G V], for errors [S, K, B, G]."""
    top = exponent.amax((0, 2))
    level = at(Scaled(_wide(errors), exponent), top[None, :, None])
    shape = carried.shape
    flat, carried_top = scaled(_wide(carried).flatten())
    found = torch.einsum("skbg,sbv->kgv", level, flat.view(shape))
    return Scaled(found.flatten(1), top + carried_top)


def row_norms(errors: Tensor, exponent: Tensor, carried: Tensor) -> Tensor:
    """Ln |e_b| |v_b|, the norm of one row's summand: errors [S, K, B, G], carried [S, B, V]."""
    ours = log_norm(Scaled(errors, exponent))
    return ours + log_norm(scaled(_wide(carried))).unsqueeze(1)


def bias_norms(errors: Tensor, exponent: Tensor) -> Tensor:
    """Ln of the norm of sum_b e_b, for errors [S, K, B, G]."""
    level, top = _level(errors, exponent)
    return log(torch.linalg.vector_norm(level.sum(-2), dim=-1), top)


def _wide(x: Tensor) -> Tensor:
    """At least float32: half precision has no room for an exponent of its own."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _level(errors: Tensor, exponent: Tensor) -> tuple[Tensor, Tensor]:
    """All rows at the largest exponent among them."""
    top = exponent.amax(-1)
    return at(Scaled(errors, exponent), top.unsqueeze(-1)), top
