"""A trial: everything that decides the numbers of one training, and the id that follows from it.

    id = first 32 hexadecimal digits of SHA-256(specification as JSON, keys sorted, no spaces)   (1)

On one kind of machine two trials of the same id give the same numbers: whatever is chosen and can
change a number is a field here, and what cannot (the moment, who runs beside it) is not. Machine
and versions stand in the run.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

PROTOCOL = 2
"""Raised whenever farback itself changes the numbers of a trial that it can already run."""

MOST_TRIALS = 1_000_000
"""Trials of one cell, task and learner that a run has at most."""


class Trial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One training: what learns what, how, from which seed, for how long at most.

    >>> one = Trial(cell="LSTM1997()", task="Adding()", learner="Descent()", seed=0,
    ...     sequences=1000, check=100, group=10, dtype="float32")
    >>> one.id
    'cddcff4c43b29adcc770a33b5e066166'
    """

    cell: str
    """The reprs of the three parts; a repr is a configuration."""

    task: str
    learner: str
    seed: int

    sequences: int
    """The budget: sequences presented at most."""

    check: int
    """Sequences between two evaluations."""

    group: int
    """Trials that the engine runs side by side; 1 where the numbers of none depend on another."""

    dtype: str
    engine: str = "reference"

    sources: dict[str, str] = {}
    """For a user's own classes: qualified name to SHA-256 of the file; farback's have none."""

    protocol: int = PROTOCOL

    @property
    def id(self) -> str:
        """Equation (1)."""
        return sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:32]

    def __hash__(self) -> int:
        return hash(self.id)
