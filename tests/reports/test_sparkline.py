"""The curve in one line."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from farback.reports._sparkline import PLAIN, sparkline


def test_largest_value_is_the_full_block_and_smallest_the_lowest():
    assert sparkline([0.0, -7.0], 2) == "█▁"


def test_true_zero_is_marked_0_and_unmeasured_is_blank():
    assert sparkline([1.0, -np.inf, np.nan], 3)[1:] == "0 "


def test_flat_curve_hangs_from_the_top():
    assert sparkline([0.0, -1e-9, 0.0], 3, least_span=1.0) == "███"


def test_empty_curve_gives_an_empty_line():
    assert sparkline([], 10).strip() == ""


def test_plain_ramp_is_ascii():
    assert sparkline(np.linspace(0, -9, 30), 20, ramp=PLAIN).isascii()


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=False, width=32), min_size=1, max_size=200),
    st.integers(1, 80),
)
def test_width_is_that_of_the_room_or_the_curve(values, width):
    assert len(sparkline(values, width)) == min(width, len(values))
