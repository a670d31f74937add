"""Basins, contraction and boundaries of maps in which they are known."""

import numpy as np
import pytest
import torch
from planted import PATTERNS, latch, measured, three_patterns
from torch import Tensor, nn

import farback as fb
from farback.analyses import Basins
from farback.analyses._autonomous import Autonomous
from farback.analyses._contraction import growth, reduced, spectral_norm, spectral_radius
from farback.analyses._settling import Attractor, basins, settle
from farback.errors import WrongUsage
from farback.flow.motion import Motion

TURNED = torch.tensor([[2.0, -0.5], [0.4, 1.8]], dtype=torch.float64)
TRAP = torch.tensor([[0.5, 10.0], [0.0, 0.5]], dtype=torch.float64)


def turned(s: Tensor, x: Tensor) -> Tensor:
    return torch.tanh(s @ TURNED.T) + x


def two_latches(s: Tensor, x: Tensor) -> Tensor:
    return 2 * torch.tanh(s) + x


def still(step: object, size: int) -> Autonomous:
    """The map under an input of zeros."""
    zeros = torch.zeros(2, 2, size).double()
    return Autonomous(Motion(torch.zeros(3, 2, size).double(), zeros, step, {}), zeros[0, 0])  # type: ignore[arg-type]


@pytest.mark.parametrize("w", [1.25, 1.5, 2.0, 3.0])
def test_gamma_of_a_latch_is_where_its_state_is_beyond_the_fold(w: float) -> None:
    found = measured(latch(w), 1, Basins(resolution=4001))
    fold = np.arctanh(np.sqrt(1 - 1 / w))
    assert np.array_equal(found.gamma > 0, np.abs(found.x) > fold)


def test_the_basins_of_a_latch_are_the_signs_of_its_state() -> None:
    found = measured(latch(2.0), 1, Basins(resolution=1000))
    negative = 0 if "at (-" in found.classes[0] else 1
    assert np.array_equal(found.which == negative, found.x < 0)


def test_the_basins_of_three_patterns_are_the_three_nearest_patterns() -> None:
    found = measured(three_patterns, 2, Basins(resolution=100))
    points = np.stack(np.meshgrid(found.x, found.y), -1)
    nearest = (points @ PATTERNS.numpy().T).argmax(-1)
    place = [(a @ PATTERNS.numpy().T).argmax() for a in found.attractors]
    assert np.array_equal(np.array(place)[found.which.astype(int)], nearest)


def test_every_point_of_the_grid_goes_where_plain_iteration_takes_it() -> None:
    found = measured(turned, 2, Basins(resolution=40))
    u, v = np.meshgrid(found.x, found.y)
    s = np.stack([u.ravel(), v.ravel()], 1)
    for _ in range(3000):
        s = np.tanh(s @ TURNED.numpy().T)
    away = np.linalg.norm(s[:, None] - found.attractors, axis=-1)
    assert np.array_equal(away.argmin(1), found.which.ravel())
    assert away.min(1).max() < 1e-9


def test_two_by_two_norms_and_radii_are_those_of_the_library() -> None:
    drawn = torch.randn(200, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    norms = torch.linalg.matrix_norm(drawn, 2)
    radii = torch.linalg.eigvals(drawn).abs().amax(-1)
    assert torch.allclose(spectral_norm(drawn), norms, rtol=1e-12)
    assert torch.allclose(spectral_radius(drawn), radii, rtol=1e-9)


def test_the_power_iteration_comes_to_the_norm_and_the_radius() -> None:
    draw = torch.Generator().manual_seed(0)
    weights = torch.rand(40, 40, generator=draw, dtype=torch.float64) / 40
    here = still(lambda s, x: s @ weights.T + 0 * x, 40)
    log_norm, log_radius = growth(here, torch.zeros(3, 40).double())
    assert log_norm.exp() == pytest.approx([float(torch.linalg.matrix_norm(weights, 2))] * 3)
    assert log_radius.exp() == pytest.approx([float(torch.linalg.eigvals(weights).abs().max())] * 3)


def test_eigenvalues_under_one_do_not_make_the_norm_so() -> None:
    found = measured(lambda s, x: s @ TRAP.T + x, 2, Basins(resolution=8))
    assert (found.log_radius < 0).all()
    assert (found.log_norm > np.log(10)).all()
    assert (found.gamma > 0).all()  # by the definition, which asks for eigenvalues


def test_gamma_equals_its_definition_followed_step_by_step() -> None:
    here = still(turned, 2)
    grid = torch.cartesian_prod(*[torch.linspace(-1.5, 1.5, 20).double()] * 2)
    settled = settle(here, grid[::7], 4, 2000)
    known = basins(here, settled.attractors)
    which, _ = known.of(grid, 2000)
    expected = []
    for point in grid:
        s, product, inside = point[None], torch.eye(2).double(), True
        for _ in range(60):
            s = turned(s, torch.zeros(2).double())
            product = (1 - s[0, :, None] ** 2) * TURNED @ product
            inside &= float(torch.linalg.eigvals(product).abs().max()) < 1
        expected.append(inside)
    assert reduced(known, grid, which, 2000).tolist() == expected


def test_a_state_that_the_attractor_stretches_later_is_not_in_gamma() -> None:
    def step(s: Tensor, x: Tensor) -> Tensor:
        swapped = torch.stack([torch.zeros_like(s[:, 0]), 0.3 * (s[:, 0] - 6)], 1)
        return torch.where(s[:, :1] > 5, swapped, s @ TRAP.T) + x

    here = still(step, 2)
    origin = Attractor(torch.zeros(1, 2).double(), torch.linalg.eigvals(TRAP))
    state = torch.tensor([[6.0, 0.0]]).double()  # (M)' is 0.3 [[0, 0], [1, 0]], (M^2)' has 3
    found = reduced(basins(here, (origin,)), state, torch.zeros(1, dtype=torch.long), 100)
    assert not bool(found)


def test_the_distance_to_the_boundary_of_a_latch_is_the_modulus_of_its_state() -> None:
    start = torch.tensor([[0.3], [-1.1], [2.5]], dtype=torch.float64)
    inputs = torch.zeros(3, 6, 1)
    found = measured(latch(2.0), 1, Basins(), start=start, inputs=inputs)
    assert found.nearest[0] == pytest.approx(0.3, abs=1e-8)
    assert found.middle[0] == pytest.approx(1.1, abs=1e-8)


def test_the_distance_to_the_boundary_of_two_latches_is_the_smaller_modulus() -> None:
    start = torch.tensor([[0.3, 1.9]], dtype=torch.float64).repeat(2, 1)
    found = measured(two_latches, 2, Basins(resolution=8), start=start)
    assert found.nearest[0] == pytest.approx(0.3, abs=1e-6)


torch.manual_seed(0)
SUBJECTS = {
    "LSTM": (nn.LSTM(3, 5, batch_first=True), torch.randn(4, 9, 3)),
    "GRU": (nn.GRU(3, 20, num_layers=2, bidirectional=True), torch.randn(9, 4, 3)),
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_path_of_every_subject_has_its_plane(subject: str) -> None:
    model, batch = SUBJECTS[subject]
    profile = fb.probe(model, batch, analyses=Basins(resolution=8, starts=32), depth="deep")
    for block in profile["basins"].blocks.values():
        assert block.which.shape == block.log_norm.shape == block.gamma.shape == (8, 8)
    assert profile["basins"].planes[0].unit == "class"


def test_a_plane_that_the_state_has_not_is_refused() -> None:
    with pytest.raises(WrongUsage, match="two different places in a state of 2"):
        measured(two_latches, 2, Basins(coordinates=(0, 2)))
