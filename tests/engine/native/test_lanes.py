"""The functions of lanes: the same bits at every width, close to the truth, each lane by itself."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from lane_library import (
    COMPARISONS,
    COMPILER,
    EXACT,
    ONE,
    SMOOTH,
    THREE,
    TWO,
    TYPES,
    WIDEST,
    WIDTHS,
    Array,
    Libraries,
)

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C compiler on this machine")


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Libraries:
    return Libraries(tmp_path_factory.mktemp("lanes"))


def points(kind: type, count: int = 20_000) -> Array:
    """Numbers of every size and both signs, the ends of each function's range, NaN."""
    rng, info = np.random.default_rng(0), np.finfo(kind)
    edges = [0, 1, 2, np.inf, np.nan, 0.5, np.log(2) / 2, 1.5 * np.log(2), info.max, info.tiny]
    edges += [info.smallest_subnormal, 3 * info.smallest_subnormal, info.eps, 1 + info.eps, 1e4]
    edges += [np.log(float(info.max)), -np.log(float(info.tiny)), 9.01, 17.4, 18, 19, 36, 40]
    words = rng.integers(0, 2 ** (8 * info.dtype.itemsize - 1), count, dtype=np.uint64)
    any_bits = words.astype(f"u{info.dtype.itemsize}").view(kind)
    scales = [rng.normal(size=count) * it for it in (1e-3, 0.3, 1, 10, 100, 1e4)]
    near_one = 1 + rng.normal(size=count) * 1e-3
    limits = np.log(float(info.max)) + np.linspace(-40, 40, count)
    with np.errstate(invalid="ignore"):
        half = np.concatenate([edges, any_bits, near_one, limits, *scales]).astype(kind)
    both = np.concatenate([half, -half])
    return both[: len(both) // WIDEST * WIDEST]


def canonical(values: Array) -> Array:
    """The bits, all NaNs alike."""
    bits = np.where(np.isnan(values), values.dtype.type(np.nan), values)
    return bits.view(f"u{values.itemsize}")


def ulps(got: Array, truth: Array) -> float:
    """The largest distance in units of the last place; infinite where NaN or infinity differ."""
    kind = got.dtype.type
    with np.errstate(over="ignore", invalid="ignore"):
        near = truth.astype(kind)
        unit = np.spacing(np.abs(near)).astype(truth.dtype)
        apart = np.abs(got.astype(truth.dtype) - truth) / unit
    special = ~np.isfinite(near) | ~np.isfinite(got)
    same = (got == near) | (np.isnan(got) & np.isnan(near))
    return float(np.where(special, np.where(same, 0, np.inf), apart).max())


def sigmoid(x: Array) -> Array:
    power = np.exp(-np.abs(x))
    return np.where(x < 0, power, 1) / (1 + power)


TRUTH = {"EXP": np.exp, "LOG": np.log, "TANH": np.tanh, "SIGMOID": sigmoid, "EXPM1": np.expm1}
BOUNDS = {
    np.float32: {"EXP": 2, "LOG": 2, "TANH": 3, "SIGMOID": 3, "EXPM1": 2},
    np.float64: {"EXP": 4, "LOG": 4, "TANH": 4, "SIGMOID": 4, "EXPM1": 4},
}
UNFUSED = [] if platform.machine() not in ("x86_64", "AMD64") else [("-mno-fma", "-mno-avx512f")]


@pytest.fixture(params=TYPES, ids=lambda it: it.__name__)
def kind(request: pytest.FixtureRequest) -> type:
    return request.param


@pytest.fixture(params=[(), *UNFUSED], ids=lambda it: "unfused" if it else "native")
def flags(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return request.param


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


@pytest.mark.slow
def test_every_width_gives_the_same_bits(
    libraries: Libraries, kind: type, flags: tuple[str, ...]
) -> None:
    x = points(kind)
    y, z = np.roll(x, 12_345), np.roll(x, 54_321)
    scalar, *wider = libraries.widths(kind, *flags)
    for name in (*ONE, *TWO, *THREE):
        alone = canonical(getattr(scalar, name)(x, y, z))
        for library in wider:
            assert np.array_equal(alone, canonical(getattr(library, name)(x, y, z))), name


@pytest.mark.parametrize("name", SMOOTH)
def test_a_function_is_within_its_bound_of_the_truth(
    libraries: Libraries, name: str, kind: type, flags: tuple[str, ...]
) -> None:
    wide = np.float64 if kind is np.float32 else np.longdouble
    if np.finfo(wide).eps > np.finfo(kind).eps / 1000:
        pytest.skip("numpy has no wider number here")
    x = points(kind)
    got = getattr(libraries.widths(kind, *flags)[-1], name)(x)
    assert ulps(got, TRUTH[name](x.astype(wide))) <= BOUNDS[kind][name]


@pytest.mark.parametrize("name", [*SMOOTH, "FLOOR", "SQRT", "RELU"])
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 1e4, -1e4])
def test_an_odd_number_stays_in_its_lane(
    libraries: Libraries, name: str, odd: float, kind: type
) -> None:
    for library in libraries.widths(kind)[1:]:
        x = np.tile(np.linspace(0.1, 2, WIDEST), (WIDEST, 1)).astype(kind)
        calm = getattr(library, name)(x.ravel()).reshape(x.shape)
        np.fill_diagonal(x, odd)
        got = getattr(library, name)(x.ravel()).reshape(x.shape)
        others = ~np.eye(WIDEST, dtype=bool)
        assert np.array_equal(got[others], calm[others])


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_means_with_nan_what_it_means_in_c(
    libraries: Libraries, name: str, kind: type
) -> None:
    few = np.array([np.nan, -np.inf, -1, -0.0, 0, 1, np.inf, 2], dtype=kind)
    a, b = (it.ravel() for it in np.meshgrid(few, few))
    names = {"LT": "less", "LE": "less_equal", "GT": "greater", "GE": "greater_equal"}
    true = getattr(np, names.get(name, {"EQ": "equal", "NE": "not_equal"}.get(name, "")))(a, b)
    c = np.full_like(a, 7)
    for library in libraries.widths(kind):
        got = getattr(library, f"CHOOSE_{name}")(a, b, c)
        assert np.array_equal(got, np.where(true, a, c), equal_nan=True)


def test_masks_combine(libraries: Libraries, kind: type) -> None:
    few = np.array([np.nan, -1, 0, 1], dtype=kind)
    a, b, c = (it.ravel() for it in np.meshgrid(few, few, few))
    one, two = a < b, b < c
    for library in libraries.widths(kind):
        for name, true in ("NOT", ~one), ("AND", one & two), ("OR", one | two):
            got = getattr(library, f"CHOOSE_{name}")(a, b, c)
            assert np.array_equal(got, np.where(true, a, c), equal_nan=True), name


def test_any_and_all_tell_of_the_lanes(libraries: Libraries, kind: type) -> None:
    rows = np.concatenate([np.eye(WIDEST), 1 - np.eye(WIDEST), np.zeros((1, WIDEST))])
    a, b = (1 - rows).ravel().astype(kind), np.full(rows.size, 0.5, dtype=kind)
    for width, library in zip(WIDTHS, libraries.widths(kind), strict=True):
        lanes = rows.reshape(-1, width) > 0
        assert np.array_equal(library.ANY(a, b)[::width], lanes.any(axis=1))
        assert np.array_equal(library.ALL(a, b)[::width], lanes.all(axis=1))


def test_a_square_root_is_rounded_right(libraries: Libraries, kind: type) -> None:
    x = points(kind)
    got = libraries.widths(kind)[-1].SQRT(x)
    assert np.array_equal(got, np.sqrt(x), equal_nan=True)


@pytest.mark.parametrize("name", EXACT)
def test_an_exact_function_is_that_of_torch(libraries: Libraries, name: str, kind: type) -> None:
    x = points(kind)
    other = {"RECIP": "reciprocal"}.get(name, name.lower())
    truth = getattr(torch, other)(torch.from_numpy(x)).numpy()
    got = getattr(libraries.widths(kind)[-1], name)(x)
    assert np.array_equal(got, truth, equal_nan=True)


@pytest.mark.parametrize("name", ["MAXIMUM", "MINIMUM"])
def test_the_larger_and_the_smaller_are_those_of_torch(
    libraries: Libraries, name: str, kind: type
) -> None:
    x, y = points(kind), np.roll(points(kind), 1)
    truth = getattr(torch, name.lower())(torch.from_numpy(x), torch.from_numpy(y)).numpy()
    got = getattr(libraries.widths(kind)[-1], name)(x, y)
    assert np.array_equal(got, truth, equal_nan=True)


def test_floor_keeps_the_sign_of_zero(libraries: Libraries, kind: type) -> None:
    zeros = np.full(WIDEST, -0.0)
    assert np.signbit(libraries.widths(kind)[-1].FLOOR(zeros)).all()


@pytest.mark.parametrize("name", ["TANH", "EXPM1", "SIN"])
def test_an_odd_function_keeps_the_sign_of_zero(
    libraries: Libraries, name: str, kind: type
) -> None:
    zeros = np.full(WIDEST, -0.0)
    assert np.signbit(getattr(libraries.widths(kind)[-1], name)(zeros)).all()


def test_a_power_is_close_where_it_is_normal(
    libraries: Libraries, kind: type, flags: tuple[str, ...]
) -> None:
    rng, info = np.random.default_rng(1), np.finfo(kind)
    a = np.exp(np.concatenate([rng.normal(size=48_000) * it for it in (1e-3, 1, 20)])).astype(kind)
    b = (rng.uniform(-1, 1, len(a)) * np.log(float(info.max)) / np.log(a.astype(float))).astype(
        kind
    )
    wide = np.float64 if kind is np.float32 else np.longdouble
    truth = a.astype(wide) ** b.astype(wide)
    got = libraries.widths(kind, *flags)[-1].POW(a, b)
    normal = (truth > info.tiny) & (truth < info.max)
    apart = np.abs(got.astype(wide) / truth - 1)[normal]
    assert normal.mean() > 0.9
    assert apart.max() < (1e-6 if kind is np.float32 else 1e-13)


@pytest.mark.parametrize("base", [0.9, 0.999, 0.9999])
def test_the_correction_of_adam_is_close_at_every_step(
    libraries: Libraries, base: float, kind: type
) -> None:
    t = np.unique(np.geomspace(1, 1e6, 4000).astype(int))
    t = t[: len(t) // WIDEST * WIDEST].astype(kind)
    a = np.full_like(t, base)
    got = libraries.widths(kind)[-1].POW(a, t).astype(float)
    truth = np.exp(t.astype(float) * np.log(a.astype(float)))
    normal = truth > np.finfo(kind).tiny
    bound = 1e-6 if kind is np.float32 else 1e-12
    assert np.abs(got / truth - 1)[normal].max() < bound
    assert np.abs(got - truth)[~normal].max(initial=0) < np.finfo(kind).tiny


def test_a_power_ends_as_in_c(libraries: Libraries, kind: type) -> None:
    few = [np.nan, np.inf, 0, 1, 2, 3, 0.5, 1.5, 0.25, 1e30, 2.0**24 + 2, 1e-30]
    few = np.array([*few, *(-it for it in few)], dtype=kind)
    a, b = (np.append(it.ravel(), few[:0]) for it in np.meshgrid(few, few))
    got, truth = libraries.widths(kind)[-1].POW(a, b), np.power(a, b)
    assert np.allclose(got, truth, rtol=1e-6, atol=0, equal_nan=True)
    numbers = ~np.isnan(truth)
    assert np.array_equal(np.signbit(got)[numbers], np.signbit(truth)[numbers])


def test_a_product_and_a_sum_are_rounded_once_where_the_cpu_can(
    libraries: Libraries, kind: type
) -> None:
    info = Path("/proc/cpuinfo")
    if not info.exists() or " fma " not in info.read_text():
        pytest.skip("not known of this CPU")
    eps = np.finfo(kind).eps
    a, b = np.full(WIDEST, 1 + eps), np.full(WIDEST, 1 - eps)
    for library in libraries.widths(kind):
        assert np.array_equal(library.FMA(a, b, -np.ones(WIDEST)), np.full(WIDEST, -(eps**2)))
