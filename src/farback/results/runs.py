"""Several runs, in an order, each trial once: to be counted, filtered, joined and tabulated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, overload

from ..errors import unknown
from ._pandas import frame
from .run import FIELDS, Run
from .table import Fields, Table, recorded, table, told

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, repr=False)
class Runs(Sequence[Run]):
    """An immutable sequence of runs. A trial that comes twice counts once, as it came first.

    Args:
        runs: the runs.
        unread: a sentence for each file of a store that could not be read.

    >>> Runs().table()
    no trials
    """

    runs: tuple[Run, ...] = ()
    unread: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        once: dict[str, Run] = {}
        for run in self.runs:
            once.setdefault(run.trial.id, run)
        object.__setattr__(self, "runs", tuple(once.values()))

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    @overload
    def __getitem__(self, place: int) -> Run: ...
    @overload
    def __getitem__(self, place: slice) -> Runs: ...
    def __getitem__(self, place: int | slice) -> Run | Runs:
        if isinstance(place, slice):
            return Runs(self.runs[place], self.unread)
        return self.runs[place]

    def __add__(self, others: Runs) -> Runs:
        return Runs(self.runs + others.runs, tuple(dict.fromkeys(self.unread + others.unread)))

    def where(self, holds: Callable[[Run], bool] | None = None, **fields: object) -> Runs:
        """The runs for which `holds`, and whose fields are these; a part may be given as object.

        `where(cell=LSTM1997(blocks=2), seed=3)`, `where(lambda run: run.seconds > 60)`
        """
        wanted = {name: recorded(value) for name, value in fields.items()}
        records = [run.record() for run in self.runs]
        known = FIELDS.keys() | {name for record in records for name in record}
        for name in wanted:
            if name not in known:
                raise unknown("field", name, known)
        kept = (
            run
            for run, record in zip(self.runs, records, strict=True)
            if (holds is None or holds(run))
            and all(record.get(name) == value for name, value in wanted.items())
        )
        return Runs(tuple(kept), self.unread)

    def table(
        self, *, rows: Fields = "cell", columns: Fields = "task", value: str = "solved"
    ) -> Table:
        """As `farback.results.table`."""
        return table(self, rows=rows, columns=columns, value=value)

    def to_pandas(self) -> DataFrame:
        """One row a run, the measures as columns behind the fields; needs the extra `tables`."""
        return frame(run.record() for run in self.runs)

    @property
    def sentence(self) -> str:
        """How many there are and what came of them."""
        if not self.runs:
            return "no runs"
        outcomes = Counter(run.outcome for run in self.runs)
        counts = ", ".join(f"{outcomes[it]} {it}" for it in ("solved", "unsolved", "diverged"))
        parts = (
            _several(len({getattr(run.trial, name) for run in self.runs}), name)
            for name in ("cell", "task", "learner")
        )
        return f"{_several(len(self.runs), 'run')} of {', '.join(parts)}: {counts}"

    def __repr__(self) -> str:
        return "\n".join([self.sentence, *told(self.unread)])

    def _repr_html_(self) -> str:
        lines = "".join(f"<p>{escape(line)}</p>" for line in repr(self).splitlines())
        return lines + (self.table(rows=("cell", "learner"))._repr_html_() if self.runs else "")


def _several(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"
