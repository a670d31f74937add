"""The way back over the tape: call by call from the last to the first, nothing ever underflows."""

from __future__ import annotations

from collections.abc import Callable

from ._segment import Ledger
from ._tape import Errors, Records, Tape


def sweep(
    tape: Tape, errors: Errors, advance: Callable[[int], None] = lambda steps: None
) -> Records:
    """Follow the errors back over all calls, and return what was noted on the way."""
    records = Records(errors, tape.steps, advance)
    ledger = Ledger(len(errors.times), errors.rescale)
    for call in reversed(tape.calls):
        arrived = [ledger.take(out) for out in call.outs]
        entering = [g for out in call.outs for g in errors.entering(out) if g is not None]
        if not entering and all(error is None for error in arrived):
            continue
        sent = call.pull(errors, arrived, records)
        for entry, error in zip(call.entries, sent, strict=True):
            if error is not None and entry.leaves:
                ledger.pull(entry.given, entry.leaves, error)
    for name, step, reason in tape.cuts:
        for record in records.by_name.values():
            if record.name == name or record.name.startswith(f"{name}.l"):
                record.cuts.append(step)
                record.cut_reason = reason
    return records
