"""Intervals lose no number: their arithmetic, and steps followed with them."""

from collections.abc import Callable
from fractions import Fraction

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given
from torch import Tensor

from farback.analyses._box import closed_box
from farback.analyses._derivative import whole
from farback.analyses._enclosure import NoRule, enclosure
from farback.analyses._interval import Interval, point
from farback.flow.motion import Motion

NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)
PAIRS = st.lists(NUMBERS, min_size=2, max_size=2).map(sorted)


def interval(*ends: list[float]) -> Interval:
    lo, hi = torch.tensor(ends, dtype=torch.float64).t()
    return Interval(lo.clone(), hi.clone())


@given(PAIRS, PAIRS)
def test_sums_and_products_hold_those_of_every_pair_of_ends(a: list[float], b: list[float]) -> None:
    one, other = interval(a), interval(b)
    for found, exact in ((one + other, Fraction.__add__), (one * other, Fraction.__mul__)):
        values = [exact(Fraction(x), Fraction(y)) for x in a for y in b]
        assert Fraction(found.lo.item()) <= min(values)
        assert max(values) <= Fraction(found.hi.item())


@given(st.lists(st.tuples(PAIRS, PAIRS), min_size=1, max_size=6))
def test_products_of_matrices_hold_the_exact_ones(pairs: list[tuple[list[float], list[float]]]):
    row, column = interval(*(a for a, _ in pairs)), interval(*(b for _, b in pairs))
    found = row.map(lambda end: end[None, :]) @ column.map(lambda end: end[:, None])
    ends = [[Fraction(x) * Fraction(y) for x in a for y in b] for a, b in pairs]
    assert Fraction(found.lo.item()) <= sum(min(values) for values in ends)
    assert sum(max(values) for values in ends) <= Fraction(found.hi.item())


def mixed(s: Tensor, x: Tensor) -> Tensor:
    z = torch.sigmoid(s + x)
    return s + z * (torch.tanh(3 * x - s) - s)


def gated(s: Tensor, x: Tensor) -> Tensor:
    h, c = s.chunk(2, -1)
    c = torch.sigmoid(h @ W[:1, :1] + 1) * c + torch.relu(x[:, :1]) * torch.sin(h)
    return torch.cat([torch.exp(-c * c) / (1 + h.abs()), c], -1)


W = torch.tensor([[0.9, -1.7], [0.4, 0.3]], dtype=torch.float64)
STEPS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "tanh": lambda s, x: torch.tanh(s @ W.t() + x),
    "relu": lambda s, x: torch.relu(torch.nn.functional.linear(s, W, torch.ones(2).double()) - x),
    "mixed": mixed,
    "gated": gated,
    "where": lambda s, x: torch.where(s > 0.3, s @ W, 0.5 * s) + x.clamp(-0.5, 0.5),
    "powers": lambda s, x: (s**2).mean(-1, keepdim=True) * s.sum(-1, keepdim=True) * x + s / 3,
    "second order": lambda s, x: torch.einsum("bi,bj->bij", s, x).flatten(1)[:, :2] @ W,
    "put elsewhere": lambda s, x: torch.stack([s[:, 1], s.flip(-1)[:, 1] * x[:, 0]], -1).cos(),
}


def motion(step: Callable[[Tensor, Tensor], Tensor]) -> Motion:
    draw = torch.Generator().manual_seed(0)
    inputs = torch.rand(1, 1, 2, generator=draw, dtype=torch.float64)
    return Motion(torch.zeros(2, 1, 2).double(), inputs, step, {"s": slice(0, 2)})


@pytest.mark.parametrize("name", STEPS)
def test_the_jacobian_and_the_next_state_of_every_point_lie_in_those_of_the_box(name: str) -> None:
    moving = motion(STEPS[name])
    step, draw = enclosure(moving), torch.Generator().manual_seed(1)
    for _ in range(20):
        ends = torch.randn(4, 2, generator=draw, dtype=torch.float64)
        boxes = [
            Interval(pair.amin(0, keepdim=True), pair.amax(0, keepdim=True))
            for pair in (ends[:2], ends[2:])
        ]
        known = step.derived(*boxes)
        over = whole(known.terms).map(lambda end: end.squeeze(1).t())
        share = torch.rand(2, 50, 2, generator=draw, dtype=torch.float64)
        s, x = (b.lo + part * (b.hi - b.lo) for b, part in zip(boxes, share, strict=True))
        after, matrix = moving.step(s, x), moving.at(s, x).matrix()
        assert bool(((over.lo - 1e-12 <= matrix) & (matrix <= over.hi + 1e-12)).all())
        assert bool(((known.value.lo - 1e-12 <= after) & (after <= known.value.hi + 1e-12)).all())


@pytest.mark.parametrize("name", STEPS)
def test_over_one_point_the_jacobian_is_that_of_finite_differences(name: str) -> None:
    moving = motion(STEPS[name])
    s, x = torch.tensor([[0.4, -0.2]]).double(), torch.tensor([[0.3, 0.7]]).double()
    found = whole(enclosure(moving).derived(point(s), point(x)).terms)
    steps = 1e-6 * torch.eye(2).double()
    slopes = torch.cat([(moving.step(s + d, x) - moving.step(s - d, x)) / 2e-6 for d in steps])
    assert torch.allclose(found.mid.squeeze(1), slopes, rtol=0, atol=1e-9)
    assert float((found.hi - found.lo).max()) < 1e-12


OVERFLOWING: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "where": lambda s, x: torch.where(s.exp() - s.exp() + s > 5, 3 * s, s / 2),
    "relu": lambda s, x: torch.relu(s.exp() - s.exp() + s),
    "abs": lambda s, x: (s.exp() - s.exp() + s).abs(),
}


@pytest.mark.parametrize("name", OVERFLOWING)
def test_what_overflows_is_not_taken_for_flat(name: str) -> None:
    box = interval([800.0, 900.0], [800.0, 900.0]).map(lambda end: end[None])
    over = whole(enclosure(motion(OVERFLOWING[name])).derived(box, box).terms)
    finite = bool(torch.isfinite(over.largest).all())
    assert not finite or float(over.hi.squeeze(1).diagonal().min()) >= 3


def test_no_input_leads_out_of_a_closed_box() -> None:
    moving, draw = motion(mixed), torch.Generator().manual_seed(2)
    met = Interval(-torch.ones(1, 2).double() / 4, torch.ones(1, 2).double() / 4)
    inputs = Interval(-torch.ones(1, 2).double(), torch.ones(1, 2).double())
    box = closed_box(enclosure(moving), met, inputs)
    assert box.closed
    s = box.states.lo + torch.rand(500, 2, generator=draw).double() * (
        box.states.hi - box.states.lo
    )
    for _ in range(20):
        s = moving.step(s, 2 * torch.rand(500, 2, generator=draw).double() - 1)
        assert bool(((box.states.lo <= s) & (s <= box.states.hi)).all())


def test_what_adds_up_has_the_box_of_its_sum() -> None:
    moving = motion(lambda s, x: 0.9 * s + x)
    one = Interval(torch.zeros(1, 2).double(), torch.ones(1, 2).double())
    box = closed_box(enclosure(moving), one, one)
    assert box.closed
    assert float(box.states.hi.max()) == pytest.approx(10, rel=0.02)


def test_a_detached_part_has_no_derivative() -> None:
    moving = motion(lambda s, x: s.detach() * 3 + s)
    found = whole(enclosure(moving).derived(point(torch.ones(1, 2)), point(torch.ones(1, 2))).terms)
    assert torch.equal(found.mid.squeeze(1), torch.eye(2).double())


UNKNOWN: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "its operator cumsum has no interval rule": lambda s, x: s.cumsum(-1),
    "whole numbers or truth values": lambda s, x: s.long() * s,
    "truth values elsewhere": lambda s, x: s * (s > 0).flip(-1),
    "pads its state with": lambda s, x: torch.nn.functional.pad(s, (0, 1), value=2.0)[:, 1:],
    "its step cannot be traced": lambda s, x: s if bool(s.sum() > 0) else 2 * s,
}


@pytest.mark.parametrize("told", UNKNOWN)
def test_a_step_that_intervals_cannot_follow_says_why(told: str) -> None:
    box = interval([-1.0, 1.0], [-1.0, 1.0]).map(lambda end: end[None])
    with pytest.raises(NoRule, match=told):
        enclosure(motion(UNKNOWN[told])).derived(box, box)
