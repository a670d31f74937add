"""Random numbers as a function: of seed, purpose, sequence and place, and of nothing else."""

import numpy as np
import pytest

from farback.draws import Draws, philox

ALL = 0xFFFFFFFF
PI = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0,) * 4, (0,) * 2, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((ALL,) * 4, (ALL,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (*PI, (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
    ],
)
def test_philox_gives_the_published_words(
    counter: tuple[int, ...], key: tuple[int, ...], words: tuple[int, ...]
) -> None:
    """The known answers that Salmon et al. 2011 distribute with Random123."""
    found = philox(*(tuple(np.asarray(it, np.uint64) for it in part) for part in (counter, key)))
    assert tuple(int(it) for it in found) == words


def test_a_trial_draws_the_same_whoever_draws_beside_it() -> None:
    alone = Draws([7], "training", count=6).normal(5)
    among = Draws([1, 7, 9], "training", count=6).normal(5)
    assert np.array_equal(alone[:, 0], among[:, 1])


def test_any_stretch_of_sequences_can_be_drawn_by_itself() -> None:
    whole = Draws([3], "training", count=50).uniform(4)
    stretch = Draws([3], "training", first=20, count=10).uniform(4)
    assert np.array_equal(whole[:, :, 20:30], stretch)


def test_more_places_do_not_change_the_first_ones() -> None:
    assert np.array_equal(Draws([3], "a").uniform(9)[:4], Draws([3], "a").uniform(4))


def test_purposes_seeds_calls_and_branches_draw_apart() -> None:
    draws = Draws([3, 4], "a", count=2)
    drawn = [draws.uniform(3), draws.uniform(3), draws.branch("x").uniform(3)]
    drawn += [Draws([3, 4], "b", count=2).uniform(3)]
    numbers = np.concatenate([it.ravel() for it in drawn])
    assert len(np.unique(numbers)) == numbers.size


def test_tensors_are_the_same_numbers() -> None:
    draws, source = Draws([3, 4], "a", count=2), Draws([3, 4], "a", count=2).tensors
    for name, words in (
        ("uniform", {"low": -1.0}),
        ("normal", {"std": 2.0}),
        ("integers", {"high": 5}),
        ("geometric", {"more": 0.5}),
        ("signs", {}),
    ):
        assert np.array_equal(getattr(draws, name)(3, **words), getattr(source, name)(3, **words))
    assert np.array_equal(draws.branch("x").uniform(3), source.branch("x").uniform(3))


def test_numbers_of_a_trials_own_are_the_same_for_all_sequences() -> None:
    one, other = (Draws([3, 4], it, first=it == "b", count=2).tensors for it in "ab")
    own = one.own("patterns", 1).uniform(3)
    assert own.shape == (3, 2, 1) and np.array_equal(own, other.own("patterns", 1).uniform(3))
    assert not np.array_equal(own, one.own("patterns").uniform(3))


def test_bounds_that_differ_are_kept_to() -> None:
    high = np.arange(1, 101)
    drawn = Draws(range(200), "a", count=100).integers(high=high)
    assert (
        (drawn >= 0).all() and (drawn < high).all() and (drawn.max(0) > high - 1 - high / 10).all()
    )


def test_the_numbers_have_their_distributions() -> None:
    draws = Draws(range(40), "a", count=500)
    uniform, normal, whole = draws.uniform(10), draws.normal(10), draws.integers(10, high=7)
    assert abs(uniform.mean() - 0.5) < 3e-3 and abs(uniform.var() - 1 / 12) < 1e-3
    assert abs(normal.mean()) < 1e-2 and abs(normal.var() - 1) < 2e-2
    assert np.isfinite(normal).all()
    counts = np.bincount(whole.ravel(), minlength=7) / whole.size
    assert np.abs(counts - 1 / 7).max() < 4e-3
