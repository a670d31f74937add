"""The single values of a measurement: one row for itself and one for each of its blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..flow import Measurement
from ._picture import as_text


def facts(measurement: Measurement) -> tuple[list[str], list[list[str]]]:
    """A header of field names, and rows of values as text; curves are left to their charts."""
    drawn = _drawn(measurement)
    rows = [(measurement.name, _values(measurement, drawn))]
    rows += [(name, _values(block, drawn)) for name, block in measurement.blocks.items()]
    columns = list(dict.fromkeys(key for _, values in rows for key in values))
    if not columns:
        return [], []
    if len(rows) == 1:
        return ["field", "value"], [[key, value] for key, value in rows[0][1].items()]
    return ["", *columns], [
        [name, *(values.get(key, "") for key in columns)] for name, values in rows if values
    ]


def value_text(value: Any) -> str:
    """A value as a person reads it."""
    match value:
        case None:
            return "none"
        case str():
            return value or "none"
        case bool():
            return "yes" if value else "no"
        case np.generic():
            return value_text(value.item())
        case np.ndarray():
            return value_text(value.tolist())
        case Mapping():
            return "; ".join(f"{key}: {value_text(item)}" for key, item in value.items())
        case [int() | float(), int() | float()] if not any(isinstance(v, bool) for v in value):
            return f"{as_text(value[0])} to {as_text(value[1])}"
        case list() | tuple():
            return ", ".join(value_text(item) for item in value)
        case _:
            return as_text(value)


def _drawn(measurement: Measurement) -> set[str]:
    """The fields that a chart or a plane shows."""
    series = [one for chart in measurement.charts for one in chart.series]
    edges = {name for one in series for name in (one.y, one.low, one.high) if name}
    ground = {name for plane in measurement.planes for name in (plane.x, plane.y, plane.z)}
    return edges | ground | {chart.x for chart in measurement.charts}


def _values(measurement: Measurement, drawn: set[str]) -> dict[str, str]:
    return {
        name: value_text(value)
        for key, entry in measurement.fields.items()
        if key not in drawn
        for name, value in _spread(key, entry)
        if _is_single(value)
    }


def _spread(key: str, entry: Any) -> Iterator[tuple[str, Any]]:
    """A mapping of values, say one for each dtype, is one value for each key."""
    if isinstance(entry, Mapping):
        yield from ((f"{key} · {name}", value) for name, value in entry.items())
    else:
        yield key, entry


def _is_single(value: Any) -> bool:
    """Anything short enough for a cell: a curve is not."""
    if isinstance(value, np.ndarray):
        return value.ndim <= 1 and value.size <= 2
    if isinstance(value, list | tuple):
        return len(value) <= 8 and all(isinstance(v, str | int | float | None) for v in value)
    return value is None or isinstance(value, str | int | float | np.generic)
