"""Many trials as one picture: medians that know of trials that have ended."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_runs import make_run

from farback.reports._learning import learning, solving

MARKS = [100.0, 200.0, 300.0]


def make(loss, outcome="unsolved", seed=0, marks=MARKS):
    curve = {"sequences": marks, "loss": loss}
    return make_run(seed, outcome, sequences=int(marks[-1]), curve=curve)


def median(runs, place=0):
    return learning(runs)[place].curves[0].y.tolist()


def test_one_trial_is_its_own_curve_without_a_band():
    (picture,) = learning([make([3.0, 2.0, 1.0])])
    assert picture.curves[0].y.tolist() == [3.0, 2.0, 1.0] and picture.curves[0].low is None


def test_the_median_is_taken_over_all_trials():
    runs = [make([value] * 3, seed=place) for place, value in enumerate((1.0, 2.0, 9.0))]
    assert median(runs) == [2.0, 2.0, 2.0]


def test_a_trial_that_is_solved_keeps_its_last_value():
    short = [make([5.0], "solved", seed, MARKS[:1]) for seed in range(3)]
    assert median([*short, make([9.0, 9.0, 9.0], seed=3)]) == [5.0, 5.0, 5.0]


def test_a_diverged_trial_counts_as_larger_than_any():
    runs = [
        make([1.0] * 3),
        make([2.0] * 3, seed=1),
        make([0.5, math.nan], "diverged", 2, MARKS[:2]),
    ]
    assert median(runs) == [1.0, 2.0, 2.0]


def test_where_half_have_diverged_the_median_is_a_gap():
    runs = [make([1.0] * 3), *(make([1.0], "diverged", seed, MARKS[:1]) for seed in (1, 2))]
    assert not np.isfinite(median(runs)[1])


def test_positive_values_over_decades_are_drawn_in_a_log():
    (picture,) = learning([make([1.0, 0.1, 0.001])])
    assert picture.unit == "ln" and picture.curves[0].y.tolist() == pytest.approx([0, -1, -3])


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    marks = [float(it) for it in range(1, 1001)]
    kept = learning([make(marks, marks=marks)])[0].curves[0].x
    assert kept.size <= 120 and (kept[0], kept[-1]) == (1.0, 1000.0)


def test_runs_without_a_curve_have_no_picture():
    assert learning([make_run(curve={})]) == []


def test_the_share_solved_ends_at_the_rate_over_all_trials(runs):
    (drawn,) = solving({"LSTM": runs[8:17]}).curves
    assert (drawn.y[0], drawn.y[-1], drawn.x[-1]) == (0.0, pytest.approx(3 / 9), 1000.0)
