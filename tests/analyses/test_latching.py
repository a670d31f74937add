"""The latch in numbers: critical input, noise survived, rate at the attractor."""

import math

import numpy as np
import pytest
import torch
from planted import PATTERNS, fixed_points_of_three_patterns, latch, measured, three_patterns
from torch import Tensor, nn

import farback as fb
from farback.analyses import Latching
from farback.analyses._autonomous import Autonomous
from farback.analyses._critical import Pushed, lost_along
from farback.analyses._flips import survived
from farback.analyses._settling import settle
from farback.errors import WrongUsage
from farback.flow.motion import Motion

# w, h*, a, M'(a): in closed form, w (1 - tanh^2 a) = 1 at the fold
TABLE = [
    (1.05, 0.007345, 0.3892, 0.9057),
    (1.1, 0.020481, 0.5532, 0.8218),
    (1.25, 0.077805, 0.8880, 0.6191),
    (1.5, 0.207546, 1.2878, 0.3943),
    (2.0, 0.532840, 1.9150, 0.1664),
    (3.0, 1.303274, 2.9847, 0.0305),
    (5.0, 3.028500, 4.9995, 0.000909),
    (10.0, 7.668387, 10.000, 8e-8),
]
FEW = Latching(noises=(0.1,), times=(2,), runs=2)


@pytest.mark.parametrize(("w", "critical", "at", "slope"), TABLE)
def test_the_critical_input_of_a_latch_is_that_of_its_fold(
    w: float, critical: float, at: float, slope: float
) -> None:
    found = measured(latch(w), 1, FEW)
    exact = math.sqrt(w * (w - 1)) - math.atanh(math.sqrt(1 - 1 / w))
    assert critical == pytest.approx(exact, abs=6e-7)
    assert found.critical_input == pytest.approx([exact] * 2, abs=1e-9)
    assert found.critical_push == pytest.approx([exact] * 2, abs=1e-9)
    assert sorted(found.input_direction[:, 0]) == [-1, 1]
    assert found.input_loses_by == ["fold", "fold"]


@pytest.mark.parametrize(("w", "critical", "at", "slope"), TABLE)
def test_the_rate_at_the_attractor_is_the_log_of_its_slope(
    w: float, critical: float, at: float, slope: float
) -> None:
    found = measured(latch(w), 1, FEW)
    assert np.exp(found.rate) == pytest.approx([slope] * 2, abs=5.1e-5, rel=0.05)
    a = at
    for _ in range(2000):
        a = w * math.tanh(a)
    assert found.rate == pytest.approx([math.log(w / math.cosh(a) ** 2)] * 2, rel=1e-6)


def test_the_fold_is_where_a_slow_search_by_iteration_finds_it() -> None:
    low, high = 0.0, 1.0
    for _ in range(22):
        h, a = (low + high) / 2, -1.9150080481545375
        for _ in range(20_000):
            a = 2 * math.tanh(a) + h
        low, high = (low, h) if a > 0 else (h, high)
    assert measured(latch(2.0), 1, FEW).critical_input.min() == pytest.approx(high, abs=1e-6)


@pytest.mark.slow
def test_the_cheapest_push_is_found_among_all_directions() -> None:
    zeros = torch.zeros(2, 2, 2).double()
    here = Autonomous(Motion(torch.zeros(3, 2, 2).double(), zeros, three_patterns, {}), zeros[0, 0])
    attractor = settle(here, PATTERNS[:1], 1, 200).attractors[0]
    angles = torch.arange(0, 2 * math.pi, math.pi / 30, dtype=torch.float64)
    sizes = [
        lost_along(Pushed(here, False), attractor.points[0], torch.stack([a.cos(), a.sin()])).size
        for a in angles
    ]
    found = measured(three_patterns, 2, FEW).critical_push
    assert found == pytest.approx([found[0]] * 3, abs=1e-9)
    assert min(sizes) * (1 - 5e-3) < found[0] <= min(sizes)


@pytest.mark.slow
def test_a_push_below_the_critical_one_is_survived_and_one_above_is_not() -> None:
    found = measured(three_patterns, 2, FEW)
    homes = [a for a in fixed_points_of_three_patterns() if float(a.norm()) > 0.9]
    for size, d in zip(found.critical_push, found.push_direction, strict=True):
        own = min(homes, key=lambda a, d=d: float(a @ torch.as_tensor(d)))
        for fraction in (0.99, 1.01):
            s = own[None]
            for push in (fraction * size, 0.0):
                for _ in range(500):
                    s = three_patterns(s, torch.as_tensor(push * d))
            assert (float((s[0] - own).norm()) < 1e-6) == (fraction < 1)


def test_the_flip_rates_of_a_latch_are_those_of_the_noisy_map() -> None:
    found = measured(latch(1.25), 1, Latching(noises=(0.2, 0.2**0.5), runs=4000))
    draw = np.random.default_rng(0)
    for noise, rates in zip((0.2, 0.2**0.5), found.flip_rate[0], strict=True):
        a, seen = np.full(20_000, 0.88801), []
        for t in range(1, 101):
            a = 1.25 * np.tanh(a) + noise * draw.standard_normal(len(a))
            if t in (10, 50, 100):
                seen.append(np.mean(a < 0))
        assert rates == pytest.approx(seen, abs=4 * 0.5 / math.sqrt(4000))
    assert found.flip_rate[0, 0, 1:] == pytest.approx([0.18, 0.31], abs=0.03)  # as published


def test_a_strong_latch_never_flips_in_this_noise() -> None:
    found = measured(latch(3.0), 1, Latching(noises=(0.2, 0.2**0.5), runs=1000))
    assert (found.flip_rate == 0).all()
    assert found.escape_time == pytest.approx(np.full((2, 2), 1000 * 100))
    assert found.survived_at_least.tolist() == [1, 1]


def test_the_escape_time_is_the_inverse_of_a_constant_rate_of_exits() -> None:
    """In noise so large that every look is a toss, half of the runs leave at each look."""
    found = measured(latch(1.25), 1, Latching(noises=(100.0,), times=(10,), runs=4000))
    assert found.escape_time[0, 0] == pytest.approx(2, abs=0.1)


@pytest.mark.slow
def test_more_noise_survived_costs_more_of_the_error() -> None:
    each = [measured(latch(w), 1, Latching(runs=256)) for w in (1.1, 1.5, 2.0, 3.0)]
    noise = [one.noise_survived[0] for one in each]
    rates = [one.rate_survived[0] for one in each]
    assert noise == sorted(noise)
    assert rates == sorted(rates, reverse=True)


def test_the_noise_survived_lies_between_the_two_that_were_tried() -> None:
    noises = np.array([0.1, 0.2, 0.4])
    value, at_least = survived(noises, np.array([0.0, 0.025, 0.1]), 0.05)
    assert value == pytest.approx(0.2 * 2**0.5)
    assert not at_least
    assert survived(noises, np.array([0.0, 0.0, 0.01]), 0.05) == (0.4, True)


def test_a_state_beyond_the_fold_is_robustly_latched_and_one_before_it_is_not() -> None:
    fold = math.atanh(math.sqrt(0.5))
    start = torch.tensor([[fold + 1e-6], [-fold - 1e-6], [fold - 1e-6], [0.1]], dtype=torch.float64)
    found = measured(latch(2.0), 1, FEW, start=start, inputs=torch.zeros(4, 6, 1))
    assert found.latched[0] == 0.5
    assert found.latched[-1] == 1


def test_a_contracting_net_holds_no_bit() -> None:
    found = measured(latch(0.9), 1, FEW)
    assert len(found.rate) == 1
    assert len(found.critical_push) == len(found.noise_survived) == 0
    assert "holds no bit" in Latching().judge(found).claim


def test_a_bit_whose_error_is_gone_before_it_is_needed_is_watched() -> None:
    found = measured(latch(2.0), 1, FEW, needs=50)
    assert Latching().judge(found).severity == "watch"
    assert Latching().judge(measured(latch(2.0), 1, FEW, needs=2)).severity == "ok"


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2))


torch.manual_seed(0)
SUBJECTS = {
    "LSTM": (nn.LSTM(3, 5, batch_first=True), drawn(4, 9, 3)),
    "GRU": (nn.GRU(3, 20, num_layers=2, bidirectional=True), drawn(9, 4, 3)),
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_path_of_every_subject_is_measured(subject: str) -> None:
    model, batch = SUBJECTS[subject]
    profile = fb.probe(model, batch, analyses=FEW, depth="deep")
    for block in profile["latching"].blocks.values():
        assert len(block.latched) == len(block.at) == len(block.log_norm)
        assert np.isfinite(block.adjoint_rate)


def test_a_layer_that_latches_has_a_critical_input_and_a_noise() -> None:
    net = nn.RNN(1, 1, bias=False).double()
    weights = {"weight_hh_l0": torch.tensor([[2.0]]), "weight_ih_l0": torch.tensor([[0.5]])}
    net.load_state_dict(weights)
    found = fb.probe(net, drawn(9, 4, 1).double(), analyses=Latching(input=(0.0,), runs=64))
    exact = math.sqrt(2) - math.atanh(math.sqrt(0.5))
    assert found["latching"].critical_input == pytest.approx([exact / 0.5] * 2, abs=1e-6)
    assert (found["latching"].noise_survived > 0).all()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"times": (50, 10)}, "times came as"),
        ({"noises": (0.0, 0.1)}, "noises came as"),
        ({"runs": 0}, "runs came as 0"),
    ],
)
def test_impossible_choices_are_refused(asked: dict, said: str) -> None:
    with pytest.raises(WrongUsage, match=said):
        Latching(**asked)
