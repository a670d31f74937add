"""The way back over the tape: call by call from the last to the first, nothing ever underflows."""

from __future__ import annotations

from collections.abc import Callable

from ..flow.scaled import Scaled
from ._broken import NotFinite, finite
from ._records import Record
from ._segment import Ledger
from ._tape import Call, Errors, Records, Tape


def sweep(
    tape: Tape,
    errors: Errors,
    advance: Callable[[int], None] = lambda steps: None,
    *,
    sums: bool = False,
) -> Records:
    """Follow the errors back over all calls, and return what was noted on the way."""
    records = Records(errors, tape.steps, advance, sums=sums)
    ledger = Ledger(len(errors.times), errors.rescale)
    for call in reversed(tape.calls):
        arrived = [ledger.take(out) for out in call.outs]
        entering = [g for out in call.outs for g in errors.entering(out) if g is not None]
        if not entering and all(error is None for error in arrived):
            continue
        for error in arrived:
            _refuse_non_finite(error, call)
        sent = call.pull(errors, arrived, records)
        for entry, error in zip(call.entries, sent, strict=True):
            if error is not None and entry.leaves:
                ledger.pull(entry.given, entry.leaves, error)
    _note_unreached(tape, records)
    _note_cuts(tape, records)
    return records


def _refuse_non_finite(error: Scaled | None, call: Call) -> None:
    if error is not None and not finite(error.mantissa):
        raise NotFinite(
            f"The error that comes back to the output of {call.name} (from step {call.clock}) is "
            "NaN or infinite, and a finite one was expected; look at what the code does with it."
        )


def _note_unreached(tape: Tape, records: Records) -> None:
    """A state that exists, and that no error came to, has an adjoint of exactly zero."""
    for call in tape.calls:
        for record in _chains(records, call.name):
            record.reached_by_nothing(range(call.clock, call.end))


def _note_cuts(tape: Tape, records: Records) -> None:
    for name, step, reason in tape.cuts:
        for record in _chains(records, name):
            record.cuts.append(step)
            record.cut_reason = reason


def _chains(records: Records, name: str) -> list[Record]:
    """The chains of a module: its own, or one for each of its layers and directions."""
    every = records.by_name.values()
    return [r for r in every if r.name == name or r.name.startswith(f"{name}.l")]
