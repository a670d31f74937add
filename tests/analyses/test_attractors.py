"""Fixed points and cycles of maps that are known, and of layers, cells and step maps."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import fixed_points_of_three_patterns, latch, measured, three_patterns
from torch import Tensor, nn

import farback as fb
from farback import cells, tasks
from farback.analyses import Attractors
from farback.errors import WrongUsage

settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci")


def same(one: np.ndarray, other: np.ndarray, within: float) -> bool:
    """Whether two sets of points are one set."""
    away = np.linalg.norm(one[:, None] - other[None], axis=-1)
    return len(one) == len(other) and bool(
        (away.min(0) < within).all() & (away.min(1) < within).all()
    )


def test_all_fixed_points_of_three_planted_attractors_are_found_and_none_invented() -> None:
    found = measured(three_patterns, 2, Attractors())
    assert same(found.points, fixed_points_of_three_patterns().numpy(), 1e-9)
    assert found.kinds == ["attractor"] * 3 + ["saddle"] * 3 + ["repeller"]
    assert found.index_sum == 1


def test_the_fixed_points_are_those_of_gradient_descent_on_q() -> None:
    """Golub and Sussillo 2018: Adam on q from many states, then the distinct ones of least q."""
    draw = torch.Generator().manual_seed(1)
    s = torch.randn(200, 2, generator=draw, dtype=torch.float64).requires_grad_()
    adam = torch.optim.Adam([s], lr=0.02)
    decay = torch.optim.lr_scheduler.ExponentialLR(adam, 0.997)
    for _ in range(3000):
        adam.zero_grad()
        (three_patterns(s, torch.zeros(2).double()) - s).pow(2).sum().mul(0.5).backward()
        adam.step()
        decay.step()
    q = (three_patterns(s, torch.zeros(2).double()) - s).pow(2).sum(1) / 2
    ends = s.detach()[q < 1e-14].numpy()
    distinct: list[np.ndarray] = []
    for end in ends:
        if all(np.linalg.norm(end - other) > 1e-3 for other in distinct):
            distinct.append(end)
    assert same(measured(three_patterns, 2, Attractors()).points, np.stack(distinct), 1e-5)


def test_a_saddle_has_its_unstable_direction_across_the_line_of_two_attractors() -> None:
    found = measured(three_patterns, 2, Attractors())
    for place, direction in zip(found.unstable_of[:3], found.unstable_directions[:3], strict=True):
        saddle = found.points[int(place)]
        assert abs(saddle @ direction) < 1e-9 * np.linalg.norm(saddle)


@pytest.mark.parametrize(
    ("w", "at", "slope"),
    [(1.25, 0.8880, 0.6191), (1.5, 1.2878, 0.3943), (2.0, 1.9150, 0.1664), (3.0, 2.9847, 0.0305)],
)
def test_the_latch_has_two_attractors_with_the_published_slope(
    w: float, at: float, slope: float
) -> None:
    found = measured(latch(w), 1, Attractors())
    assert sorted(found.points[:2, 0]) == pytest.approx([-at, at], abs=5.1e-5)
    assert np.exp(found.rate[:2]) == pytest.approx([slope, slope], abs=5.1e-5)
    assert found.kinds == ["attractor", "attractor", "repeller"]


def test_beyond_its_fold_a_latch_leaves_a_slow_point_where_its_slope_is_one() -> None:
    found = measured(latch(1.25), 1, Attractors(input=(-0.08,)))
    assert found.kinds == ["attractor"]
    fold = np.arctanh(np.sqrt(1 - 1 / 1.25))
    critical = np.sqrt(1.25 * 0.25) - fold
    assert found.slow_points[:, 0] == pytest.approx([fold], abs=1e-6)
    assert found.slow_speeds == pytest.approx([0.08 - critical], abs=1e-9)


def test_a_cycle_is_found_by_return_with_its_least_period() -> None:
    found = measured(latch(-1.5), 1, Attractors())
    assert found.cycle_periods.tolist() == [2]
    assert sorted(found.cycles[0][:, 0]) == pytest.approx([-1.28784, 1.28784], abs=1e-5)
    assert found.cycle_rates == pytest.approx([np.log(0.3943)], abs=1e-4)
    assert found.kinds == ["repeller"]


def test_a_slow_spiral_that_is_nearly_back_after_three_steps_is_no_cycle() -> None:
    turn, stays = 2 * math.pi / 3, 0.999
    rotation = stays * torch.tensor(
        [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
    )
    start = torch.full((2,), 0.01)
    m = measured(lambda s, x: s @ rotation.to(s) + x, 2, Attractors(spread=0.0), start=start)
    assert list(m.kinds) == ["attractor"]
    assert not len(m.cycle_periods)


def test_the_cycle_of_four_of_the_logistic_map_is_found() -> None:
    found = measured(
        lambda s, x: 3.5 * s * (1 - s) + x, 1, Attractors(), start=torch.full((1,), 0.4)
    )
    assert found.cycle_periods.tolist() == [4]
    points = sorted(found.cycles[0][:, 0])
    assert points == pytest.approx([0.382820, 0.500884, 0.826941, 0.874997], abs=1e-6)


def test_a_line_of_fixed_points_is_told_and_not_listed() -> None:
    halves = torch.tensor([[1.0, 0.0], [0.0, 0.5]], dtype=torch.float64)
    found = measured(lambda s, x: s @ halves + x, 2, Attractors(starts=32))
    assert len(found.points) == 0
    assert found.not_isolated > 15


def test_of_a_map_that_rotates_only_the_centre_is_listed_and_it_is_no_attractor() -> None:
    turn = torch.tensor([[0.6, 0.8], [-0.8, 0.6]], dtype=torch.float64)
    found = measured(lambda s, x: s @ turn + x, 2, Attractors(starts=32))
    assert found.kinds == ["marginal"]
    assert found.wandering > 0.9
    assert "1 fixed point on the edge of stability" in Attractors().judge(found).claim
    assert "no unstable fixed points" in Attractors().judge(found).claim


@settings(max_examples=30)
@given(seed=st.integers(0, 2**31), size=st.integers(1, 4), gain=st.floats(0.5, 3))
def test_no_fixed_point_of_a_random_net_is_invented(seed: int, size: int, gain: float) -> None:
    draw = torch.Generator().manual_seed(seed)
    weights = gain * torch.randn(size, size, generator=draw, dtype=torch.float64)
    found = measured(lambda s, x: torch.tanh(s @ weights.T) + x, size, Attractors(starts=32))
    points = found.points.reshape(-1, size)
    left = np.tanh(points @ weights.numpy().T) - points
    assert np.abs(left).max(initial=0) < 1e-12


def test_the_same_seed_gives_the_same_points() -> None:
    once, again = (measured(three_patterns, 2, Attractors(seed=3)) for _ in range(2))
    assert np.array_equal(once.points, again.points)


def laboratory() -> nn.Module:
    cell, task = cells.LSTM1997(blocks=1, size=2), tasks.EmbeddedReber()
    draw = torch.Generator().manual_seed(0)
    return fb.probes.LaboratoryCell(cell, task, cell.parameters(draw, task.inputs, task.outputs))


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(2))


torch.manual_seed(0)
SUBJECTS = {
    "LSTM": (nn.LSTM(3, 5, batch_first=True), drawn(4, 9, 3)),
    "GRU": (nn.GRU(3, 5, num_layers=2, bidirectional=True), drawn(9, 4, 3)),
    "laboratory": (laboratory(), drawn(3, 9, 7)),
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_path_of_every_subject_is_surveyed(subject: str) -> None:
    model, batch = SUBJECTS[subject]
    profile = fb.probe(model, batch, analyses=Attractors(starts=64), depth="deep")
    found = profile["attractors"]
    assert found.path in found.blocks
    for block in found.blocks.values():
        assert len(block.kinds) == len(block.points) == len(block.rate)
        assert len(block.kinds) + len(block.cycles) + block.not_isolated + block.wandering > 0
    assert "stable fixed point" in profile.findings[0].claim


def test_an_input_of_another_width_is_refused() -> None:
    with pytest.raises(WrongUsage, match="came with 3 numbers"):
        measured(latch(2.0), 1, Attractors(input=(0.0, 0.0, 0.0)))


def test_an_input_that_is_not_finite_is_refused() -> None:
    with pytest.raises(WrongUsage, match="finite numbers were expected"):
        measured(latch(2.0), 1, Attractors(input=(math.nan,)))


def test_too_few_starts_are_refused() -> None:
    with pytest.raises(WrongUsage, match="starts came as 1"):
        Attractors(starts=1)


def test_a_state_of_too_many_numbers_is_left_out() -> None:
    both = nn.Sequential(nn.RNN(2, 600), _First(), nn.RNN(600, 3))
    profile = fb.probe(
        both, drawn(6, 2, 2), layout="time-first", output="0", analyses=Attractors(starts=8)
    )
    assert list(profile["attractors"].blocks) == ["2.l0"]


class _First(nn.Module):
    """The output of a layer that gives its state beside it."""

    def forward(self, both: tuple[Tensor, Tensor]) -> Tensor:
        return both[0]
