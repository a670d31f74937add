"""The loss around the parameters: the wall of one unit, bowls without one, curvature, refusals."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import farback as fb
from farback import analyses, cells, tasks
from farback.analyses import _terrain
from farback.analyses._terrain import Terrain, by_filter, length, unit
from farback.errors import WrongUsage
from farback.flow.landscape import Landscape
from farback.flow.measurement import Measurement


class OneUnit(nn.Module):
    """x_t = w sigma(x_{t-1}) + b, figure 6 of the paper."""

    def __init__(self, w: float, b: float) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w, dtype=torch.float64))
        self.b = nn.Parameter(torch.tensor(b, dtype=torch.float64))

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        return self.w * torch.sigmoid(state) + self.b


def figure_6(w: float, b: float, **choices) -> tuple[Measurement, fb.flow.Finding]:
    subject = fb.probes.StepMap(OneUnit(w, b), start=torch.tensor([0.5]).double())
    profile = fb.probe(
        subject,
        (torch.zeros(1, 50, 1).double(), None),
        loss=lambda x, _: (torch.sigmoid(x) - 0.7).square().sum(),
        analyses=analyses.Cliffs(**choices),
    )
    return profile["cliffs"], profile.findings[0]


def direction_down(w: float, b: float) -> np.ndarray:
    at = torch.tensor([w, b], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(error(at), at)
    return (-gradient / gradient.norm()).numpy()


def error(at: Tensor) -> Tensor:
    x = torch.tensor(0.5, dtype=torch.float64)
    for _ in range(50):
        x = at[0] * torch.sigmoid(x) + at[1]
    return (torch.sigmoid(x) - 0.7) ** 2


@pytest.mark.slow
@pytest.mark.parametrize(("w", "b"), [(5.0, -2.3), (5.0, -2.9), (5.5, -2.8), (6.0, -3.1)])
def test_the_wall_of_one_unit_is_where_the_basin_boundary_is_crossed(w, b):
    found, finding = figure_6(w, b)
    at_wall = np.array([w, b]) + found.wall * direction_down(w, b)
    boundary = 0.5 - at_wall[0] / (1 + math.exp(-0.5))  # x_0 is itself the unstable fixed point
    assert at_wall[1] == pytest.approx(boundary, abs=5e-4)
    assert finding.severity == "watch"
    assert "cliff" in finding.claim


def test_the_gradient_and_the_curvature_grow_together_at_the_wall():
    found, _ = figure_6(5.0, -2.3)
    assert found.jump > math.log(100)
    assert abs(found.curvature_at_wall) > 1e4 * abs(found.curvature)


def test_the_clip_value_is_a_usual_norm_and_not_the_walls():
    found, finding = figure_6(5.0, -2.3)
    assert found.clip < found.largest_norm / 100
    assert f"{found.clip:.2g}" in finding.remedies[0].what


@pytest.mark.parametrize(("w", "b"), [(1.0, 0.3), (2.0, -0.5)])
def test_one_unit_with_one_attractor_has_no_cliff(w, b):
    found, finding = figure_6(w, b, radius=0.3)
    assert finding.severity == "ok"
    assert found.curvature_at_wall is None


def bowl(curvatures) -> Landscape:
    given = torch.tensor(curvatures, dtype=torch.float64)
    start = torch.linspace(1, 2, len(given), dtype=torch.float64)

    def loss(parameters):
        return (given * parameters[0].square()).sum() / 2

    return Landscape(("theta",), (start,), loss)


class Bowl(nn.Module):
    """A net whose loss is a quadratic function of its only parameter."""

    def __init__(self, curvatures) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.linspace(1, 2, len(curvatures)).double())
        self.register_buffer("curvatures", torch.tensor(curvatures).double())

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        return state * 0 + self.theta * self.curvatures.sqrt()


@pytest.mark.parametrize("radius", [0.1, 1.0, 10.0])
def test_a_quadratic_bowl_has_no_cliff(radius):
    curvatures = [1.0, 3.0, 10.0]
    subject = fb.probes.StepMap(Bowl(curvatures), start=torch.zeros(3).double())
    profile = fb.probe(
        subject,
        (torch.zeros(1, 3, 1).double(), None),
        loss=lambda s, _: s.square().sum() / 2,
        analyses=analyses.Cliffs(radius=radius),
    )
    found = profile["cliffs"]
    assert profile.findings[0].severity == "ok"
    assert len(found.s) == 17  # nothing looked like a wall, so nothing was halved
    theta = np.linspace(1, 2, 3)
    gradient = np.array(curvatures) * theta
    expected = (curvatures * gradient**2).sum() / (gradient**2).sum()
    assert found.curvature == pytest.approx(expected, rel=1e-9)
    assert found.sharpest == pytest.approx(10.0, rel=1e-6)


def layer(kind, **choices):
    torch.manual_seed(0)
    model = kind(3, 4, batch_first=True, **choices).double()
    return model, (torch.randn(2, 12, 3).double(), None), lambda y, _: y[:, -1].square().sum()


class Droppy(nn.Module):
    """Dropout before a recurrent layer."""

    def __init__(self) -> None:
        super().__init__()
        self.drop, self.gru = nn.Dropout(0.5), nn.GRU(3, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.gru(self.drop(x))[0]


def laboratory():
    cell, task = cells.LSTM1997(blocks=1, size=2), tasks.EmbeddedReber()
    params = cell.parameters(torch.Generator().manual_seed(0), task.inputs, task.outputs)
    net = fb.probes.LaboratoryCell(cell, task, params)
    return net, net.batch(3), net.loss


def dropping():
    torch.manual_seed(0)
    return Droppy(), (torch.randn(2, 12, 3), None), lambda y, _: y[:, -1].square().sum()


SUBJECTS = {
    "LSTM": lambda: layer(nn.LSTM),
    "GRU": lambda: layer(nn.GRU),
    "stacked": lambda: layer(nn.LSTM, num_layers=2, bidirectional=True),
    "laboratory": laboratory,
    "dropout": dropping,
}


def probed(subject, **choices):
    model, batch, loss = SUBJECTS[subject]()
    asked = analyses.Cliffs(grid=5, points=9, **choices)
    return fb.probe(model, batch, loss=loss, depth="deep", analyses=asked)["cliffs"]


@pytest.mark.slow
@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_curvature_is_the_finite_difference_of_the_slope(subject):
    found = probed(subject)
    near = probed(subject, radius=1e-4)
    middle = len(near.s) // 2
    slopes, places = near.slope[middle - 1 : middle + 2], near.s[middle - 1 : middle + 2]
    difference = (slopes[2] - slopes[0]) / (places[2] - places[0])
    cut = subject == "laboratory"  # the LSTM of 1997 truncates its gradient
    assert found.method == ("finite differences of the gradient" if cut else "double backward")
    assert found.curvature == pytest.approx(difference, rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_middle_of_line_and_plane_is_the_loss_of_the_model(subject):
    found = probed(subject)
    middle = np.flatnonzero(found.s == 0)
    assert found.plane.shape == (5, 5)
    assert found.loss[middle] == pytest.approx(found.plane[2, 2], rel=1e-5)
    assert found.slope[middle] == pytest.approx(-np.exp(found.log_gradient[middle]), rel=1e-9)


def test_the_same_seed_gives_the_same_numbers():
    one, other = probed("dropout", krylov=1), probed("dropout", krylov=1)
    assert np.array_equal(one.plane, other.plane)
    assert np.array_equal(one.loss, other.loss)


class Once(torch.autograd.Function):
    """tanh, whose gradient cannot be differentiated again."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.tanh(x)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, error):
        (x,) = ctx.saved_tensors
        return error * (1 - torch.tanh(x) ** 2)


def test_a_subject_without_second_derivatives_is_measured_by_differences_and_says_so():
    start = torch.tensor([0.3, -0.7, 1.1], dtype=torch.float64)
    first = unit((torch.tensor([1.0, 2.0, -1.0], dtype=torch.float64),))
    curved = {}
    for squash in (torch.tanh, Once.apply):
        terrain = Terrain(Landscape(("x",), (start,), lambda p, f=squash: f(p[0]).prod()))
        found = terrain.curvature((start,), first)
        curved[found.method] = found.along_first()
    exact, differed = curved["double backward"], curved["finite differences of the gradient"]
    assert differed == pytest.approx(exact, rel=1e-6)


def test_a_graph_that_would_be_too_large_is_not_made(monkeypatch):
    monkeypatch.setattr(_terrain, "_MOST_BYTES", 0)
    found = probed("LSTM")
    assert found.method == "finite differences of the gradient"
    monkeypatch.undo()
    assert found.curvature == pytest.approx(probed("LSTM").curvature, rel=1e-6)


def test_lanczos_finds_the_sharpest_curvature_of_a_bowl():
    landscape = bowl([1.0, -20.0, 3.0, 7.0, 7.0])
    at = landscape.parameters
    found = Terrain(landscape).curvature(at, unit(at)).sharpest(5)
    assert found.value == pytest.approx(-20.0, rel=1e-9)
    assert abs(float(found.direction[0][1])) == pytest.approx(1.0, rel=1e-6)


def test_a_random_direction_has_the_norms_of_the_filters():
    drawn = torch.randn(5, 3, generator=torch.Generator().manual_seed(0)).double()
    (found,) = by_filter((drawn,), torch.Generator().manual_seed(1))
    shares = found.norm(dim=1) / drawn.norm(dim=1)
    assert length((found,)) == pytest.approx(1.0)
    assert shares.tolist() == pytest.approx([float(shares[0])] * 5)


def test_a_loss_at_its_minimum_is_looked_at_along_a_random_direction():
    subject = fb.probes.StepMap(Bowl([1.0, 2.0]), start=torch.zeros(2).double())
    nn.init.zeros_(subject.step.theta)
    profile = fb.probe(
        subject,
        (torch.zeros(1, 3, 1).double(), None),
        loss=lambda s, _: s.square().sum() / 2,
        analyses=["adjoint_decay", "cliffs"],
    )
    assert any("random direction" in said for said in profile["cliffs"].conditions)
    assert profile["cliffs"].loss.min() == 0


def test_a_loss_without_a_gradient_is_called_flat():
    batch = torch.randn(2, 9, 3, generator=torch.Generator().manual_seed(0)), None
    profile = fb.probe(nn.GRU(3, 4), batch, loss=lambda y, _: (0 * y).sum(), analyses="cliffs")
    assert "flat" in profile.findings[0].claim


def test_one_parameter_alone_has_no_plane():
    model = OneUnit(5.0, -2.3)
    model.b.requires_grad_(False)
    subject = fb.probes.StepMap(model, start=torch.tensor([0.5]).double())
    profile = fb.probe(
        subject,
        (torch.zeros(1, 50, 1).double(), None),
        loss=lambda x, _: x.square().sum(),
        analyses="cliffs",
    )
    assert profile["cliffs"].planes == ()


@pytest.mark.parametrize("wrong", [{"radius": 0.0}, {"points": 2}, {"quantile": 1.5}])
def test_choices_that_make_no_line_are_refused(wrong):
    with pytest.raises(WrongUsage, match=next(iter(wrong))):
        analyses.Cliffs(**wrong)
