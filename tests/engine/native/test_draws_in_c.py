"""The numbers that a program draws are those of `Draws`."""

import ctypes

import numpy as np
import pytest
from scipy.special import ndtri

from farback.draws import Draws, longest
from farback.engine.native._cache import build
from farback.engine.native._program import _texts

SEEDS = [3, 2**50 + 1, *range(100, 114)]
NUMBER, PLACES = 2**33 + 5, 11
WIDTHS = [(1, 0), (4, 0), (16, 0), (1, 1), (8, 1)]
"""Lanes, and whether in float64."""

CALLS = {
    "draw_uniform(&keys, number, 0, places, -1.5, 2.5, u)": lambda it: it.uniform(
        PLACES, low=-1.5, high=2.5
    ),
    "draw_normal(&keys, number, 0, places, 0.7, u)": lambda it: it.normal(PLACES, std=0.7),
    "draw_integers(&keys, number, 0, places, 1001.0, u)": lambda it: it.integers(PLACES, high=1001),
    "draw_geometric(&keys, number, 0, places, log(0.9), u)": lambda it: it.geometric(
        PLACES, more=0.9
    ),
}
SOURCE = (
    """
void numbers(const uint64_t *from, uint64_t number, long places, R *out) {
  lanes_long key;
  for (int l = 0; l < LANES; l++) LANE(key, l) = from[l];
  Keys keys;
  keys_of(key, &keys);
  V *const u = (V *)out;
  CALL;
}
void normals(const uint32_t *from, long count, R *out) {
  for (long i = 0; i < count; i += LANES) {
    lanes_words k;
    for (int l = 0; l < LANES; l++) LANE(k, l) = from[i + l];
    const V z = lanes_normal(k);
    for (int l = 0; l < LANES; l++) out[i + l] = LANE(z, l);
  }
}
""",
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("quick")]


def library(call, lanes, double):
    texts = _texts("lanes.h", "functions.h", "normal.h", "draws.h")
    source = "\n".join([*texts, f"#define CALL {call}", *SOURCE])
    return build(source, defines={"LANES": lanes, "DOUBLE": double})


def aligned(count, kind):
    raw = np.zeros(count + 32, kind)
    begin = -raw.ctypes.data % 128 // raw.itemsize
    return raw[begin : begin + count]


@pytest.mark.parametrize(("lanes", "double"), WIDTHS)
@pytest.mark.parametrize("call", CALLS)
def test_every_call_gives_the_same_numbers(call: str, lanes: int, double: int) -> None:
    draws = Draws(SEEDS[:lanes], "training", first=NUMBER)
    expected = CALLS[call](draws)[..., 0]
    out = aligned(PLACES * lanes, np.float64 if double else np.float32)
    library(call, lanes, double).numbers(
        ctypes.c_void_p(draws.keys.ctypes.data),
        ctypes.c_uint64(NUMBER),
        ctypes.c_long(PLACES),
        ctypes.c_void_p(out.ctypes.data),
    )
    found = out.reshape(PLACES, lanes)
    if "normal" in call:
        np.testing.assert_allclose(found, expected, rtol=4e-15 if double else 4e-7)
    else:
        assert np.array_equal(found, expected.astype(found.dtype))


@pytest.mark.parametrize(("lanes", "double"), WIDTHS)
def test_the_normal_distribution_is_inverted_from_end_to_end(lanes: int, double: int) -> None:
    rng, whole = np.random.default_rng(0), 2**32
    places = np.concatenate(
        [
            rng.integers(0, whole, 100_000),
            *(it + np.arange(-256, 256) for it in (256, whole // 2, whole - 256)),
            *(2**it + np.arange(-2, 2) for it in range(2, 32)),
            (2.0 ** rng.uniform(0, 32, 20_000)).astype(np.int64),
        ]
    )
    words = places[: len(places) // 16 * 16].astype(np.uint32)
    out = np.zeros(len(words), np.float64 if double else np.float32)
    library("", lanes, double).normals(
        ctypes.c_void_p(words.ctypes.data),
        ctypes.c_long(len(words)),
        ctypes.c_void_p(out.ctypes.data),
    )
    exact = ndtri((words + 0.5) / whole)
    np.testing.assert_allclose(out, exact, rtol=4e-15 if double else 4e-7)


def test_the_longest_row_of_the_geometric_distribution_is_what_it_says() -> None:
    assert longest(0.9) == 348
    drawn = Draws(range(400), "a", count=500).geometric(more=0.9)
    assert drawn.min() == 0 and drawn.max() <= longest(0.9)
    assert abs(drawn.mean() - 9) < 0.1
