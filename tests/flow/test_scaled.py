"""Scaled arithmetic against Python's exact fractions."""

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farback.flow.scaled import NOTHING, Scaled, add, at, log_norm, log_peak, normalise, scaled

settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci")

numbers = st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=3)
exponents = st.integers(-9000, 9000)


def made(values, exponent, dtype):
    return normalise(torch.tensor([values], dtype=dtype), torch.tensor([exponent]))


def exact(value):
    """Each entry as an exact fraction; zeros for a vector of zeros."""
    exponent = int(value.exponent[0])
    if exponent < NOTHING // 2:
        assert not value.mantissa.any()
        return [Fraction(0)] * value.mantissa.shape[-1]
    return [Fraction(float(m)) * Fraction(2) ** exponent for m in value.mantissa[0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(values=numbers, exponent=exponents)
def test_normalising_changes_no_digit(dtype, values, exponent):
    plain = torch.tensor([values], dtype=dtype)
    value = normalise(plain, torch.tensor([exponent]))
    wanted = [Fraction(float(v)) * Fraction(2) ** exponent for v in plain[0]]
    size = max(map(abs, wanted))
    for ours, true in zip(exact(value), wanted, strict=True):
        # an entry may sink below the type's smallest number beside a far larger one
        assert abs(ours - true) <= size * Fraction(2) ** -120


@given(values=numbers, exponent=exponents)
def test_the_largest_entry_lies_between_a_half_and_one(values, exponent):
    value = made(values, exponent, torch.float64)
    peak = float(value.mantissa.abs().max())
    assert peak == 0 or 0.5 <= peak < 1 or peak < 2.0**-96


@given(one=numbers, other=numbers, first=exponents, second=exponents)
def test_a_sum_is_right_to_the_last_bits_of_its_larger_part(one, other, first, second):
    a, b = made(one, first, torch.float64), made(other, second, torch.float64)
    total = add(a, b)
    size = max(map(abs, exact(a) + exact(b)))
    for ours, x, y in zip(exact(normalise(*total)), exact(a), exact(b), strict=True):
        assert abs(ours - (x + y)) <= size * Fraction(2) ** -50


@given(values=numbers, exponent=exponents)
def test_a_log_norm_is_finite_where_the_norm_is_no_float(values, exponent):
    value = made(values, exponent, torch.float64)
    parts = exact(value)
    square = sum(p * p for p in parts)
    if square == 0:
        assert float(log_norm(value)) == -math.inf
        assert float(log_peak(value)) == -math.inf
    else:
        wanted = (math.log(square.numerator) - math.log(square.denominator)) / 2
        assert float(log_norm(value)) == pytest.approx(wanted, rel=1e-12, abs=1e-9)


def test_zeros_never_win_an_alignment():
    zero = scaled(torch.zeros(1, 3))
    tiny = Scaled(torch.full((1, 3), 0.5), torch.tensor([-5000]))
    assert exact(add(zero, tiny)) == exact(tiny)


def test_a_subnormal_vector_reaches_its_place_in_two_calls():
    value = scaled(torch.tensor([[2.0**-140, 0.0]]))
    value = normalise(*value)
    assert 0.5 <= float(value.mantissa.abs().max()) < 1
    assert exact(value)[0] == Fraction(2) ** -140


def test_at_brings_a_value_to_an_asked_exponent():
    value = Scaled(torch.tensor([[0.5, 0.25]]), torch.tensor([-3]))
    assert at(value, -4).tolist() == [[1.0, 0.5]]
