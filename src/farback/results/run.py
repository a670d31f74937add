"""A run: what came of one trial, as an object and as a file of JSON.

JSON knows no NaN and no infinity, so a number of `measures` or `curve` that is not finite is
written as one of the strings "nan", "inf" and "-inf", and read back as the number. A run thus comes
back as it was written, to the last bit.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from .trial import Trial

SCHEMA = 1
"""Raised whenever a field of a run or of a trial changes its name or its meaning."""

_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}

Outcome = Literal["solved", "unsolved", "diverged"]


class Unreadable(Exception):
    """A file that holds no run: the rest of a sentence that begins with the file."""


class OtherSchema(Unreadable):
    """A file that another version of farback wrote."""


class Run(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The result of one trial and what it was made with."""

    trial: Trial
    outcome: Outcome
    sequences: int
    """Presented: up to the evaluation that found it solved, or in all."""

    forward: float
    """Passes forward, in lengths of a sequence."""

    backward: float
    """Passes back, in lengths of a sequence."""

    measures: dict[str, float]
    """What the last evaluation saw: test_wrong, test_count, test_error, ..."""

    curve: dict[str, list[float]]
    """What each evaluation saw, column by column; the column `sequences` says when."""

    seconds: float
    versions: dict[str, str]
    device: str
    commit: str | None
    command: str
    started: str
    """UTC, ISO 8601."""

    schema: int = SCHEMA

    def __post_init__(self) -> None:
        if len({len(column) for column in self.curve.values()}) > 1:
            raise ValueError("the columns of the curve differ in length")
        if self.curve and "sequences" not in self.curve:
            raise ValueError("the curve has no column of sequences")
        if taken := self.measures.keys() & FIELDS.keys():
            raise ValueError(f"a measure has the name of a field ({', '.join(sorted(taken))})")

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        if self.outcome == "solved":
            return f"solved after {self.sequences:,} sequences"
        if self.outcome == "unsolved":
            return f"not solved within {self.sequences:,} sequences"
        return f"diverged: not all numbers were finite after {self.sequences:,} sequences"

    def record(self) -> dict[str, Any]:
        """The run as one flat row: the fields of trial and run, then the measures.

        The trial's `sequences` are called `budget` here.
        """
        trial = msgspec.structs.asdict(self.trial)
        fields = msgspec.structs.asdict(self) | trial | {"sequences": self.sequences}
        fields["id"], fields["budget"] = self.trial.id, self.trial.sequences
        fields["sources"] = ", ".join(f"{k} {v[:8]}" for k, v in sorted(self.trial.sources.items()))
        return {name: fields[name] for name in FIELDS} | self.measures


FIELDS: dict[str, type] = {
    **dict.fromkeys(("id", "cell", "task", "learner"), str),
    **dict.fromkeys(("seed", "budget", "check", "group"), int),
    **dict.fromkeys(("dtype", "engine", "sources"), str),
    "protocol": int,
    "outcome": str,
    "sequences": int,
    **dict.fromkeys(("forward", "backward", "seconds"), float),
    **dict.fromkeys(("device", "commit", "command", "started"), str),
}
"""The columns of a record, with their types; measures come behind them."""


def encode(run: Run) -> bytes:
    """The run as one line of JSON."""
    document = msgspec.to_builtins(run)
    document["measures"] = {name: _written(it) for name, it in run.measures.items()}
    document["curve"] = {name: [_written(it) for it in run.curve[name]] for name in run.curve}
    return msgspec.json.encode(document) + b"\n"


def decode(text: bytes) -> Run:
    """The run in a file's bytes.

    Raises:
        OtherSchema: another version of farback wrote it.
        Unreadable: it is cut short, damaged or something else.
    """
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(
            f"is damaged ({str(error).rstrip('.')}); the same training computes it again and keeps "
            "this file beside the new one"
        ) from None
    if not isinstance(document, dict) or not {"schema", "trial", "outcome"} <= document.keys():
        raise Unreadable("is no run of farback; move it out of the store")
    if document["schema"] != SCHEMA:
        raise OtherSchema(
            f"has schema {document['schema']!r}, and this farback reads schema {SCHEMA}; read it "
            "with the farback that wrote it, or update this one"
        )
    try:
        document["measures"] = {name: _read(it) for name, it in document["measures"].items()}
        document["curve"] = {name: _column(it) for name, it in document["curve"].items()}
        return msgspec.convert(document, Run)
    except (KeyError, AttributeError, TypeError, msgspec.ValidationError) as error:
        raise Unreadable(
            f"is damaged ({error}); the same training computes it again and keeps this file beside "
            "the new one"
        ) from None


def _written(number: float) -> float | str:
    number = float(number)  # a whole number reads the same before and after
    return number if math.isfinite(number) else str(number)


def _column(numbers: Any) -> Any:
    """A column as it is where it holds no words, which nearly all do."""
    return [_read(it) for it in numbers] if str in set(map(type, numbers)) else numbers


def _read(number: Any) -> Any:
    return _WORDS.get(number, number) if isinstance(number, str) else number
