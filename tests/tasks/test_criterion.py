"""A criterion asks for evidence, and is met by nothing else."""

import numpy as np
import pytest

from farback.errors import WrongUsage
from farback.tasks._criterion import Criterion, Tally


@pytest.mark.parametrize("on", [(), "last", ["test"], ("tset",)])
def test_a_criterion_names_the_evidence_that_it_looks_at(on: object) -> None:
    with pytest.raises(WrongUsage, match="on came as"):
        Criterion(on=on)  # pyright: ignore


def test_a_criterion_on_the_last_sequences_says_how_many() -> None:
    with pytest.raises(WrongUsage, match="last came as 0"):
        Criterion(on=("last",))


def test_no_trial_is_solved_by_a_set_without_sequences() -> None:
    nothing = Tally(np.zeros(2, dtype=np.int64), np.zeros(2), 0)
    assert not Criterion(on=("test",)).met({"test": nothing}).any()


def test_a_trial_is_solved_by_what_its_criterion_looks_at_alone() -> None:
    good = Tally(np.array([0, 0, 0]), np.array([0.1, np.nan, 0.3]), 10)
    bad = Tally(np.array([9, 9, 9]), np.array([9.0, 9.0, 9.0]), 10)
    met = Criterion(on=("test",), error=0.2).met({"test": good, "training": bad})
    assert met.tolist() == [True, False, False]
