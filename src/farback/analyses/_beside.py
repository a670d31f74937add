"""The adjoint's curve, to stand beside another curve over the lags."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from ._decay import Decay


def beside(found: Decay | None, count: int) -> Float[np.ndarray, " Q"]:
    """Ln of the adjoint's norm at `count` lags, relative to its first that is not zero.

    NaN where it was not measured.
    """
    curve = np.full(count, np.nan)
    if found is not None:
        known = found.log_norm[:count]
        finite = known[np.isfinite(known)]
        curve[: len(known)] = known - (finite[0] if len(finite) else 0.0)
    return curve
