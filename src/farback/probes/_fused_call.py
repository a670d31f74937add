"""A call of `nn.RNN`, `nn.LSTM` or `nn.GRU`: replayed step by step, and followed back.

The layer is replayed with its own weights while the user's forward runs; the replay must reproduce
what the fused layer itself returns. Then the error is pulled through layer after layer, from the
top down, in both directions: the error at a layer's input is the error at the output of the one
below.

Axes: T steps, K loss times, B rows, D directions, P outputs of one direction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..flow.scaled import Scaled, normalise, scaled, total
from ._records import Record, bias_norms, row_norms, summand_norms, summed
from ._tape import Call, Entry, Errors, Records
from .layers._kind import Weights
from .layers._layout import Layout
from .layers._replay import Replay
from .layers._way_back import Block, nothing, pull_back


@dataclass
class FusedCall(Call):
    """`runs[layer][direction]` are the replays; `masks[layer]` the dropout below that layer."""

    module: str
    name: str
    clock: int
    steps: int
    rows: int
    kind: str
    layout: Layout
    runs: tuple[tuple[Replay, ...], ...]
    masks: tuple[Tensor | None, ...]
    entries: list[Entry]
    outs: list[Tensor]

    def read_times(self, gradients: Sequence[Tensor | None]) -> set[int]:
        times = set()
        output, *finals = gradients
        if output is not None:
            read = (self.layout.read(output) != 0).flatten(1).any(1)
            times |= {self.clock + int(t) for t in read.nonzero()}
        for final in finals:
            if final is not None:
                by_run = final.flatten(1).abs().amax(-1) > 0
                ends = [self._last(d) for _, d in self._order()]
                times |= {t for t, read in zip(ends, by_run.tolist(), strict=True) if read}
        return times

    def _order(self) -> list[tuple[int, int]]:
        """(layer, direction) in PyTorch's order of the final states."""
        return [(layer, d) for layer, runs in enumerate(self.runs) for d in range(len(runs))]

    def _last(self, direction: int) -> int:
        """The clock step that a direction processes last."""
        return self.clock if direction else self.end - 1

    def pull(
        self, errors: Errors, arrived: Sequence[Scaled | None], records: Records
    ) -> list[Scaled | None]:
        arrivals = self._arrivals_on_top(errors, arrived[0])
        starts: dict[tuple[int, int], Scaled] = {}
        below: Scaled | None = None
        for layer in range(len(self.runs) - 1, -1, -1):
            at_input: Scaled | None = None
            for d, run in enumerate(self.runs[layer]):
                record = self._record(records, layer, d, run)
                took = pull_back(
                    run,
                    arrivals[d],
                    self._final(errors, arrived[1:], layer, d),
                    lambda block, r=run, d=d, c=record: self._take(block, r, d, c, records.advance),
                    wants_input=layer > 0 or bool(self.entries[0].leaves),
                    rescale=errors.rescale,
                )
                starts[layer, d] = took.start
                if took.input is not None:
                    sent = _reversed(took.input) if d else took.input
                    rescale = errors.rescale
                    at_input = sent if at_input is None else total(at_input, sent, rescale=rescale)
            below = self._masked(at_input, layer, errors.rescale)
            if layer and below is not None:
                arrivals = self._arrivals_below(below, layer - 1)
        return [self._at_input(below), *self._at_starts(starts)]

    # What enters.

    def _arrivals_on_top(self, errors: Errors, arrived: Scaled | None) -> list[list[Scaled | None]]:
        """For each direction of the top layer, the error that enters at each processed step."""
        entering = [
            None if g is None else self.layout.read(g) for g in errors.entering(self.outs[0])
        ]
        dense = None if arrived is None else self.layout.read_scaled(arrived)
        by_time: list[Scaled | None] = []
        for index in range(self.steps):
            here = (
                None
                if dense is None
                else Scaled(dense.mantissa[:, index], dense.exponent[:, index])
            )
            own = [k for k, t in enumerate(errors.times) if t == self.clock + index]
            if own and entering:
                fresh = self._entering_at(errors, entering, index, own)
                here = fresh if here is None else total(here, fresh, rescale=errors.rescale)
            by_time.append(here)
        return [self._direction(by_time, len(self.runs) - 1, d) for d in range(len(self.runs[-1]))]

    def _entering_at(
        self, errors: Errors, entering: list[Tensor | None], index: int, own: list[int]
    ) -> Scaled:
        like = self.runs[-1][0].final
        width = sum(_width(run) for run in self.runs[-1])
        plain = like.new_zeros(len(errors.times), self.rows, width)
        for k in own:
            gradient = entering[errors.draw[k]]
            if gradient is not None:
                plain[k] = gradient[index].to(like.dtype)
        return scaled(plain, rescale=errors.rescale)

    def _arrivals_below(self, below: Scaled, layer: int) -> list[list[Scaled | None]]:
        by_time: list[Scaled | None] = [
            Scaled(m, e) for m, e in zip(below.mantissa, below.exponent, strict=True)
        ]
        return [self._direction(by_time, layer, d) for d in range(len(self.runs[layer]))]

    def _direction(self, by_time: list[Scaled | None], layer: int, d: int) -> list[Scaled | None]:
        """One direction's part of the outputs, in its order of processing."""
        width = _width(self.runs[layer][d])
        part = slice(d * width, (d + 1) * width)
        own = [None if a is None else Scaled(a.mantissa[..., part], a.exponent) for a in by_time]
        return own[::-1] if d else own

    def _final(
        self, errors: Errors, arrived: Sequence[Scaled | None], layer: int, d: int
    ) -> Scaled:
        """The error that enters the last state itself: by h_n, c_n, or from a later call."""
        run = self.runs[layer][d]
        number = self._order().index((layer, d))
        widths = list(run.kind.blocks(run.weights).values())
        rescale = errors.rescale
        whole = nothing(run.final, len(errors.times), *run.final.shape)
        if not rescale:
            whole.exponent.zero_()
        for out, later, where in zip(self.outs[1:], arrived, widths, strict=True):
            plain = torch.zeros_like(whole.mantissa)
            for k, t in enumerate(errors.times):
                gradients = errors.entering(out)
                gradient = gradients[errors.draw[k]] if gradients else None
                if gradient is not None and t == self._last(d):
                    rows = self.layout.read_rows(gradient[number])
                    plain[k, :, where] = rows.to(plain.dtype)
            whole = total(whole, scaled(plain, rescale=rescale), rescale=rescale)
            if later is not None:
                mantissa = self.layout.read_rows(later.mantissa[:, number])
                exponent = self.layout.read_rows(later.exponent[:, number].unsqueeze(-1))
                padded = torch.zeros_like(whole.mantissa)
                padded[..., where] = mantissa
                rows = exponent.reshape(len(errors.times), -1)
                whole = total(whole, Scaled(padded, rows), rescale=rescale)
        return whole

    # What leaves.

    def _masked(self, error: Scaled | None, layer: int, rescale: bool) -> Scaled | None:
        """Through the dropout below `layer`, which also leaves the run's time-first order."""
        mask = self.masks[layer]
        if error is None or mask is None:
            return error
        masked = error.mantissa * mask.unsqueeze(1)
        return normalise(masked, error.exponent) if rescale else Scaled(masked, error.exponent)

    def _at_input(self, below: Scaled | None) -> Scaled | None:
        if below is None:
            return None
        by_loss = Scaled(below.mantissa.transpose(0, 1), below.exponent.transpose(0, 1))
        return self.layout.write_scaled(by_loss)

    def _at_starts(self, starts: dict[tuple[int, int], Scaled]) -> list[Scaled | None]:
        """The errors at h_0 and c_0, in the shapes in which they were given."""
        first = self.runs[0][0]
        found: list[Scaled | None] = []
        for where in list(first.kind.blocks(first.weights).values())[: len(self.entries) - 1]:
            parts = [starts[key] for key in self._order()]
            mantissa = torch.stack([s.mantissa[..., where] for s in parts], 1)
            exponent = torch.stack([s.exponent for s in parts], 1).unsqueeze(-1)
            mantissa, exponent = self.layout.write_rows(mantissa), self.layout.write_rows(exponent)
            found.append(Scaled(mantissa, exponent.squeeze(-1)))
        return found

    # What is noted.

    def _record(self, records: Records, layer: int, d: int, run: Replay) -> Record:
        suffix = ".reverse" if d else ""
        record = records.chain(
            f"{self.name}.l{layer}{suffix}", self.kind, self.rows, direction=-1 if d else 1
        )
        for name, bias in run.kind.keeping_bias(run.weights).items():
            record.gate_bias[name] = float(bias.double().mean())
        if run.kind.gates == 1 and record.spectral_radius is None:
            record.spectral_radius = spectral_radius(run.weights)
        return record

    def _take(
        self, block: Block, run: Replay, d: int, record: Record, advance: Callable[[int], None]
    ) -> None:
        clock = self.clock + block.first + np.arange(len(block.adjoint))
        if d:
            clock = self.clock + self.end - 1 - clock
        steps = slice(block.first, block.first + len(block.adjoint))
        valid = None if run.valid is None else run.valid[steps]
        adjoint = Scaled(block.adjoint, block.exponent)
        record.take_adjoint(clock, adjoint, run.kind.blocks(run.weights), valid, draws=block.draws)
        width = run.kind.blocks(run.weights)["h"]
        carried = block.before[..., width]
        norms = summand_norms(block.hidden, block.exponent, carried)
        record.take_summands("recurrent", clock, norms, draws=block.draws)
        if record.adds_up(run.weights.hidden.numel()):
            record.take_sum(summed(block.hidden, block.exponent, carried), draws=block.draws)
        record.take_rows(row_norms(block.hidden, block.exponent, carried), draws=block.draws)
        norms = summand_norms(block.input, block.exponent, block.x)
        record.take_summands("input", clock, norms, draws=block.draws)
        if run.weights.bias_input is not None:
            norms = bias_norms(block.input, block.exponent)
            record.take_summands("bias", clock, norms, draws=block.draws)
        projected = run.kind.projected(run.weights, block.after, block.kept)
        if projected is not None:
            at_output = block.adjoint[..., width]
            if valid is not None:
                at_output = at_output * valid[:, None, :, None]
            norms = summand_norms(at_output, block.exponent, projected)
            record.take_summands("projection", clock, norms, draws=block.draws)
        for name, values in run.kind.keeping(block.kept).items():
            record.take_gate(name, values, valid)
        advance(len(clock))


def spectral_radius(weights: Weights) -> float | None:
    """The largest modulus of an eigenvalue of W_hh, where it is square and not too large."""
    square = weights.hidden
    if square.shape[0] != square.shape[1] or len(square) > 1024:
        return None
    return float(torch.linalg.eigvals(square.double().cpu()).abs().max())


def _width(run: Replay) -> int:
    """P, the width of one direction's output."""
    return run.weights.hidden.shape[1]


def _reversed(error: Scaled) -> Scaled:
    return Scaled(error.mantissa.flip(0), error.exponent.flip(0))
