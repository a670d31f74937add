"""A curve in one line of block characters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.,-=+*#"
"""For a terminal that cannot show blocks."""

ZERO, UNMEASURED = "0", " "


def sparkline(
    values: Sequence[float] | np.ndarray, width: int, *, least_span: float = 0.0, ramp: str = BLOCKS
) -> str:
    """At most `width` characters, the lowest block at the minimum and the full one at the maximum.

    Each character is the mean of the finite values that it covers; one that covers only -inf (a
    true zero in a log) is '0', only NaN a space. A curve that spans less than `least_span` hangs
    from the top, so that noise does not look like a slope.

        >>> sparkline([0, -1, -2, -3, float("-inf")], 5)
        '█▆▃▁0'
    """
    curve = np.asarray(values, dtype=float)
    finite = curve[np.isfinite(curve)]
    top = finite.max() if finite.size else 0.0
    span = max(top - finite.min(), least_span) if finite.size else 1.0
    marks = []
    for part in np.array_split(curve, min(width, curve.size) or 1):
        seen = part[np.isfinite(part)]
        if seen.size:
            depth = (top - seen.mean()) / span if span else 0.0
            marks.append(ramp[round((len(ramp) - 1) * (1 - depth))])
        else:
            marks.append(ZERO if np.isneginf(part).any() else UNMEASURED)
    return "".join(marks)
