"""Ours beside the published, line by line, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from .._axes import axes
from ..errors import unknown
from ..results import Estimate
from ..results.claim import Compared
from ..results.entry import shown
from ._point import Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADINGS = ("row", "measure", "published", "ours", "95 % interval", "to the cap", "solved", "")


@dataclass(frozen=True)
class Line:
    """One claim of one row, and what our trials say to it."""

    row: str
    compared: Compared
    note: str = ""
    point: Point | None = None

    def cells(self) -> tuple[str, ...]:
        """The line under `HEADINGS`, as text."""
        it = self.compared
        published = it.claim.words or _number(it.claim.published)
        verdict = it.verdict + (f": {it.reason}" if it.reason else "")
        return (
            self.row,
            it.claim.measure,
            published or "-",
            _number(it.ours.value) or "-",
            _interval(it.ours),
            "" if it.restricted is None else _number(it.restricted.value),
            f"{it.solved} of {it.trials}",
            verdict if published else "ours",
        )


@dataclass(frozen=True)
class Comparison:
    """A reproduction in lines.

    Args:
        name: the experiment.
        source: where the published numbers stand.
        varied: the options that differ from the default.
        lines: one for each claim.
    """

    name: str
    source: str
    varied: str
    lines: tuple[Line, ...]

    @property
    def within(self) -> bool:
        """Whether no comparable claim lies outside."""
        return all(line.compared.verdict != "outside" for line in self.lines)

    @property
    def sentence(self) -> str:
        """How many claims lie within."""
        verdicts = [line.compared.verdict for line in self.lines if line.compared.claim.source]
        counts = {it: verdicts.count(it) for it in ("within", "outside", "not comparable")}
        said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        return f"{self.name}: of {len(verdicts)} published numbers {said or 'none was compared'}."

    def __str__(self) -> str:
        rows = [HEADINGS, *(line.cells() for line in self.lines)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        text = [
            "  ".join(it.ljust(width) for it, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        return "\n".join([self.sentence, *self._notes(), "", *text])

    def plot(self, measure: str = "sequences", ax: Axes | None = None) -> Axes:
        """Draw one measure into matplotlib axes: ours with its interval, the published beside it.

        Args:
            measure: which claims to draw, as "sequences" or "solved".
            ax: where to draw; a new figure without it. Needs the extra `figures`.
        """
        lines = [line for line in self.lines if line.compared.claim.measure == measure]
        if not lines:
            raise unknown("measure", measure, {it.compared.claim.measure for it in self.lines})
        ax = axes(ax)
        for place, line in enumerate(reversed(lines)):
            ours, published = line.compared.ours, line.compared.claim.published
            if ours.value is not None:
                ax.plot(ours.value, place, "o", color="C0", label="ours, 95 % interval")
            if ours.low is not None and ours.high is not None:
                ax.hlines(place, ours.low, ours.high, color="C0")
            if published is not None:
                ax.plot(published, place, "D", mfc="none", color="C1", label="published")
        ax.set_yticks(range(len(lines)), [line.row for line in reversed(lines)])
        ax.set(
            xlabel=measure, title=self.name, xscale="log" if measure == "sequences" else "linear"
        )
        handles, labels = ax.get_legend_handles_labels()
        once = dict(zip(labels, handles, strict=True))
        ax.legend(once.values(), once.keys())
        return ax

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(it)}</th>" for it in HEADINGS)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(it)}</td>" for it in line.cells()) + "</tr>"
            for line in self.lines
        )
        said = "".join(f"<p>{escape(it)}</p>" for it in (self.sentence, *self._notes()))
        return f"{said}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _notes(self) -> Iterator[str]:
        yield self.source
        if self.varied:
            yield f"Varied: {self.varied}."
        yield from dict.fromkeys(f"{it.row}: {it.note}" for it in self.lines if it.note)


def _number(value: float | None) -> str:
    return "" if value is None else shown(value)


def _interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{shown(estimate.low)} to {shown(estimate.high)}"
