"""Figure 7 of Pascanu, Mikolov and Bengio: three methods, three starts, and one net for all."""

import pytest

from farback.errors import WrongUsage
from farback.experiments import Pascanu2013TemporalOrder
from farback.learners import Descent
from farback.learners.gradients import BPTT, Omega
from farback.learners.updates import SGD, Chain, Clip
from farback.problem import Problem

CLIPPED = Chain((Clip(1.0), SGD(0.01)))
LEARNERS = {
    "MSGD": Descent(BPTT(), SGD(0.01), batch=20),
    "MSGD-C": Descent(BPTT(), CLIPPED, batch=20),
    "MSGD-CR": Descent(Omega(4.0), CLIPPED, batch=20),
    "Omega without clipping": Descent(Omega(4.0), SGD(0.01), batch=20),
}


def test_every_net_has_fifty_hidden_units_for_six_symbols_and_four_classes() -> None:
    for row in Pascanu2013TemporalOrder(lengths=(10,)).rows():
        params = Problem(row.cell, row.task).parameters(seed=0)
        assert sum(it.numel() for it in params.values()) == 50 * (50 + 6 + 1) + 4 * (50 + 1)


def test_a_row_is_what_its_name_says() -> None:
    rows = Pascanu2013TemporalOrder(lengths=(10, 300)).rows()
    for row in rows:
        length, start, method = row.name.split(", ")
        assert row.learner == LEARNERS[method]
        assert row.cell == getattr(type(row.cell), start.replace(" ", "_"))()
        assert row.task.lag.minimal == int(length.split()[2]) * 4 // 5
    assert len(rows) == 2 * 9 + 2


def test_the_numbers_that_are_claimed_are_measures_of_the_task_of_all_lengths() -> None:
    (row,) = [it for it in Pascanu2013TemporalOrder().rows() if it.claims[0].published is not None]
    solved, *wrong = row.claims
    assert row.task.criterion.wrong == 0 and (solved.measure, solved.published) == ("solved", 1)
    assert [it.measure for it in wrong] == [f"{name}_wrong" for name, _ in row.task.elsewhere]
    assert {it.published for it in wrong} == {0}


def test_the_choices_reach_the_rows() -> None:
    varied = Pascanu2013TemporalOrder(
        lengths=(30,), updates=7, weight=2.0, squared=False, averaged=False
    )
    assert {row.sequences for row in varied.rows()} == {140}
    kept = [row.learner.gradient for row in varied.rows() if "R" in row.name or "Omega" in row.name]
    assert kept == 5 * [Omega(2.0, squared=False, averaged=False)]


@pytest.mark.parametrize("lengths", [(), (20, 20)])
def test_a_length_is_run_once(lengths: tuple[int, ...]) -> None:
    with pytest.raises(WrongUsage, match="lengths came as"):
        Pascanu2013TemporalOrder(lengths=lengths)
