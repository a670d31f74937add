"""The latching neuron holds a bit against the noise that the theory lets it bear."""

import math

import pytest
import torch

from farback.cells import LatchingNeuron
from farback.errors import WrongUsage


def run(cell: LatchingNeuron, noise: float) -> float:
    """The output after a first input of 1, a rest, and a long constant noise."""
    params = {"h": torch.ones(1, dtype=torch.float64)}
    if cell.trainable:
        params["w"] = cell.parameters(torch.Generator(), 2, 1)["w"]
    state = cell.start(params)
    for t in range(1000):
        x = torch.tensor([float(t == 0), noise if t > 300 else 0.0], dtype=torch.float64)
        state = cell.step(params, state, x)
    return cell.read(params, state, x).item()


def test_at_a_weight_of_1_25_the_latch_rests_at_0_710() -> None:
    assert run(LatchingNeuron(), 0.0) == pytest.approx(0.710412, abs=1e-6)


@pytest.mark.parametrize("w", [1.1, 1.25, 1.5, 2.0, 3.0])
def test_a_constant_noise_flips_the_latch_just_above_its_bound(w: float) -> None:
    bend = math.acosh(math.sqrt(w))  # w tanh'(a) = 1
    bound = w * math.tanh(bend) - bend
    assert run(LatchingNeuron(w0=w), -0.99 * bound) > 0
    assert run(LatchingNeuron(w0=w), -1.01 * bound) < 0


def test_delays_share_the_weight_and_rest_at_the_same_place() -> None:
    delayed = LatchingNeuron(delays=3, trainable=False)
    params = {"h": torch.ones(1, dtype=torch.float64)}
    state = delayed.start(params)
    for t in range(300):
        x = torch.tensor([float(t < 3), 0.0], dtype=torch.float64)
        state = delayed.step(params, state, x)
    assert delayed.read(params, state, x).item() == pytest.approx(0.710412, abs=1e-6)


def test_a_delayed_activation_comes_back_after_its_delay() -> None:
    cell = LatchingNeuron(delays=3)
    params = {"h": torch.ones(1), "w": torch.tensor([0.0, 0.0, 2.0])}
    state, seen = cell.start(params), []
    for t in range(5):
        state = cell.step(params, state, torch.tensor([float(t == 0), 0.0]))
        seen.append(round(state[0].item(), 6))
    assert seen == [1.0, 0.0, 0.0, round(2 * math.tanh(1), 6), 0.0]


def test_a_fixed_weight_is_no_parameter() -> None:
    assert set(LatchingNeuron(trainable=False).parameters(torch.Generator(), 3, 1)) == {"h"}


@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (3, 2)])
def test_other_numbers_of_inputs_and_outputs_are_refused(inputs: int, outputs: int) -> None:
    with pytest.raises(WrongUsage, match="the last is the noise"):
        LatchingNeuron().parameters(torch.Generator(), inputs, outputs)
