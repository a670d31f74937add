"""One step of a recurrent cell called from the user's own loop, and the error pulled through it.

The step is differentiated by autograd, on copies of what it took; so any module serves as a cell.
Its state is what the next call takes again: found by following the tensors, not by name.

Axes: K loss times, B rows, N state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from ..flow.scaled import Scaled, at, log, scaled, total
from ._products import Band, through, working
from ._records import Record
from ._tape import Call, Entry, Errors, Records
from .layers._stack import kind_of, weights_of


@dataclass
class CellCall(Call):
    """`copies` are the cut inputs, `results` the outputs with their graph, `outs` what was given.

    `state` numbers the outputs that are the state; the tape fills it in when the forward is over.
    `again` repeats the call on other copies and gives its results; None where it cannot be.
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
    again: Callable[[list[Tensor]], list[Tensor]] | None = None
    steps: int = 1
    state: tuple[int, ...] = field(default=(0,))

    @property
    def block_names(self) -> tuple[str, ...]:
        """The names of the parts of the state."""
        lstm = isinstance(self.cell, nn.LSTMCell)
        return ("h", "c") if lstm else tuple(f"s{i}" for i in range(len(self.state)))

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
        norms = torch.full((len(self.parameters), len(errors.times)), -torch.inf)
        norms = norms.to(torch.float64)

        def note(band: Band, products: Sequence[Tensor | None]) -> None:
            norms[:, band.which.cpu()] = self._summands(band, products)
            self._add_up(record, band, products)

        sent = through(
            self.results,
            self.copies,
            arriving,
            rescale=errors.rescale,
            weights=[w for group in self.parameters.values() for w in group],
            note=note,
        )
        for group, logs in zip(self.parameters, norms, strict=True):
            record.take_summands(group, clock, logs.unsqueeze(0))
        records.advance(1)
        return list(sent)

    def _arriving(self, errors: Errors, out: Tensor, late: Scaled | None) -> Scaled:
        """The error [K, *shape] at one output: what enters here, and what later calls sent."""
        shape = (len(errors.times), *out.shape)
        plain = torch.zeros(shape, dtype=working(out.dtype), device=out.device)
        entering = errors.entering(out)
        for k, t in enumerate(errors.times):
            gradient = entering[errors.draw[k]] if entering else None
            if t == self.clock and gradient is not None:
                plain[k] = gradient
        fresh = scaled(plain, rescale=errors.rescale)
        return fresh if late is None else total(fresh, late, rescale=errors.rescale)

    def _adjoint(self, arriving: Sequence[Scaled], draws: int) -> tuple[Scaled, dict[str, slice]]:
        """The adjoint of the whole state, [1, K, B, N], and where its blocks lie."""
        parts = [_as_rows(arriving[number], draws, self.rows) for number in self.state]
        exponent = torch.stack([part.exponent for part in parts]).amax(0)
        mantissa = torch.cat([at(part, exponent) for part in parts], -1)
        blocks, first = {}, 0
        for name, part in zip(self.block_names, parts, strict=False):
            blocks[name] = slice(first, first + part.mantissa.shape[-1])
            first = blocks[name].stop
        return Scaled(mantissa.unsqueeze(0), exponent.unsqueeze(0)), blocks

    def _summands(self, band: Band, products: Sequence[Tensor | None]) -> Tensor:
        """The log norms [groups, k] of the weight gradient of this step."""
        parts, found = iter(products), []
        for weights in self.parameters.values():
            mine = [part for _, part in zip(weights, parts, strict=False) if part is not None]
            sizes = [torch.linalg.vector_norm(part.reshape(len(part), -1), dim=1) for part in mine]
            sizes = sizes or [torch.zeros(len(band.which), device=band.top.device)]
            found.append(log(torch.linalg.vector_norm(torch.stack(sizes), dim=0), band.top))
        return torch.stack(found)

    def _add_up(self, record: Record, band: Band, products: Sequence[Tensor | None]) -> None:
        """The gradient of this step, of the recurrent weights or of all, added to the others'."""
        weights = next(iter(self.parameters.values()), ())
        if not weights or not record.adds_up(sum(weight.numel() for weight in weights)):
            return
        parts = [
            torch.zeros(len(band.which), weight.numel()).to(band.top.device, weight.dtype)
            if product is None
            else product.reshape(len(product), -1)
            for weight, product in zip(weights, products, strict=False)
        ]
        whole = torch.cat([part.to(working(part.dtype)) for part in parts], -1)
        record.take_sum(Scaled(whole, band.top), draws=band.which)

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
    """[K, *shape] as [K, B, n], a row with one exponent; rows are the first or second axis."""
    shape = error.mantissa.shape
    if len(shape) > 3 and shape[1] != rows == shape[2]:  # layers first
        error = Scaled(error.mantissa.transpose(1, 2), error.exponent.transpose(1, 2))
    exponent = error.exponent.reshape(draws, rows, -1)
    mantissa = error.mantissa.reshape(draws, rows, exponent.shape[-1], -1)
    top = exponent.amax(-1)
    return Scaled(at(Scaled(mantissa, exponent), top.unsqueeze(-1)).flatten(2), top)
