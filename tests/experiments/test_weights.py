"""The nets of the LSTM paper have the weights that its tables count."""

import pytest

from farback import experiments
from farback.experiments._experiment import Experiment, Row
from farback.problem import Problem

COUNTS = {
    "Hochreiter1997Reber": [170, 494, 264, 276, 276, 264, 276],
    "Hochreiter1997Distractors": [364, 664, 1264, 3064, 6064, 3064, 1264, 664, 364],
    "Hochreiter1997TwoSequence": [102] * 14,
    "Hochreiter1997Adding": [93] * 3,
    "Hochreiter1997Multiplication": [93] * 2,
    "Hochreiter1997TemporalOrder": [156, 308],
}


def weights(row: Row) -> int:
    params = Problem(row.cell, row.task).parameters(seed=0)
    return sum(value.numel() for value in params.values())


@pytest.mark.parametrize("name", COUNTS)
def test_an_experiment_has_the_weights_of_its_table(name: str) -> None:
    experiment: Experiment = getattr(experiments, name)()
    claimed = [row for row in experiment.rows() if row.claims]
    assert [weights(row) for row in claimed] == COUNTS[name]
