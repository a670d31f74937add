"""One step of a recurrent cell called from the user's own loop, and the error pulled through it.

The step is differentiated by autograd, on copies of what it took; so any module serves as a cell.
Its state is what the next call takes again: found by following the tensors, not by name.

Axes: K loss times, B rows, N state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from ..flow.scaled import NOTHING, Scaled, add, at, normalise, scaled
from ._records import Record
from ._segment import bands, working
from ._tape import Call, Entry, Errors, Records
from .layers._stack import kind_of, weights_of

_LN2 = 0.6931471805599453


@dataclass
class CellCall(Call):
    """`copies` are the cut inputs, `results` the outputs with their graph, `outs` what was given.

    `state` numbers the outputs that are the state; the tape fills it in when the forward is over.
    """

    module: str
    name: str
    clock: int
    rows: int
    cell: nn.Module | None
    kind: str
    copies: list[Tensor]
    results: list[Tensor]
    entries: list[Entry]
    outs: list[Tensor]
    parameters: Mapping[str, Sequence[Tensor]]
    steps: int = 1
    state: tuple[int, ...] = field(default=(0,))

    def read_times(self, gradients: Sequence[Tensor | None]) -> set[int]:
        read = any(g is not None and bool((g != 0).any()) for g in gradients)
        return {self.clock} if read else set()

    def pull(
        self, errors: Errors, arrived: Sequence[Scaled | None], records: Records
    ) -> list[Scaled | None]:
        arriving = [
            self._arriving(errors, out, late) for out, late in zip(self.outs, arrived, strict=True)
        ]
        record = records.chain(self.name, self.kind, self.rows)
        clock = np.array([self.clock])
        adjoint, blocks = self._adjoint(arriving, len(errors.times))
        record.take_adjoint(clock, adjoint, blocks, None)
        self._note_gates(record)
        totals: list[list[Scaled]] = [[] for _ in self.copies]
        norms: dict[str, list[Tensor]] = {group: [] for group in self.parameters}
        for k in range(len(errors.times)):
            for total, sent in zip(totals, self._through(arriving, k, errors, norms), strict=True):
                total.append(sent)
        for group, logs in norms.items():
            record.take_summands(group, clock, torch.stack(logs).unsqueeze(0))
        records.advance(1)
        return [
            Scaled(torch.stack([s.mantissa for s in t]), torch.stack([s.exponent for s in t]))
            for t in totals
        ]

    def _arriving(self, errors: Errors, out: Tensor, late: Scaled | None) -> Scaled:
        """The error [K, *shape] at one output: what enters here, and what later calls sent."""
        shape = (len(errors.times), *out.shape)
        plain = torch.zeros(shape, dtype=working(out.dtype), device=out.device)
        entering = errors.entering(out)
        for k, t in enumerate(errors.times):
            gradient = entering[errors.draw[k]] if entering else None
            if t == self.clock and gradient is not None:
                plain[k] = gradient
        if not errors.rescale:
            blank = torch.zeros(plain.shape[:-1], dtype=torch.int64, device=plain.device)
            return Scaled(plain if late is None else plain + late.mantissa, blank)
        fresh = scaled(plain)
        return fresh if late is None else normalise(*add(fresh, late))

    def _adjoint(self, arriving: Sequence[Scaled], draws: int) -> tuple[Scaled, dict[str, slice]]:
        """The adjoint of the whole state, [1, K, B, N], and where its blocks lie."""
        parts = [_as_rows(arriving[number], draws, self.rows) for number in self.state]
        exponent = torch.stack([part.exponent for part in parts]).amax(0)
        mantissa = torch.cat([at(part, exponent) for part in parts], -1)
        blocks, first = {}, 0
        names = ("h", "c") if len(parts) == 2 else tuple(f"s{i}" for i in range(len(parts)))
        for name, part in zip(names, parts, strict=False):
            blocks[name] = slice(first, first + part.mantissa.shape[-1])
            first = blocks[name].stop
        return Scaled(mantissa.unsqueeze(0), exponent.unsqueeze(0)), blocks

    def _through(
        self,
        arriving: Sequence[Scaled],
        k: int,
        errors: Errors,
        norms: dict[str, list[Tensor]],
    ) -> list[Scaled]:
        """One loss time's error at the copies, band by band; the norms of the weights' summands."""
        mine = [Scaled(a.mantissa[k], a.exponent[k]) for a in arriving]
        totals = [_blank(copy, errors.rescale) for copy in self.copies]
        weights = [w for group in self.parameters.values() for w in group]
        heard = False
        for grads, top in self._banded(mine, errors.rescale):
            pairs = zip(self.results, grads, strict=True)
            live = [(result, g.to(result.dtype)) for result, g in pairs if result.requires_grad]
            pulled: Sequence[Tensor | None] = [None] * (len(self.copies) + len(weights))
            if live:
                results, sent = zip(*live, strict=True)
                pulled = torch.autograd.grad(
                    results, [*self.copies, *weights], sent, retain_graph=True, allow_unused=True
                )
            if not heard:
                self._note_summands(pulled[len(self.copies) :], top, norms)
            heard = True
            for number, part in enumerate(pulled[: len(self.copies)]):
                if part is not None:
                    totals[number] = _plus(totals[number], part, top, errors.rescale)
        if not heard:
            for group in norms:
                norms[group].append(torch.tensor(-torch.inf, dtype=torch.float64))
        return totals

    def _banded(self, mine: Sequence[Scaled], rescale: bool):
        """The error at all outputs together, in bands of similar size."""
        if not rescale:
            yield [part.mantissa for part in mine], 0
            return
        sizes = [part.mantissa[..., 0].numel() for part in mine]
        together = Scaled(
            torch.ones(sum(sizes), 1, dtype=mine[0].mantissa.dtype, device=mine[0].mantissa.device),
            torch.cat([part.exponent.flatten() for part in mine]),
        )
        for inside, top in bands(together, mine[0].mantissa.dtype):
            chosen = (inside.squeeze(-1) > 0).split(sizes)
            yield (
                [
                    at(
                        Scaled(p.mantissa, torch.where(c.view_as(p.exponent), p.exponent, NOTHING)),
                        top,
                    )
                    for p, c in zip(mine, chosen, strict=True)
                ],
                top,
            )

    def _note_summands(
        self, pulled: Sequence[Tensor | None], top: int, norms: dict[str, list[Tensor]]
    ) -> None:
        parts = iter(pulled)
        for group, weights in self.parameters.items():
            square = sum(
                (
                    part.double().square().sum()
                    for _, part in zip(weights, parts, strict=False)
                    if part is not None
                ),
                torch.zeros((), dtype=torch.float64),
            )
            norms[group].append(square.log().cpu() / 2 + top * _LN2)

    def _note_gates(self, record: Record) -> None:
        """The keeping gates of PyTorch's own cells."""
        if not isinstance(self.cell, nn.LSTMCell | nn.GRUCell):
            return
        with torch.no_grad():
            kind, x = kind_of(self.cell), self.copies[0].detach()
            weights = weights_of(self.cell, "", x.dtype)
            if len(self.copies) == 1:
                return
            state = torch.cat([copy.detach() for copy in self.copies[1:]], -1)
            if x.dim() == 1:
                x, state = x.unsqueeze(0), state.unsqueeze(0)
            nets = kind.drive(weights, x.unsqueeze(0))
            kind.step(weights, state, nets[0], torch.empty_like(state))
            for name, values in kind.keeping(nets).items():
                record.take_gate(name, values, None)
            for name, bias in kind.keeping_bias(weights).items():
                record.gate_bias[name] = float(bias.double().mean())


def _as_rows(error: Scaled, draws: int, rows: int) -> Scaled:
    """[K, *shape] as [K, B, n], every row with one exponent."""
    exponent = error.exponent.reshape(draws, rows, -1)
    mantissa = error.mantissa.reshape(draws, rows, exponent.shape[-1], -1)
    top = exponent.amax(-1)
    return Scaled(at(Scaled(mantissa, exponent), top.unsqueeze(-1)).flatten(2), top)


def _blank(like: Tensor, rescale: bool) -> Scaled:
    level = NOTHING if rescale else 0
    exponent = torch.full(like.shape[:-1], level, dtype=torch.int64, device=like.device)
    return Scaled(torch.zeros_like(like, dtype=working(like.dtype)), exponent)


def _plus(total: Scaled, part: Tensor, top: int, rescale: bool) -> Scaled:
    if not rescale:
        return Scaled(total.mantissa + part, total.exponent)
    mantissa, exponent = scaled(part.to(total.mantissa.dtype))
    sent = Scaled(mantissa, torch.where(exponent == NOTHING, NOTHING, exponent + top))
    return normalise(*add(total, sent))
