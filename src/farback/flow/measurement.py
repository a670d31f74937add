"""What an analysis measured: named fields, and how a report may draw them.

A measurement never draws itself. It says which field lies on which axis, in which unit; a report
draws any measurement without knowing the analysis by name. Norms are natural logs throughout;
a report shows log10.

    >>> import numpy as np
    >>> line = Measurement("decay", "A straight line.", {"log_norm": np.array([0.0, -1.0])})
    >>> line.log_norm[1]
    np.float64(-1.0)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np


class Series(msgspec.Struct, frozen=True):
    """One curve: the field that holds it, and those of its band where it has one.

    `block` names the block whose field it is; None is the measurement itself.
    """

    label: str
    y: str
    low: str | None = None
    high: str | None = None
    block: str | None = None


class Line(msgspec.Struct, frozen=True):
    """A line across a chart, vertical at x or horizontal at y (in the unit of the curves)."""

    axis: str
    at: float
    label: str


class Chart(msgspec.Struct, frozen=True):
    """Curves over a common axis. `unit` 'ln' is drawn as log10, 'share' from 0 to 1.

    Points that have no order among themselves are not `joined` by a line.
    """

    title: str
    x: str
    x_label: str
    y_label: str
    unit: str
    series: tuple[Series, ...]
    lines: tuple[Line, ...] = ()
    caption: str = ""
    joined: bool = True


class Mark(msgspec.Struct, frozen=True):
    """Points or a path on a plane: the field that holds them, [P, 2]."""

    label: str
    points: str
    joined: bool = False


class Plane(msgspec.Struct, frozen=True):
    """A quantity over two axes: fields x [X] and y [Y], and z [Y, X].

    `unit` 'ln' is drawn as log10; of 'class', z is the place of a name in `classes`, -1 of none.
    `contours` are (label, field [Y, X]), each drawn as the line at which the field is zero.
    """

    title: str
    x: str
    y: str
    z: str
    x_label: str
    y_label: str
    z_label: str
    unit: str = ""
    classes: tuple[str, ...] = ()
    contours: tuple[tuple[str, str], ...] = ()
    marks: tuple[Mark, ...] = ()
    caption: str = ""


class Number(msgspec.Struct, frozen=True):
    """One figure for the first screen: what it is, and its value as a person reads it."""

    label: str
    text: str
    note: str = ""


@dataclass(frozen=True)
class Measurement:
    """The result of one analysis. Each entry of `fields` is also an attribute.

    Arrays are float64 over lags 0, 1, ... unless their chart says otherwise; -inf in a log is a
    true zero. `conditions` state what the numbers are: clipped or not, scaled or not, masked or
    not.
    """

    name: str
    summary: str
    fields: Mapping[str, Any]
    blocks: Mapping[str, Measurement] = field(default_factory=dict)
    charts: tuple[Chart, ...] = ()
    planes: tuple[Plane, ...] = ()
    numbers: tuple[Number, ...] = ()
    conditions: tuple[str, ...] = ()

    def __getattr__(self, key: str) -> Any:
        fields = self.__dict__.get("fields", {})
        if key in fields:
            return fields[key]
        raise AttributeError(
            f"'{self.__dict__.get('name')}' measured {', '.join(fields)}; not {key}"
        )

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.fields})


def to_plain(measurement: Measurement) -> dict[str, Any]:
    """A measurement in JSON's own types: fields on top, arrays as lists, non-finite as null."""
    return {
        "summary": measurement.summary,
        **{key: _plain(value) for key, value in measurement.fields.items()},
        "blocks": {name: to_plain(block) for name, block in measurement.blocks.items()},
        "charts": msgspec.to_builtins(measurement.charts),
        "planes": msgspec.to_builtins(measurement.planes),
        "numbers": msgspec.to_builtins(measurement.numbers),
        "conditions": list(measurement.conditions),
    }


def from_plain(name: str, plain: Mapping[str, Any]) -> Measurement:
    """The inverse of `to_plain`; in an array, null is read as -inf."""
    rest = dict(plain)
    blocks = rest.pop("blocks", {})
    return Measurement(
        name=name,
        summary=rest.pop("summary", ""),
        charts=msgspec.convert(rest.pop("charts", ()), tuple[Chart, ...]),
        planes=msgspec.convert(rest.pop("planes", ()), tuple[Plane, ...]),
        numbers=msgspec.convert(rest.pop("numbers", ()), tuple[Number, ...]),
        conditions=tuple(rest.pop("conditions", ())),
        fields={key: _from_plain(value) for key, value in rest.items()},
        blocks={key: from_plain(key, block) for key, block in blocks.items()},
    )


def _plain(value: Any) -> Any:
    """JSON has no infinity: what is not finite becomes null."""
    match value:
        case np.ndarray():
            return [_plain(item) for item in value.tolist()]
        case np.generic():
            return _plain(value.item())
        case float():
            return value if np.isfinite(value) else None
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _from_plain(value: Any) -> Any:
    """Numbers in lists of one length are an array; an interval comes back as an array of two."""
    match value:
        case Mapping():
            return {key: _from_plain(item) for key, item in value.items()}
        case [*items] if all(item is None or isinstance(item, int | float) for item in items):
            return np.array([-np.inf if item is None else item for item in items], dtype=float)
        case [*items]:
            parts = tuple(_from_plain(item) for item in items)
            shapes = {part.shape if isinstance(part, np.ndarray) else None for part in parts}
            return np.stack(parts) if len(shapes) == 1 and None not in shapes else parts
        case _:
            return value
