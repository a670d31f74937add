"""Lyapunov exponents: what is known of them, on maps and on nets."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

import farback as fb
from farback.analyses import Lyapunov
from farback.errors import WrongUsage
from farback.flow import Measurement
from farback.flow.motion import Motion
from farback.probes import StepMap


def sequences(*shape: int, seed: int = 1) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=draw, dtype=torch.float64)


def measured(step: Any, start: Tensor, steps: int, **choices: Any) -> Measurement:
    rows = len(start)
    profile = fb.probe(
        StepMap(step, start),
        (torch.zeros(rows, steps, 1, dtype=torch.float64), None),
        loss=lambda state, _: state.sum(),
        analyses=Lyapunov(**choices),
    )
    return profile["lyapunov"]


def linear(matrix: Tensor, steps: int, **choices: Any) -> np.ndarray:
    """The exponents of s' = W s; the state is held near one, which changes no Jacobian."""
    size = len(matrix)

    def step(s: Tensor, x: Tensor) -> Tensor:
        return (s - s.detach()) @ matrix.t() + torch.ones(size).to(s) + 0 * x

    return measured(step, sequences(2, size), steps, **{"k": None, **choices}).exponents


def orthogonal(size: int) -> Tensor:
    return torch.linalg.qr(sequences(size, size)).Q


def test_all_exponents_of_a_scaled_orthogonal_map_are_the_log_of_its_scale() -> None:
    found = linear(0.9 * orthogonal(6), 20)
    assert np.allclose(found, math.log(0.9), rtol=0, atol=1e-9)


def test_the_exponents_of_a_diagonal_map_are_the_logs_of_its_entries() -> None:
    entries = torch.tensor([0.3, -1.2, 0.9, 2.0, 0.9]).double()
    found = linear(torch.diag(entries), 20)
    assert np.allclose(found, entries.abs().log().sort(descending=True).values, rtol=0, atol=1e-9)


def test_distinct_real_moduli_are_found_after_a_burn_in_of_a_hundred_steps() -> None:
    moduli = torch.tensor([1.5, 1.0, -0.6, 0.3]).double()
    basis = sequences(4, 4)
    matrix = basis @ torch.diag(moduli) @ torch.linalg.inv(basis)
    found = linear(matrix, 150, burn=100)
    assert np.allclose(found, moduli.abs().log(), rtol=0, atol=1e-9)


def test_true_zeros_are_lost_directions() -> None:
    found = linear(torch.tensor([[0.5, 1.0], [0.0, 0.0]]).double(), 20)
    assert found[0] == pytest.approx(math.log(0.5), abs=1e-12) and found[1] == -np.inf


def starts(rows: int, size: int) -> Tensor:
    draw = torch.Generator().manual_seed(3)
    return 0.1 + 0.8 * torch.rand(rows, size, generator=draw, dtype=torch.float64)


def tent(s: Tensor, x: Tensor) -> Tensor:
    return 1.9 * torch.minimum(s, 1 - s) + 0 * x


def logistic(s: Tensor, x: Tensor) -> Tensor:
    return 4 * s * (1 - s) + 0 * x


def henon(s: Tensor, x: Tensor) -> Tensor:
    a, b = s.unbind(-1)
    return torch.stack([1 - 1.4 * a * a + b, 0.3 * a], -1) + 0 * x


def within(m: Measurement, known: list[float]) -> bool:
    return all(low <= value <= high for low, value, high in zip(m.low, known, m.high, strict=True))


def test_the_tent_map_has_the_log_of_its_slope() -> None:
    assert measured(tent, starts(4, 1), 60).exponents[0] == pytest.approx(math.log(1.9), abs=1e-12)


def test_the_logistic_map_at_four_has_ln_two_within_its_interval() -> None:
    found = measured(logistic, starts(80, 1), 200)
    assert within(found, [math.log(2)]) and found.high[0] - found.low[0] < 0.02


def test_the_henon_map_has_its_known_exponents_within_their_intervals() -> None:
    """Sprott 2003: 0.41922 and -1.62319 at a = 1.4, b = 0.3; their sum is ln 0.3 exactly."""
    found = measured(henon, 0.25 * (starts(80, 2) - 0.5), 200, burn=50)
    first, second = found.exponents
    assert within(found, [0.41922, -1.62319]) and found.high[0] - found.low[0] < 0.03
    assert found.sum == pytest.approx(math.log(0.3), abs=1e-9)
    assert found.dimension == pytest.approx(1 + first / -second)  # Kaplan and Yorke


NETS = {
    "RNN": nn.RNN(3, 6).double(),
    "GRU": nn.GRU(3, 6, num_layers=2).double(),
    "LSTM": nn.LSTM(3, 6, num_layers=2, bidirectional=True).double(),
}


@pytest.mark.parametrize("net", NETS)
def test_the_closed_form_and_forward_differentiation_agree(net: str) -> None:
    analysis = Lyapunov(k=None)
    for _, motion in traced(NETS[net], sequences(40, 3, 3)).moving:
        plain = replace(motion, closed_form=None)
        ours, theirs = analysis._fields(motion), analysis._fields(plain)
        assert np.allclose(ours["exponents"], theirs["exponents"], rtol=0, atol=1e-8)


@pytest.mark.parametrize("net", NETS)
def test_the_exponents_sum_to_the_mean_log_determinant(net: str) -> None:
    analysis = Lyapunov(k=None, burn=0)
    for _, motion in traced(NETS[net], sequences(40, 3, 3)).moving:
        logs = [torch.linalg.slogdet(here.matrix()).logabsdet for here in motion.along()]
        expected = float(torch.stack(logs).mean())
        assert analysis._fields(motion)["sum"] == pytest.approx(expected, abs=1e-8)


def test_orthogonal_every_fourth_step_gives_the_same() -> None:
    ((_, motion),) = traced(nn.GRU(3, 6).double(), sequences(40, 3, 3)).moving
    often, seldom = (Lyapunov(k=None, burn=0, every=m)._fields(motion) for m in (1, 4))
    assert np.allclose(often["exponents"], seldom["exponents"], rtol=0, atol=1e-8)


def test_the_first_exponents_are_those_of_the_whole_spectrum() -> None:
    moduli = torch.tensor([1.5, 1.0, -0.6, 0.3]).double()
    basis = sequences(4, 4)
    matrix = basis @ torch.diag(moduli) @ torch.linalg.inv(basis)
    found = linear(matrix, 150, burn=100, k=2)
    assert np.allclose(found, np.log([1.5, 1.0]), rtol=0, atol=1e-9)


def test_a_row_counts_the_same_in_a_batch_as_alone() -> None:
    layer, x = nn.GRU(3, 6).double(), sequences(50, 4, 3)
    ((_, whole),) = traced(layer, x).moving
    for row in range(4):
        ((_, alone),) = traced(layer, x[:, row : row + 1]).moving
        for ours, theirs in zip(windows(whole), windows(alone), strict=True):
            assert np.allclose(ours[row], theirs[0], rtol=0, atol=1e-12)


def windows(motion: Motion) -> list[np.ndarray]:
    return list(Lyapunov()._windows(motion, 6, 0, 5))


def test_a_packed_row_counts_its_own_steps_alone() -> None:
    layer, x = nn.GRU(3, 6).double(), sequences(40, 2, 3)
    packed = pack_padded_sequence(x, torch.tensor([40, 25]))
    ((_, motion),) = traced(layer, packed).moving
    ((_, alone),) = traced(layer, x[:25, 1:]).moving
    assert np.allclose(whole_row(motion, 1), whole_row(alone, 0), rtol=0, atol=1e-12)


def whole_row(motion: Motion, row: int) -> np.ndarray:
    """The exponents of one row over one window."""
    (found,) = Lyapunov()._windows(motion, 6, 0, 1)
    return found[row]


def test_the_h_block_alone_tells_of_a_far_shorter_memory_than_the_joint_state() -> None:
    """As public code has it that differentiates h by h and leaves c out."""
    torch.manual_seed(0)
    layer = nn.LSTM(128, 128).double()
    ((_, motion),) = traced(layer, sequences(200, 1, 128)).moving
    h = motion.blocks["h"]
    joint = Lyapunov(k=1)._fields(motion)["exponents"][0]
    alone = leading([here.matrix()[:, h, h] for here in motion.along()])
    assert -0.6 < joint < -0.35 and alone < -2


def leading(matrices: list[Tensor]) -> float:
    """The slow, obvious reference: one vector, its length taken at every step."""
    v, total = torch.ones(matrices[0].shape[-1]).to(matrices[0]), 0.0
    for matrix in matrices:
        v = matrix[0] @ v
        total += math.log(float(v.norm()))
        v = v / v.norm()
    return total / len(matrices)


def traced(model: Any, batch: Any) -> Any:
    kept: list[Any] = []

    class Kept(Lyapunov):
        def applies(self, trace: Any) -> bool:
            kept.append(trace)
            return super().applies(trace)

    fb.probe(model, batch, analyses=Kept(k=1))
    return kept[0]


def test_an_unstable_net_is_said_to_be_one() -> None:
    matrix = 1.5 * orthogonal(3)
    profile = fb.probe(
        StepMap(lambda s, x: torch.sin(s @ matrix.t()) + 0.3 * x, sequences(3)),
        (sequences(2, 60, 3), None),
        loss=lambda state, _: state.sum(),
        analyses=Lyapunov(k=None),
    )
    (finding,) = profile.findings
    assert (profile["lyapunov"].low[0] > 0) == ("unstable" in finding.claim)
    assert finding.severity == ("watch" if "unstable" in finding.claim else "ok")


@pytest.mark.parametrize(
    ("choice", "said"), [({"k": 0}, "k came as 0"), ({"every": 0}, "every came as 0")]
)
def test_a_choice_that_cannot_be_is_refused(choice: dict[str, int], said: str) -> None:
    with pytest.raises(WrongUsage, match=said):
        Lyapunov(**choice)


def test_a_burn_in_longer_than_the_batch_is_refused() -> None:
    with pytest.raises(WrongUsage, match="burn is 50, and the batch has 20 steps"):
        fb.probe(nn.GRU(3, 5), torch.randn(20, 2, 3), analyses=Lyapunov(burn=50))
