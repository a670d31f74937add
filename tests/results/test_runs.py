"""Several runs: counted once each, filtered, joined, and turned into a data frame."""

import math
import sys

import numpy as np
import pytest

from farback.errors import InputRefused, WrongUsage
from farback.results import Runs


@pytest.fixture
def runs(run) -> Runs:
    outcomes = ["solved", "solved", "unsolved", "diverged"]
    return Runs(tuple(run(seed=seed, outcome=it) for seed, it in enumerate(outcomes)), ("a.",))


def test_a_trial_counts_once_however_often_it_comes(runs, run):
    again = runs + Runs((run(seed=0, outcome="diverged"), run(seed=9)), ("b.", "a."))
    assert [it.trial.seed for it in again] == [0, 1, 2, 3, 9]
    assert again[0].outcome == "solved"
    assert again.unread == ("a.", "b.")


def test_a_slice_is_runs_and_a_place_is_a_run(runs):
    assert isinstance(runs[1:], Runs)
    assert (len(runs[1:]), runs[1:].unread) == (3, ("a.",))
    assert runs[-1].outcome == "diverged"
    assert runs[0] in runs


def test_where_filters_by_fields_measures_and_functions(runs):
    assert [it.trial.seed for it in runs.where(outcome="solved")] == [0, 1]
    assert [it.trial.seed for it in runs.where(seed=np.int64(1))] == [1]
    assert [it.trial.seed for it in runs.where(lambda run: run.trial.seed > 1, budget=1000)] == [
        2,
        3,
    ]
    assert len(runs.where(test_wrong=3)) == 4
    assert runs.where(outcome="solved").unread == ("a.",)


def test_where_takes_a_part_as_object(run):
    class Part:
        def __repr__(self) -> str:
            return "LSTM1997(blocks=2)"

    mixed = Runs((run(), run(cell="Elman()")))
    assert mixed.where(cell=Part()).runs == (mixed[0],)


def test_where_answers_a_wrong_name_with_the_near_ones(runs):
    with pytest.raises(WrongUsage, match="no field 'sequnces'; try sequences"):
        runs.where(sequnces=3)


def test_a_measure_that_only_some_have_filters_those(run):
    mixed = Runs((run(seed=0, measures={}), run(seed=1)))
    assert mixed.where(test_wrong=3).runs == (mixed[1],)


def test_runs_say_what_they_are(runs):
    assert repr(runs).splitlines() == [
        "4 runs of 1 cell, 1 task, 1 learner: 2 solved, 1 unsolved, 1 diverged",
        "1 file could not be read: a.",
    ]
    assert repr(Runs()) == "no runs"


def test_many_unreadable_files_are_counted(runs):
    lines = repr(Runs((), tuple(f"file {it}" for it in range(9)))).splitlines()
    assert lines == [
        "no runs",
        "9 files could not be read: file 0",
        "file 1",
        "file 2",
        "and 6 more",
    ]


def test_a_notebook_shows_a_table_with_everything_escaped(run):
    shown = Runs((run(cell="<script>"),), ("<b>",))._repr_html_()
    assert "<table>" in shown and "&lt;script&gt;" in shown and "&lt;b&gt;" in shown
    assert "<script>" not in shown and "<b>" not in shown
    assert Runs()._repr_html_() == "<p>no runs</p>"


def test_runs_become_a_data_frame_with_a_row_each(run):
    pytest.importorskip("pandas")
    mixed = Runs((run(seed=0, measures={"loss": math.inf}), run(seed=1, sources={"M": "ab" * 32})))
    frame = mixed.to_pandas()
    assert list(frame["seed"]) == [0, 1]
    assert list(frame["budget"]) == [1000, 1000]
    assert list(frame["sources"]) == ["", "M abababab"]
    assert frame["loss"][0] == math.inf and math.isnan(frame["loss"][1])
    assert list(frame["id"]) == [it.trial.id for it in mixed]


def test_a_data_frame_without_pandas_is_refused_with_the_name_of_the_extra(runs, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputRefused, match=r"pip install 'farback\[tables\]'"):
        runs.to_pandas()
    with pytest.raises(InputRefused, match=r"pip install 'farback\[tables\]'"):
        runs.table().to_pandas()
