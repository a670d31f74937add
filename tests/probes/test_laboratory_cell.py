"""A cell of the laboratory is probed as anybody's model is, at any moment of its training."""

import pytest
import torch

import farback as fb
from farback import cells, learners, probes, tasks
from farback.cells._cell import Cell
from farback.errors import WrongUsage
from farback.flow import Profile
from farback.learners import gradients, updates
from farback.trials import Moment

TASK = tasks.EmbeddedReber()


def probed(cell: Cell) -> Profile:
    params = cell.parameters(torch.Generator().manual_seed(0), TASK.inputs, TASK.outputs)
    net = probes.LaboratoryCell(cell, TASK, params)
    return fb.probe(net, net.batch(4), loss=net.loss)


def test_the_truncated_lstm_of_1997_has_a_constant_error_carousel() -> None:
    decay = probed(cells.LSTM1997(blocks=2))["adjoint_decay"]
    assert abs(decay.rate) < 1e-12


def test_the_error_of_a_small_fully_recurrent_net_vanishes() -> None:
    assert probed(cells.FullyRecurrent(hidden=4)).verdict.word == "vanishes"


def test_a_cell_in_training_is_probed_from_its_moment() -> None:
    cell = cells.LSTM1997(blocks=2, truncated=False)
    rates = []

    def look(moment: Moment) -> None:
        if moment.sequences % 10 == 0:
            net = probes.LaboratoryCell(cell, TASK, moment.of(1))
            profile = fb.probe(net, net.batch(4), loss=net.loss, depth="quick")
            rates.append(profile["adjoint_decay"].rate)

    learner = learners.Descent(gradients.BPTT(), updates.SGD(lr=0.5))
    fb.train(cell, TASK, learner, seeds=2, sequences=20, group=2, progress=False, watch=look)
    assert len(rates) == 2 and rates[0] != rates[1]


def test_threshold_units_are_refused_for_they_have_no_jacobian() -> None:
    cell, task = cells.ThresholdNet(hidden=3), tasks.Parity()
    params = cell.parameters(torch.Generator().manual_seed(0), task.inputs, task.outputs)
    with pytest.raises(WrongUsage, match="came for a probe, expected a cell with a Jacobian"):
        probes.LaboratoryCell(cell, task, params)
