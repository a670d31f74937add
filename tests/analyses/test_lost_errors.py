"""What is said where nothing of an error is left: sentences without infinities, and no warning."""

import math

import pytest
import torch
from torch import Tensor, nn

import farback as fb
from farback.flow import Profile
from farback.probes import StepMap

ALL = ["lyapunov", "jacobian_spectrum", "attractors", "latching", "error_paths"]


def said(profile: Profile, name: str) -> str:
    finding = next(it for it in profile.findings if it.analysis == name)
    return f"{finding.claim}; {finding.evidence}; {finding.remedies}; {profile[name].numbers}"


def net(bias: float, gain: float) -> nn.RNN:
    """Rectified units with one self-weight; with a bias far below zero all are silent."""
    torch.manual_seed(0)
    layer = nn.RNN(3, 4, nonlinearity="relu")
    with torch.no_grad():
        layer.get_parameter("weight_hh_l0").copy_(gain * torch.eye(4))
        layer.get_parameter("bias_hh_l0").fill_(bias)
    return layer


@pytest.fixture
def silent() -> Profile:
    return fb.probe(net(-100.0, 1.0), torch.randn(20, 3, 3), analyses=ALL)


@pytest.mark.parametrize("name", ALL)
def test_a_jacobian_of_zeros_is_told_without_infinities(silent: Profile, name: str) -> None:
    assert "inf" not in said(silent, name).replace("interval", "")


def test_every_exponent_of_a_map_without_a_memory_is_that_of_a_lost_change(silent: Profile) -> None:
    assert (silent["lyapunov"].exponents == -math.inf).all()
    assert silent["lyapunov"].lost == 1.0
    assert "every change of the state is lost" in said(silent, "lyapunov")


def test_windows_in_which_every_change_is_lost_are_counted_among_the_others() -> None:
    def step(s: Tensor, x: Tensor) -> Tensor:
        return torch.where(x > 0, 0.5 * s, 0.0 * s) + x

    xs = torch.ones(2, 20, 1, dtype=torch.float64)
    xs[1, 5] = -1.0
    start = torch.zeros(2, 1, dtype=torch.float64)
    m = fb.probe(StepMap(step, start), (xs, None), analyses="lyapunov", loss=_sum)["lyapunov"]
    assert 0 < m.lost < 1


def test_the_sentence_names_a_lost_share_of_the_windows() -> None:
    torch.manual_seed(0)
    profile = fb.probe(nn.RNN(3, 1, nonlinearity="relu"), torch.randn(20, 3, 3), analyses=ALL)
    lost = profile["lyapunov"].lost
    assert 0 < lost < 1
    assert f"in {lost:.0%} of the windows every change" in said(profile, "lyapunov")


def test_the_norm_of_an_identity_is_said_to_be_one() -> None:
    subject = StepMap(lambda s, x: s + x, torch.zeros(2))
    profile = fb.probe(subject, torch.randn(3, 20, 2), analyses="jacobian_spectrum")
    told = said(profile, "jacobian_spectrum")
    assert "is 1;" in told and "above one" not in told


def test_starts_that_grow_without_end_are_not_said_to_be_forgotten() -> None:
    profile = fb.probe(net(-1.0, 3.0), torch.zeros(20, 3, 3), analyses="attractors")
    assert profile["attractors"].escaped > 0
    assert "forgotten" not in said(profile, "attractors")


def test_a_gate_that_closes_to_rounding_far_out_is_no_continuum() -> None:
    torch.manual_seed(0)
    profile = fb.probe(
        nn.GRU(3, 4, num_layers=2, bidirectional=True).double(),
        torch.randn(12, 3, 3, dtype=torch.float64),
        analyses="attractors",
    )
    assert profile["attractors"].blocks["GRU.l1"].not_isolated == 0


def _sum(state: Tensor, target: None) -> Tensor:
    return state.sum()
