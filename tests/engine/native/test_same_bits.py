"""A trial comes out the same, bit for bit, whoever stands beside it and however it is called."""

import random

import numpy as np
import pytest
import torch
from small_trials import SEEDS, STEPS, STUDIES, begun, learn, same

from farback.learners import Search

TYPES = {torch.float32: 16, torch.float64: 8}
"""With lanes of the widest register."""

NAN, INFINITE, LARGE = 2, 7, 11
"""Seeds whose weights are spoilt."""

DOUBLE = ["BPTT", "gathered inputs", "RTRL", "influences of symbols", "truncated", "pseudo-Newton"]
"""What is tried in float64 too."""

CASES = [(it, torch.float32) for it in STUDIES] + [(it, torch.float64) for it in DOUBLE]
each = pytest.mark.parametrize(("name", "dtype"), CASES, ids=str)
some = pytest.mark.parametrize("dtype", TYPES, ids=str)


pytestmark = pytest.mark.slow


@each
def test_a_trial_has_the_same_bits_alone_and_in_the_widest_register(name, dtype) -> None:
    alone = learn(name, dtype, 1)
    assert np.isfinite(alone.params).all()
    assert same(learn(name, dtype, TYPES[dtype]), alone)


@pytest.mark.parametrize("lanes", [4, 8])
@pytest.mark.parametrize("name", ["gathered inputs", "truncated"])
def test_a_trial_has_the_same_bits_at_widths_between(name: str, lanes: int) -> None:
    assert same(learn(name, torch.float32, lanes), learn(name, torch.float32, 1))


@each
def test_a_trial_has_the_same_bits_in_any_lane_and_among_300(name, dtype) -> None:
    few, chooses = learn(name, dtype, TYPES[dtype]), random.Random(0)
    seeds = [chooses.randrange(SEEDS) for _ in range(300)]
    assert same(few, learn(name, dtype, TYPES[dtype], seeds), seeds)


@each
def test_two_threads_give_the_bits_of_one(name, dtype) -> None:
    seeds = [*range(SEEDS)] * 5
    one, two = (learn(name, dtype, TYPES[dtype], seeds, threads=it) for it in (1, 2))
    assert same(one, two)


@each
def test_several_calls_give_the_bits_of_one(name, dtype) -> None:
    calls = [1, 2, STEPS - 3]
    assert same(learn(name, dtype, TYPES[dtype], calls=calls), learn(name, dtype, TYPES[dtype]))


def spoilt(name, dtype):
    params = [it.copy() for it in begun(name, dtype)[0]]
    for leaf in params:
        leaf[NAN], leaf[INFINITE] = np.nan, np.inf
        leaf[LARGE] *= 1e4
    return params


@each
def test_weights_that_are_not_finite_stay_so_and_those_of_no_other_trial_become_so(
    name, dtype
) -> None:
    found = learn(name, dtype, TYPES[dtype], params=spoilt(name, dtype))
    finite = np.isfinite(found.params).all(1)
    # A search goes on from what it remembers, or draws anew, and leaves spoilt weights behind.
    stays = [] if isinstance(STUDIES[name][1], Search) else [NAN, INFINITE]
    assert np.flatnonzero(~finite).tolist() == stays


@each
def test_trials_beside_spoilt_ones_keep_their_bits(name, dtype) -> None:
    found = learn(name, dtype, TYPES[dtype], params=spoilt(name, dtype))
    others = [seed for seed in range(SEEDS) if seed not in (NAN, INFINITE, LARGE)]
    assert same(
        type(found)(*(it[others] for it in found)),
        type(found)(*(it[others] for it in learn(name, dtype, TYPES[dtype]))),
    )


@some
def test_an_answer_that_is_not_finite_is_never_right(dtype) -> None:
    found = learn("BPTT", dtype, TYPES[dtype], params=spoilt("BPTT", dtype))
    assert not found.right[NAN].any()
