"""The loss over the parameters: the same as the model's own, and nothing left behind."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import farback as fb
from farback import cells, tasks
from farback.analyses._analysis import Analysis
from farback.flow import Finding, Measurement, Trace
from farback.flow.landscape import Landscape
from farback.probes import LaboratoryCell, StepMap
from farback.testing import fingerprint


class Kept(Analysis):
    """Keeps the landscape that it was given."""

    of_motion = True

    def applies(self, trace: Trace) -> bool:
        return True

    def measure(self, trace: Trace) -> Measurement:
        HELD.append(trace.landscape)
        return Measurement("kept", "", {})

    def judge(self, measurement: Measurement) -> Finding:
        return Finding("kept", "", "")


HELD: list[Landscape | None] = []


def landscape(model: Any, batch: Any, loss: Any = None, **asked: Any) -> Landscape:
    fb.probe(model, batch, loss=loss, analyses=Kept(), **asked)
    found = HELD.pop()
    assert found is not None
    return found


def squared(output: Any, _: Any) -> Tensor:
    return output.square().mean()


class Tagger(nn.Module):
    """Tokens, dropout, a batch norm with statistics, a head; one parameter is frozen."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.drop = nn.Embedding(7, 6), nn.Dropout(0.5)
        self.lstm, self.norm = nn.LSTM(6, 5, num_layers=2, batch_first=True), nn.BatchNorm1d(5)
        self.head = nn.Linear(5, 2)
        self.head.bias.requires_grad_(False)
        self.calls = 0

    def forward(self, tokens: Tensor) -> Tensor:
        self.calls += 1
        states, _ = self.lstm(self.drop(self.embed(tokens)))
        return self.head(self.norm(states[:, -1]))


class Stepping(nn.Module):
    """A step of the user's own."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        return torch.tanh(self.linear(state) + x)


def laboratory() -> tuple[nn.Module, Any, Callable[..., Tensor]]:
    cell, task = cells.LSTM1997(blocks=1, size=2), tasks.EmbeddedReber()
    params = cell.parameters(torch.Generator().manual_seed(0), task.inputs, task.outputs)
    net = LaboratoryCell(cell, task, params)
    return net, net.batch(3), net.loss


torch.manual_seed(0)
SUBJECTS: dict[str, tuple[nn.Module, Any, Callable[..., Tensor]]] = {
    "LSTM": (nn.LSTM(3, 4, batch_first=True), (torch.randn(2, 9, 3), None), squared),
    "tagger": (Tagger(), (torch.randint(7, (4, 9)), None), squared),
    "laboratory": laboratory(),
}


def own_gradients(model: nn.Module, batch: Any, loss: Callable[..., Tensor]) -> list[Tensor]:
    """By the plain way: call, loss, backward."""
    torch.manual_seed(0)
    output = model(batch[0])
    value = loss(output[0] if isinstance(model, nn.RNNBase) else output, batch[1])
    kept = [p for p in model.parameters() if p.requires_grad]
    return list(torch.autograd.grad(value, kept))


@pytest.mark.parametrize("subject", SUBJECTS)
def test_its_gradient_is_the_models_own(subject: str) -> None:
    model, batch, loss = SUBJECTS[subject]
    found = landscape(model, batch, loss)
    at = [p.clone().requires_grad_() for p in found.parameters]
    gradients = torch.autograd.grad(found.loss(at), at)
    expected = own_gradients(model, batch, loss)
    for one, other in zip(gradients, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_it_gives_the_same_number_twice_and_leaves_nothing_behind(subject: str) -> None:
    model, batch, loss = SUBJECTS[subject]
    before = fingerprint(model)
    found = landscape(model, batch, loss)
    assert fingerprint(model) == before
    assert torch.equal(found.loss(found.parameters), found.loss(found.parameters))
    assert fingerprint(model) == before


def test_parameters_that_are_frozen_are_not_among_its_own() -> None:
    model, batch, loss = SUBJECTS["tagger"]
    assert "head.bias" not in landscape(model, batch, loss).names


def test_a_deep_probe_has_it_in_float64_and_still_takes_the_models_type() -> None:
    found = landscape(*SUBJECTS["LSTM"], depth="deep")
    assert found.loss(found.parameters).dtype == torch.float64
    own = found.loss([p.float() for p in found.parameters])
    assert own.dtype == torch.float32
    assert float(own) == pytest.approx(float(found.loss(found.parameters)), rel=1e-5)


def test_a_step_map_of_a_module_has_it() -> None:
    torch.manual_seed(1)
    step, xs = Stepping(), torch.randn(2, 6, 3)
    found = landscape(StepMap(step, start=torch.zeros(3)), (xs, None), lambda s, _: s.sum())
    state = torch.zeros(2, 3)
    for x in xs.unbind(1):
        state = step(state, x).detach()
    assert float(found.loss(found.parameters)) == pytest.approx(float(state.sum()), rel=1e-5)


def test_it_is_not_made_without_a_loss() -> None:
    fb.probe(SUBJECTS["LSTM"][0], torch.randn(2, 9, 3), analyses=Kept())
    assert HELD.pop() is None


def test_it_is_not_made_of_a_step_without_parameters() -> None:
    bare = StepMap(lambda s, x: torch.tanh(s + x), start=torch.zeros(3))
    fb.probe(bare, (torch.randn(2, 6, 3), None), loss=squared, analyses=Kept())
    assert HELD.pop() is None


def test_a_model_that_cannot_be_run_on_other_parameters_says_so() -> None:
    class Writing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(3, 4, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            if not isinstance(self.lstm.weight_hh_l0, nn.Parameter):
                raise RuntimeError("only with my own weights")
            return self.lstm(x)[0]

    profile = fb.probe(Writing(), (torch.randn(2, 9, 3), None), loss=squared, analyses=Kept())
    assert HELD.pop() is None
    assert any("only with my own weights" in note for note in profile.notes)
