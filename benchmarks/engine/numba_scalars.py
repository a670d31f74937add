"""Scalars for numba kernels: float32, since a literal would make everything around it float64."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

one, two, four, half = np.float32(1), np.float32(2), np.float32(4), np.float32(0.5)
empty = np.float32(0)


@njit(fastmath=True)
def logistic(x):
    return one / (one + math.exp(-x))
