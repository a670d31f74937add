"""The handwritten digits that come with scikit-learn: 1797 images of 8 x 8 pixels.

Reference: E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998, in the copy
of scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int64

from ..errors import InputRefused

PIXELS = 64
CLASSES = 10


class Images(NamedTuple):
    """The images, row by row, and what they show."""

    pixels: Float[np.ndarray, "1797 64"]
    """From 0 to 1."""

    digits: Int64[np.ndarray, " 1797"]


def images() -> Images:
    """The images, in scikit-learn's order.

    Raises:
        InputRefused: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise InputRefused(
            "The digits come with scikit-learn, which is not installed; "
            "try pip install 'farback[demo]'."
        ) from None
    return _read(load_digits)


@cache
def _read(load: Callable[..., Any]) -> Images:
    pixels, digits = load(return_X_y=True)
    return Images(np.asarray(pixels, np.float64) / 16, np.asarray(digits, np.int64))
