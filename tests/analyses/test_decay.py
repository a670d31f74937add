"""The decay of a curve in numbers: known lines, true zeros, short rows, odd samples."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farback.analyses._decay import decay, interval, joined, word

settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci")


def lines(*rates, lags=50, start=0.0):
    """Straight lines [1, Q, B], one row for each rate."""
    return start + np.arange(lags)[None, :, None] * np.array(rates)[None, None, :]


@given(rate=st.floats(-5, 5), start=st.floats(-800, 800))
def test_a_straight_line_has_its_own_rate(rate, start):
    found = decay(lines(rate, start=start))
    assert found.rate == pytest.approx(rate, abs=1e-9)
    assert found.rate_interval is None
    if rate < -1e-6:
        assert found.half_life == pytest.approx(math.log(2) / -rate)
    if rate > 1e-6:
        assert found.half_life is None


def test_the_reach_is_the_last_lag_above_the_floor():
    found = decay(lines(math.log(0.5)), floor=1e-3)
    assert found.reach == 9  # 0.5^9 = 0.00195, 0.5^10 = 0.00098
    assert not found.reach_at_least
    assert decay(lines(-0.01), floor=1e-3).reach_at_least


def test_one_wild_lag_does_not_move_the_rate():
    curve = lines(-0.3)
    curve[0, 7, 0] = 40.0
    assert decay(curve).rate == pytest.approx(-0.3, abs=1e-3)


def test_a_true_zero_ends_the_curve_and_not_the_rate():
    curve = lines(-0.3)
    curve[0, 20:, 0] = -np.inf
    found = decay(curve)
    assert found.rate == pytest.approx(-0.3)
    assert found.log_norm[20] == -np.inf
    assert found.reach == 19
    assert found.relative_at_end == pytest.approx(-0.3 * 19)


def test_a_zero_beyond_the_first_lag_leaves_no_rate():
    curve = np.full((1, 9, 2), -np.inf)
    curve[:, 0] = 0.0
    found = decay(curve)
    assert found.rate is None
    assert found.reach == 0
    assert word(found) == "vanishes"


def test_samples_without_an_error_are_left_out():
    curve = lines(-0.1, -0.1)
    curve[0, :, 1] = -np.inf
    assert decay(curve).samples == 1
    assert decay(np.full((1, 5, 2), -np.inf)) is None


def test_short_samples_do_not_vote_on_the_rate():
    curve = lines(-0.1, -0.1, -9.0)
    curve[0, 20:, 2] = np.nan
    assert decay(curve).rate == pytest.approx(-0.1)


def test_the_reach_is_relative_to_the_whole_states_start():
    block = decay(lines(-0.5, start=-3.0), start=lines(-0.5, start=0.0), floor=math.exp(-5))
    assert block.reach == 4


def test_projections_are_joined_by_their_root_mean_square():
    two = np.log(np.array([[[3.0]], [[4.0]]]))
    assert joined(two, 2)[0, 0, 0] == pytest.approx(math.log(math.sqrt(12.5)))
    silent = np.full((2, 1, 1), -np.inf)
    assert joined(silent, 2)[0, 0, 0] == -np.inf


def test_sustaining_is_a_change_under_a_factor_of_two_or_an_interval_with_zero():
    assert word(decay(lines(0.012))) == "sustains"
    assert word(decay(lines(0.016))) == "explodes"
    assert word(decay(lines(-0.016))) == "vanishes"
    assert word(decay(lines(-0.1, 0.1, -0.2, 0.2))) == "sustains"


def test_the_interval_of_a_median_holds_it_as_often_as_it_says():
    random = np.random.default_rng(0)
    held = [
        low <= 0 <= high for low, high in (interval(random.normal(size=25)) for _ in range(400))
    ]
    assert 0.93 <= np.mean(held) <= 1.0


def test_few_samples_give_their_range():
    assert interval(np.array([3.0, 1.0, 2.0])) == (1.0, 3.0)
    assert interval(np.array([3.0])) is None


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=30))
def test_an_interval_holds_the_median(values):
    low, high = interval(np.array(values))
    assert low <= np.median(values) <= high
