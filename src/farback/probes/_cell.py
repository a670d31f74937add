"""How one call of a cell is met: run on copies, put on the tape, answered with leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..errors import InputRefused
from ._batch import Batch
from ._broken import NotFinite
from ._cell_call import CellCall
from ._clock import note_inner_cut, place
from ._entrance import enter, whole
from ._segment import sources
from ._tape import Entry, Tape, floating, is_floating, rebuilt


def step(
    tape: Tape,
    name: str,
    cell: nn.Module,
    own: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    *,
    batch: Batch,
) -> Any:
    """Answer one call of a cell: run it on copies, and hand out leaves.

    A module that gives all steps at once is no cell; then the data enter at its output.
    """
    taken, flat, spec = floating((args, dict(kwargs)))
    first_state = 1 if isinstance(cell, nn.RNNCellBase) or len(taken) > 1 else 0
    entries = [tape.entry(x) for x in taken]
    entries = [
        Entry(e.given, e.leaves, is_state=_is_state(tape, name, e, number >= first_state, cell))
        for number, e in enumerate(entries)
    ]
    copies = [tape.leaf(x) for x in taken]
    parameters = groups(cell) or handed_over(copies, entries)
    with torch.enable_grad():
        given = [copy.clone() for copy in copies] if tape.writable else copies
        call_args, call_kwargs = rebuilt(flat, spec, given)
        answer = own(*call_args, **call_kwargs)
    if whole(answer, batch):
        return enter(tape, name, answer, batch)
    results, flat_out, spec_out = floating(answer)
    carrying = list({id(r): r for r in results if r.requires_grad}.values())
    if not carrying:
        raise InputRefused(
            f"{name} returns nothing that depends on what it takes, and a recurrent cell was "
            "expected; name another module with cells= (--cells)."
        )
    if any(sources(r, tape.copies) for r in carrying):
        raise InputRefused(
            f"{name} keeps its state to itself, in an attribute, and a cell that takes its state "
            "and gives it back was expected; return it from forward, or probe the step as a "
            "StepMap."
        )
    tape.copies |= {id(copy): copy for copy in copies}
    where = place(tape, name, entries, first_state=first_state, steps=1)
    _refuse_non_finite(name, results, where.clock)
    note_inner_cut(tape, where, entries, copies, carrying)
    handed = {id(r): tape.leaf(r) for r in carrying}
    call = CellCall(
        module=name,
        name=where.name,
        clock=where.clock,
        rows=_rows(carrying, batch),
        cell=cell,
        kind=type(cell).__name__,
        copies=copies,
        results=carrying,
        entries=entries,
        outs=list(handed.values()),
        parameters=parameters,
        again=_again(tape, name, cell, flat, spec, [id(r) for r in results], list(handed)),
    )
    tape.add(call)
    _mark_state(tape, call)
    if any(isinstance(x, Tensor) and x.is_complex() for x in flat_out):
        tape.note(f"{name} holds complex states; their norms are those of the moduli.")
    back = {key: tape.handed(leaf) for key, leaf in handed.items()}
    return rebuilt(flat_out, spec_out, [back.get(id(r), r) for r in results])


def _again(
    tape: Tape,
    name: str,
    cell: nn.Module,
    flat: list[Any],
    spec: Any,
    results: list[int],
    carrying: list[int],
) -> Callable[[list[Tensor]], list[Tensor]] | None:
    """The call repeated on other tensors, with the parameters that it had in this forward."""
    if any(isinstance(x, Tensor) and x.dim() and not is_floating(x) for x in flat):
        return None
    if name not in tape.weights:
        own = {**dict(cell.named_parameters()), **dict(cell.named_buffers())}
        tape.weights[name] = {key: value.detach() for key, value in own.items()}
    weights, kept = tape.weights[name], [results.index(it) for it in carrying]

    def again(taken: list[Tensor]) -> list[Tensor]:
        args, kwargs = rebuilt(flat, spec, taken)
        answers, _, _ = floating(functional_call(cell, weights, args, kwargs))
        return [answers[number] for number in kept]

    return again


def _rows(results: Sequence[Tensor], batch: Batch) -> int:
    """The batch's rows where the results have them, else those of the first that has any."""
    if any(batch.rows in r.shape[:-1] for r in results):
        return batch.rows
    return next((len(r) for r in results if r.dim() > 1), 1)


def _is_state(tape: Tape, name: str, entry: Entry, may_be: bool, cell: nn.Module) -> bool:
    if isinstance(cell, nn.RNNCellBase):
        return may_be
    return any(call.module == name for call in tape.givers(entry))


def _mark_state(tape: Tape, call: CellCall) -> None:
    """The outputs of earlier calls that this call took again are the state."""
    if isinstance(call.cell, nn.RNNCellBase):
        call.state = tuple(range(len(call.outs)))
        return
    fed = {
        tape.owners[id(leaf)][1]
        for entry in call.entries
        for leaf in entry.leaves
        if tape.owners[id(leaf)][0].name == call.name
    }
    known = [c for c in tape.calls if isinstance(c, CellCall) and c.name == call.name]
    state = tuple(sorted(fed)) or known[-2].state if len(known) > 1 else (0,)
    for one in (call, *known[-2:-1]):
        one.state = state


def groups(cell: nn.Module | None) -> dict[str, list[Tensor]]:
    """The parameters of a cell in groups: recurrent, input and bias, or all of them together."""
    if cell is None:
        return {}
    named: dict[str, Tensor] = {name: p for name, p in cell.named_parameters() if is_floating(p)}
    for parameter in named.values():
        parameter.requires_grad_()
    if not isinstance(cell, nn.RNNCellBase):
        return {"cell": list(named.values())} if named else {}
    found = {
        "recurrent": [p for name, p in named.items() if "hh" in name and "weight" in name],
        "input": [p for name, p in named.items() if "ih" in name and "weight" in name],
        "bias": [p for name, p in named.items() if name == "bias_ih"],
    }
    return {group: members for group, members in found.items() if members}


def handed_over(copies: Sequence[Tensor], entries: Sequence[Entry]) -> dict[str, list[Tensor]]:
    """The parameters that a cell without any is given at each call."""
    found = [
        copy
        for copy, entry in zip(copies, entries, strict=True)
        if entry.given.requires_grad and entry.given.is_leaf and not entry.leaves
    ]
    return {"cell": found} if found else {}


def _refuse_non_finite(name: str, results: Sequence[Tensor], clock: int) -> None:
    if not all(bool(torch.isfinite(r).all()) for r in results):
        raise NotFinite(
            f"{name} first gives NaN or infinity at step {clock}, where finite states were "
            "expected; look at the input at that step, or at the size of the weights.",
            name,
        )
