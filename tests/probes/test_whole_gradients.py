"""The whole weight gradient of each loss time: the sum of its summands, with what cancels in it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

import farback as fb
from farback.analyses._analysis import Analysis
from farback.flow import Finding, Measurement, Trace
from farback.probes import StepMap

STEPS, TIMES = 40, (1, 7, 8, 39)


class Asking(Analysis):
    """Asks for the motion, and keeps the trace."""

    of_motion = True

    def applies(self, trace: Trace) -> bool:
        return True

    def measure(self, trace: Trace) -> Measurement:
        KEPT.append(trace)
        return Measurement("asking", "", {})

    def judge(self, measurement: Measurement) -> Finding:
        return Finding("asking", "", "")


KEPT: list[Trace] = []


def gradients(model: Any, batch: Any, **asked: Any) -> dict[str, np.ndarray]:
    fb.probe(model, batch, analyses=Asking(), **asked)
    return {path.name: path.gradient for path in KEPT.pop().paths if path.gradient is not None}


class Looped(nn.Module):
    """A cell in a plain loop."""

    def __init__(self, cell: nn.Module):
        super().__init__()
        self.cell = cell

    def forward(self, xs: Tensor) -> Tensor:
        state, found = None, []
        for x in xs.unbind(1):
            state = self.cell(x, state)
            found.append(state[0] if isinstance(state, tuple) else state)
        return torch.stack(found, 1)


class Bare(nn.Module):
    """A cell that is handed its weights at each call."""

    def forward(self, x: Tensor, state: Tensor, weight: Tensor) -> Tensor:
        return torch.tanh(torch.cat([x, state], -1) @ weight)


class Handing(nn.Module):
    """It in a plain loop."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.weight = Bare(), nn.Parameter(torch.randn(9, 5))

    def forward(self, xs: Tensor) -> Tensor:
        found = [xs.new_zeros(len(xs), 5)]
        for x in xs.unbind(1):
            found.append(self.cell(x, found[-1], self.weight))
        return torch.stack(found[1:], 1)


def loss(output: Tensor, target: Any) -> Tensor:
    return output.pow(3).sum()


torch.manual_seed(0)
X = torch.randn(3, STEPS, 4).double()
MODELS: dict[str, tuple[nn.Module, Callable[[nn.Module], list[Tensor]]]] = {
    "LSTM": (nn.LSTM(4, 5, batch_first=True), lambda m: [m.weight_hh_l0]),  # type: ignore[list-item]
    "GRU": (nn.GRU(4, 5, batch_first=True), lambda m: [m.weight_hh_l0]),  # type: ignore[list-item]
    "handed its weights": (Handing(), lambda m: [m.weight]),  # type: ignore[list-item]
    "LSTMCell": (Looped(nn.LSTMCell(4, 5)), lambda m: [m.cell.weight_hh]),  # type: ignore[list-item,union-attr]
}


@pytest.mark.parametrize("name", MODELS)
def test_the_whole_gradient_of_a_loss_time_is_autograds(name: str) -> None:
    model, weights = MODELS[name]
    model = model.double()
    (found,) = gradients(model, (X, None), loss=loss, loss_times=TIMES).values()
    output = model(X)
    output = output[0] if isinstance(output, tuple) else output
    for log, t in zip(found, TIMES, strict=True):
        own = torch.autograd.grad(loss(output[:, t], None), weights(model), retain_graph=True)
        assert log == pytest.approx(math.log(float(own[0].norm())), abs=1e-10)


def test_padding_adds_nothing_to_the_whole_gradient() -> None:
    torch.manual_seed(1)
    layer, lengths = nn.GRU(4, 5, batch_first=True).double(), torch.tensor([40, 30, 6])
    packed = pack_padded_sequence(X, lengths, batch_first=True)
    (found,) = gradients(layer, (packed, None), loss=loss, loss_times=[-1]).values()
    rows = [layer(x[None, :length])[0][:, -1] for x, length in zip(X, lengths, strict=True)]
    (own,) = torch.autograd.grad(loss(torch.cat(rows), None), [layer.weight_hh_l0])
    assert found[0] == pytest.approx(math.log(float(own.norm())), abs=1e-10)


class Begun(nn.Module):
    """s' = 1e-5 s + p x, with x at the first step alone."""

    def __init__(self) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.ones(1, dtype=torch.float64))

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        return 1e-5 * state + self.p * x


def test_a_whole_gradient_far_below_the_smallest_number_is_exact() -> None:
    """dE_t/dp = 10^(-5 t)."""
    xs = torch.zeros(1, 200, 1).double()
    xs[:, 0] = 1
    step, times = StepMap(Begun(), start=torch.ones(1).double()), [3, 60, 199]
    found = gradients(step, (xs, None), loss=lambda s, _: s.sum(), loss_times=times)["step"]
    assert np.allclose(found, -5 * np.array(times) * math.log(10), rtol=0, atol=1e-9)


def test_no_whole_gradient_is_made_where_none_is_asked_for(monkeypatch: Any) -> None:
    monkeypatch.setattr("farback.probes._records.Record.take_sum", None)
    fb.probe(nn.GRU(4, 5), X.float(), depth="quick")
