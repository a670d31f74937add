"""The motion behind a chain of states: where it leads, its differential, and when it is refused."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

import farback as fb
from farback import cells, tasks
from farback.analyses._analysis import Analysis
from farback.flow import Finding, Measurement, Trace
from farback.flow.motion import Motion
from farback.probes import LaboratoryCell, StepMap


class Looped(nn.Module):
    """A cell called in a plain loop; `between` is done with its state before the next call."""

    def __init__(self, cell: nn.Module, between: Callable[[Any], Any] = lambda state: state):
        super().__init__()
        self.cell, self.between = cell, between

    def forward(self, xs: Tensor) -> Tensor:
        state: Any = None if isinstance(self.cell, nn.RNNCellBase) else xs.new_zeros(len(xs), 5)
        for x in xs.unbind(1):
            state = self.between(self.cell(x, state))
        return state[0] if isinstance(state, tuple) else state


class Noticing(nn.Module):
    """A cell of the user's own; with `noise` it draws random numbers."""

    def __init__(self, noise: float = 0.0):
        super().__init__()
        self.net, self.noise = nn.Linear(8, 5), noise

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        return torch.tanh(self.net(torch.cat([x, state], -1)) + self.noise * torch.rand(5))


class Normed(Noticing):
    """A cell whose rows are normed together."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(5)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        return torch.tanh(self.norm(self.net(torch.cat([x, state], -1))))


class Fixed(Noticing):
    """A cell that knows how many rows the batch has."""

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        return torch.tanh(self.net(torch.cat([x, state], -1)) + torch.ones(4, 1))


class Seen(Analysis):
    """Keeps the trace that it was given."""

    of_motion = True

    def applies(self, trace: Trace) -> bool:
        return True

    def measure(self, trace: Trace) -> Measurement:
        TRACES.append(trace)
        return Measurement("seen", "", {})

    def judge(self, measurement: Measurement) -> Finding:
        return Finding("seen", "", "")


TRACES: list[Trace] = []


def traced(model: Any, batch: Any, **asked: Any) -> tuple[Trace, tuple[str, ...]]:
    profile = fb.probe(model, batch, analyses=Seen(), **asked)
    return TRACES.pop(), profile.notes


def the_motions(model: Any, batch: Any, **asked: Any) -> dict[str, Motion]:
    trace, notes = traced(model, batch, **asked)
    found = {path.name: path.motion for path in trace.paths if path.motion is not None}
    assert len(found) == len(trace.paths), notes
    return found


def laboratory() -> tuple[nn.Module, Tensor]:
    cell, task = cells.LSTM1997(blocks=1, size=2), tasks.EmbeddedReber()
    draw = torch.Generator().manual_seed(0)
    net = LaboratoryCell(cell, task, cell.parameters(draw, task.inputs, task.outputs))
    return net, net.batch(3)[0]


def sequences(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def wide(module: nn.Module) -> nn.Module:
    return module.double()


torch.manual_seed(0)
SUBJECTS = {
    "RNN": (wide(nn.RNN(3, 5, nonlinearity="relu")), sequences(7, 4, 3)),
    "GRU": (wide(nn.GRU(3, 5, num_layers=2, bidirectional=True)), sequences(7, 4, 3)),
    "LSTM": (wide(nn.LSTM(3, 5, num_layers=2)), sequences(7, 4, 3)),
    "projected": (wide(nn.LSTM(3, 5, proj_size=2)), sequences(7, 4, 3)),
    "packed": (
        wide(nn.LSTM(3, 5, bidirectional=True)),
        pack_padded_sequence(sequences(7, 4, 3), torch.tensor([7, 5, 5, 2])),
    ),
    "RNNCell": (Looped(wide(nn.RNNCell(3, 5))), sequences(4, 7, 3)),
    "GRUCell": (Looped(wide(nn.GRUCell(3, 5))), sequences(4, 7, 3)),
    "LSTMCell": (Looped(wide(nn.LSTMCell(3, 5))), sequences(4, 7, 3)),
    "own cell": (Looped(wide(Noticing())), sequences(4, 7, 3)),
    "laboratory": laboratory(),
    "step map": (
        StepMap(lambda s, x: torch.tanh(2 * s.roll(1, -1)) + x, start=torch.zeros(3).double()),
        (sequences(4, 7, 3), None),
    ),
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_map_leads_where_the_batch_was_led(subject: str) -> None:
    for motion in the_motions(*SUBJECTS[subject]).values():
        for p, x in enumerate(motion.inputs):
            after = motion.step(motion.states[p], x)
            if motion.valid is not None:
                after = torch.where(motion.valid[p, :, None], after, motion.states[p])
            assert torch.allclose(after, motion.states[p + 1], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_jacobian_equals_autograds(subject: str) -> None:
    for motion in the_motions(*SUBJECTS[subject]).values():
        for p, here in enumerate(motion.along()):
            assert torch.allclose(here.matrix(), by_autograd(motion, p), rtol=0, atol=1e-10)


@pytest.mark.parametrize("count", [1, 12])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_pushing_and_pulling_are_products_with_the_jacobian(subject: str, count: int) -> None:
    for motion in the_motions(*SUBJECTS[subject]).values():
        for p, here in enumerate(motion.along()):
            v = sequences(count, *motion.states[p].shape).to(motion.states)
            matrix = by_autograd(motion, p)
            pushed, pulled = (torch.einsum(s, matrix, v) for s in ("mij,kmj->kmi", "mji,kmj->kmi"))
            assert torch.allclose(here.push(v), pushed, rtol=0, atol=1e-10)
            assert torch.allclose(here.pull(v), pulled, rtol=0, atol=1e-10)


def by_autograd(motion: Motion, p: int) -> Tensor:
    """The slow reference: one row of the batch at a time."""
    rows = []
    for row, (state, x) in enumerate(zip(motion.states[p], motion.inputs[p], strict=True)):
        moves = motion.valid is None or bool(motion.valid[p, row])

        def moved(s: Tensor, x: Tensor = x) -> Tensor:
            return motion.step(s.unsqueeze(0), x.unsqueeze(0))[0]

        found = torch.autograd.functional.jacobian(moved, state)
        rows.append(found if moves else torch.eye(len(state)).to(state))
    return torch.stack(rows)


def test_the_states_are_those_of_the_layer() -> None:
    layer, x = SUBJECTS["LSTM"]
    top = the_motions(layer, x)["LSTM.l1"]
    output, (_h, c) = layer(x)
    assert torch.allclose(top.states[1:, :, top.blocks["h"]], output)
    assert torch.allclose(top.states[-1, :, top.blocks["c"]], c[1])


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Looped(Noticing(), lambda state: 0.9 * state), "changed by other code"),
        (Looped(Noticing(noise=1.0)), "draws random numbers"),
        (Looped(nn.GRUCell(3, 5), lambda state: state.tanh()), "changed by other code"),
        (Looped(Normed()), "do not go each by itself"),
        (Looped(Fixed()), "do not go each by itself"),
    ],
)
def test_a_chain_without_a_map_of_its_own_says_why(model: nn.Module, said: str) -> None:
    trace, notes = traced(model, sequences(4, 7, 3).float(), cells="cell")
    assert trace.paths[0].motion is None
    assert any(said in note for note in notes)


def test_no_motion_is_made_where_none_is_asked_for() -> None:
    profile = fb.probe(nn.GRU(3, 5), torch.randn(7, 4, 3), depth="quick")
    assert not any("could not be followed" in note for note in profile.notes)
