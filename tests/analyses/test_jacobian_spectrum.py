"""Spectra of a step and of its products, beside those that linear algebra gives."""

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

import farback as fb
from farback.analyses import JacobianSpectrum
from farback.analyses._product import eigenvalues, singular_values
from farback.errors import WrongUsage
from farback.flow import Measurement
from farback.flow.motion import ByAutograd, Differential
from farback.probes import StepMap

TRAP = torch.tensor([[0.5, 10.0], [0.0, 0.5]]).double()


def sequences(*shape: int, seed: int = 1) -> Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=draw, dtype=torch.float64)


def factor(matrix: Tensor) -> Differential:
    state = torch.zeros(1, len(matrix)).double()
    return ByAutograd(lambda s, x: s @ matrix.t(), state, state)


def exact(matrices: list[Tensor], of: Any) -> np.ndarray:
    """The slow, obvious reference: the product formed with 400 digits."""
    with mpmath.workdps(400):
        product = mpmath.eye(len(matrices[0]))
        for matrix in matrices:
            product = mpmath.matrix(matrix.tolist()) * product
        values = of(product)
        return np.array(sorted((float(mpmath.log(abs(v))) for v in values), reverse=True))


def svd(matrix: Any) -> Any:
    return mpmath.svd(matrix, compute_uv=False)


def eig(matrix: Any) -> Any:
    return mpmath.eig(matrix, left=False, right=False)


@pytest.mark.parametrize("steps", [1, 7, 40, 150])
@pytest.mark.parametrize("scale", [0.02, 1.0, 40.0])
def test_singular_values_of_a_product_are_those_of_exact_arithmetic(
    steps: int, scale: float
) -> None:
    matrices = [scale * sequences(4, 4, seed=10 + p) / 2 for p in range(steps)]
    like = torch.zeros(1, 4).double()
    found = singular_values([factor(m) for m in matrices], 4, like, seed=0)[0]
    assert np.allclose(found, exact(matrices, svd), rtol=1e-12, atol=1e-6)


@pytest.mark.parametrize("steps", [1, 7, 40])
def test_eigenvalues_of_a_product_are_those_of_exact_arithmetic(steps: int) -> None:
    matrices = [torch.diag(torch.tensor([1.4, 0.9, 0.2]).double()) for _ in range(steps)]
    basis = sequences(3, 3)
    matrices = [basis @ matrix @ torch.linalg.inv(basis) for matrix in matrices]
    like = torch.zeros(1, 3).double()
    found = eigenvalues([factor(m) for m in matrices], 3, like, seed=0)[0]
    assert np.allclose(found, exact(matrices, eig), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("steps", [1, 7, 40, 150])
def test_a_complex_pair_has_one_modulus_however_it_turns(steps: int) -> None:
    pair = torch.tensor([[0.9, -0.7], [0.5, 0.4]], dtype=torch.float64)
    basis = sequences(4, 4, seed=3)
    matrix = torch.block_diag(pair, torch.diag(torch.tensor([0.3, 0.2], dtype=torch.float64)))
    matrix = basis @ matrix @ torch.linalg.inv(basis)
    found = eigenvalues([factor(matrix)] * steps, 3, torch.zeros(1, 4).double(), seed=0)[0]
    modulus = math.log(0.9 * 0.4 + 0.7 * 0.5) / 2
    assert np.allclose(found, [steps * modulus] * 2 + [steps * math.log(0.3)], rtol=1e-9, atol=1e-9)


def of_linear(matrix: Tensor, steps: int) -> tuple[Measurement, str]:
    profile = fb.probe(
        StepMap(lambda s, x: s @ matrix.t() + 0 * x, torch.ones(len(matrix)).double()),
        (torch.zeros(1, steps, 1).double(), None),
        loss=lambda state, _: state.sum(),
        analyses=JacobianSpectrum(),
    )
    return profile["jacobian_spectrum"], profile.findings[0].claim


def test_eigenvalues_under_one_and_a_norm_over_one_are_told_apart_by_name() -> None:
    m, claim = of_linear(TRAP, 30)
    assert m.log_modulus == pytest.approx([math.log(0.5)] * 2)
    assert m.log_singular[0] == pytest.approx(float(torch.linalg.svdvals(TRAP)[0].log()))
    assert m.log_norm[0] > 0 > m.log_norm[-1]
    assert "although all its eigenvalues lie below one" in claim


def test_a_contraction_is_not_said_to_stretch() -> None:
    _, claim = of_linear(0.5 * torch.eye(2).double(), 30)
    assert "below one" in claim and "although" not in claim


def test_a_product_far_below_the_smallest_float_keeps_its_logs() -> None:
    m, _ = of_linear(1e-8 * torch.eye(2).double(), 60)
    assert m.log_norm[-1] == pytest.approx(60 * math.log(1e-8))
    assert m.log_radius[-1] == pytest.approx(60 * math.log(1e-8))


def test_no_adjoint_decays_less_than_the_norm_of_the_product() -> None:
    layer, x = nn.LSTM(3, 6).double(), sequences(40, 1, 3)
    profile = fb.probe(layer, x, loss=lambda out, _: out[-1].sum(), depth="deep")
    spectrum, decay = profile["jacobian_spectrum"], profile["adjoint_decay"]
    fallen = decay.log_norm - decay.log_norm[0]
    for lag, most in zip(spectrum.lags[:-1].astype(int), spectrum.log_norm, strict=False):
        assert fallen[lag] <= most + 1e-9


@pytest.mark.parametrize(
    ("layer", "chains"),
    [
        (nn.RNN(3, 5), 1),
        (nn.GRU(3, 5, num_layers=2), 2),
        (nn.LSTM(3, 5, num_layers=2, bidirectional=True), 4),
    ],
)
def test_every_layer_has_a_spectrum_of_its_own(layer: nn.Module, chains: int) -> None:
    profile = fb.probe(layer, sequences(20, 3, 3).float(), analyses=JacobianSpectrum())
    blocks = profile["jacobian_spectrum"].blocks
    assert len(blocks) == chains
    assert all(np.isfinite(block.log_norm).all() for block in blocks.values())


def test_packed_rows_are_measured_where_they_have_steps() -> None:
    packed = pack_padded_sequence(sequences(20, 3, 3), torch.tensor([20, 9, 4]))
    m = fb.probe(nn.GRU(3, 5).double(), packed, analyses=JacobianSpectrum())["jacobian_spectrum"]
    assert m.rows == 1 and (m.log_singular < math.log(2)).all()


@pytest.mark.parametrize("name", ["k", "samples", "rows"])
def test_a_choice_of_none_is_refused(name: str) -> None:
    with pytest.raises(WrongUsage, match=f"{name} came as 0"):
        JacobianSpectrum(**{name: 0})
