"""The profile: all that one probe measured and concluded, as one object and as one file.

The file is JSON with a schema version. It needs neither torch nor the model to be read again, and a
file that is not a profile, or comes from a newer farback, is refused with a sentence.
"""

from __future__ import annotations

import html
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

import msgspec

from .._axes import axes
from ..errors import InputRefused, unknown
from .finding import Finding
from .measurement import Measurement, from_plain, to_plain
from .verdict import Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMAT = "farback.profile"
SCHEMA = 1
LN10 = 2.302585092994046


@dataclass(frozen=True)
class Profile:
    """What a probe returns.

    `lead` names the measurement that carries the verdict; `reading` says how the batch was read;
    `settings` holds what was asked for (needs, depth, loss times, seed), `environment` the versions
    and the device; `notes` everything that the reader of a number should know about it.
    """

    subject: str
    reading: str
    verdict: Verdict
    measurements: Mapping[str, Measurement]
    findings: tuple[Finding, ...] = ()
    lead: str = "adjoint_decay"
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Measurement:
        if name not in self.measurements:
            raise unknown("measurement", name, self.measurements)
        return self.measurements[name]

    def __contains__(self, name: object) -> bool:
        return name in self.measurements

    def __iter__(self) -> Iterator[str]:
        return iter(self.measurements)

    def to_json(self) -> str:
        """The whole profile as JSON text (docs/schema.md names every field)."""
        document = {
            "format": FORMAT,
            "schema": SCHEMA,
            "subject": self.subject,
            "reading": self.reading,
            "verdict": msgspec.to_builtins(self.verdict),
            "lead": self.lead,
            "measurements": {name: to_plain(m) for name, m in self.measurements.items()},
            "findings": msgspec.to_builtins(self.findings),
            "settings": dict(self.settings),
            "environment": dict(self.environment),
            "notes": list(self.notes),
        }
        return msgspec.json.format(msgspec.json.encode(document), indent=1).decode()

    def save(self, path: str | os.PathLike[str]) -> FilePath:
        """Write the profile to `path`, whole or not at all."""
        target = FilePath(path)
        if not target.parent.is_dir():
            raise InputRefused(
                f"There is no folder {target.parent} to save into; make it first, or name another."
            )
        if target.exists() and not target.is_file():
            raise InputRefused(f"{target} is no ordinary file to save into; name another.")
        handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(self.to_json())
            FilePath(draft).chmod(0o666 & ~_umask())
            FilePath(draft).replace(target)
        except BaseException:
            FilePath(draft).unlink(missing_ok=True)
            raise
        return target

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the leading chart into matplotlib axes; needs the extra `figures`."""
        ax = axes(ax)
        measurement = self[self.lead]
        chart = measurement.charts[0]
        unit = LN10 if chart.unit == "ln" else 1.0
        for series in chart.series:
            source = measurement.blocks[series.block] if series.block else measurement
            x = getattr(source, chart.x)
            (curve,) = ax.plot(x, getattr(source, series.y) / unit, label=series.label)
            if series.low and series.high:
                low, high = getattr(source, series.low) / unit, getattr(source, series.high) / unit
                ax.fill_between(x, low, high, color=curve.get_color(), alpha=0.2, linewidth=0)
        ax.set(title=self.verdict.word, xlabel=chart.x_label, ylabel=chart.y_label)
        ax.legend()
        return ax

    def _repr_html_(self) -> str:
        numbers = self.measurements[self.lead].numbers if self.lead in self.measurements else ()
        rows = "".join(
            f"<tr><th>{html.escape(n.label)}</th><td>{html.escape(n.text)}</td></tr>"
            for n in numbers
        )
        sentence = html.escape(self.verdict.sentence)
        return f"<p><b>{sentence}</b><br>{html.escape(self.subject)}</p><table>{rows}</table>"


def _umask() -> int:
    """The permissions that the user withholds; there is no way to read them but to set them."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def load(path: str | os.PathLike[str]) -> Profile:
    """Read a profile saved by `Profile.save` or `--json`.

    Raises:
        InputRefused: there is no such file, it is no profile, or a newer farback wrote it.
    """
    try:
        document = msgspec.json.decode(FilePath(path).read_bytes())
    except OSError as error:
        raise InputRefused(
            f"{path} cannot be read ({error.strerror}); name a profile saved by farback."
        ) from None
    except msgspec.DecodeError:
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputRefused(
            f"{path} is not a farback profile; name a file written by profile.save() or --json."
        )
    if document.get("schema") != SCHEMA:
        raise InputRefused(
            f"{path} has schema {document.get('schema')}, and this farback reads schema {SCHEMA}; "
            "read it with the farback that wrote it, or update this one."
        )
    try:
        return Profile(
            subject=document["subject"],
            reading=document["reading"],
            verdict=msgspec.convert(document["verdict"], Verdict),
            lead=document["lead"],
            measurements={n: from_plain(n, m) for n, m in document["measurements"].items()},
            findings=msgspec.convert(document["findings"], tuple[Finding, ...]),
            settings=document["settings"],
            environment=document["environment"],
            notes=tuple(document["notes"]),
        )
    except (KeyError, AttributeError, TypeError, msgspec.ValidationError) as error:
        raise InputRefused(
            f"{path} is a damaged profile ({error}); save it again from the probe."
        ) from None
