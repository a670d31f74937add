"""Intervals against published tables, closed forms, and their own coverage."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from farback.results import Estimate, mean, rate, restricted_mean


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # R. G. Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_a_rate_has_the_interval_of_the_published_table(successes, trials, low, high):
    estimate = rate(successes, trials)
    assert estimate.value == successes / trials
    assert (round(estimate.low, 4), round(estimate.high, 4)) == (low, high)


def test_a_rate_has_the_interval_that_scipy_gives():
    for trials in (1, 2, 7, 100):
        for successes in range(trials + 1):
            other = binomtest(successes, trials).proportion_ci(method="wilson")
            assert rate(successes, trials)[1:] == pytest.approx(tuple(other), abs=1e-14)


def test_the_ends_of_a_rate_are_the_rates_that_are_just_rejected():
    low, high = rate(9, 10)[1:]
    for end in (low, high):
        assert abs(0.9 - end) / math.sqrt(end * (1 - end) / 10) == pytest.approx(1.959963984540054)


def test_nothing_is_said_of_nothing():
    assert rate(0, 0) == mean([]) == Estimate(None, None, None)


def test_one_value_has_no_interval_and_equal_values_one_without_width():
    assert mean([7.0]) == Estimate(7.0, None, None)
    assert mean([0.1] * 9) == Estimate(0.1, 0.1, 0.1)


def test_a_mean_of_many_has_the_interval_of_the_normal():
    values = np.random.default_rng(0).normal(size=400)
    error = 1.96 * values.std(ddof=1) / 20
    low, high = mean(values)[1:]
    assert (low, high) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.006)


def test_a_mean_does_not_depend_on_the_order_of_its_values():
    values = list(np.random.default_rng(0).exponential(size=15))
    assert mean(values) == mean(reversed(values)) == mean(sorted(values))


def test_the_interval_of_skewed_values_reaches_further_up_than_down():
    value, low, high = mean(np.random.default_rng(1).exponential(size=20))
    assert high - value > 1.2 * (value - low)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 10**6) | st.floats(0, 1.7e308), min_size=2, max_size=6))
def test_an_interval_lies_around_its_mean_and_within_its_values(values):
    value, low, high = mean(values)
    least, most = min(values), max(values) * (1 + 1e-9)
    assert least <= low <= high <= most
    assert low <= value * (1 + 1e-9) and value <= high * (1 + 1e-9)


@pytest.mark.slow
def test_the_interval_of_a_mean_covers_the_true_one_about_as_often_as_it_says():
    draws = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        _, low, high = mean(draws.exponential(size=30))
        covered += low <= 1 <= high
    assert 0.90 <= covered / 400 <= 0.97


def test_a_restricted_mean_counts_what_is_not_solved_with_its_budget():
    assert restricted_mean([(100, 1000), (300, 1000)]).value == 200
    assert restricted_mean([(100, 1000), (None, 1000), (None, 400)]).value == 500
    assert restricted_mean([(None, 1000)] * 3) == Estimate(1000, 1000, 1000)
    assert restricted_mean([]) == Estimate(None)
