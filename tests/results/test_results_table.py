"""A table counts every outcome, takes none for a zero, and says what it pooled."""

import math

import pytest

from farback.errors import WrongUsage
from farback.results import Runs, mean, rate, table

LSTM, ELMAN = "LSTM1997(blocks=2)", "Elman()"
ADDING, LATCH = "Adding(length=100)", "Latch()"


@pytest.fixture
def runs(run) -> Runs:
    """LSTM: 6 solved, 2 unsolved, 2 diverged of 10; Elman: 5 unsolved; Elman on Latch: nothing."""
    made = []
    for seed in range(10):
        outcome = "solved" if seed < 6 else "unsolved" if seed < 8 else "diverged"
        spent = {"solved": 100 * (seed + 1), "unsolved": 1000, "diverged": 50}[outcome]
        wrong = math.nan if outcome == "diverged" else float(seed)
        made.append(
            run(seed=seed, outcome=outcome, sequences=spent, measures={"test_wrong": wrong})
        )
    made += [run(seed=it, cell=ELMAN, outcome="unsolved", sequences=1000) for it in range(5)]
    made += [run(seed=it, task=LATCH) for it in range(3)]
    return Runs(tuple(made))


def test_the_rate_is_taken_over_all_trials(runs):
    entry = table(runs, rows="cell", columns="task", value="solved")[LSTM, ADDING]
    assert (entry.value, entry.low, entry.high) == rate(6, 10)
    assert (entry.n, entry.solved, entry.unsolved, entry.diverged, entry.over) == (10, 6, 2, 2, 10)


def test_the_mean_is_taken_over_the_solved_trials(runs):
    entry = runs.table(value="sequences")[LSTM, ADDING]
    assert (entry.value, entry.low, entry.high) == mean([100, 200, 300, 400, 500, 600])
    assert (entry.n, entry.over) == (10, 6)


def test_where_none_is_solved_there_is_no_mean_and_no_zero(runs):
    entry = runs.table(value="sequences")[ELMAN, ADDING]
    assert (entry.value, entry.low, entry.high, entry.n, entry.unsolved) == (None, None, None, 5, 5)
    assert entry.text == "none (0/5 solved)"


def test_the_restricted_mean_counts_unsolved_and_diverged_with_their_budget(runs):
    shown = runs.table(value="restricted")
    assert shown[LSTM, ADDING].value == (2100 + 4 * 1000) / 10
    assert shown[ELMAN, ADDING].value == 1000


def test_a_measure_is_taken_where_it_is_a_number(runs):
    entry = runs.table(value="test_wrong")[LSTM, ADDING]
    assert (entry.value, entry.over, entry.n) == (3.5, 8, 10)
    assert "2 diverged, over 8" in entry.text


def test_a_field_of_the_run_can_be_the_value(runs):
    assert runs.table(value="seconds")[LSTM, ADDING].value == 1.5


def test_a_combination_that_nobody_ran_is_shown_as_such(runs):
    entry = runs.table()[ELMAN, LATCH]
    assert (entry.n, entry.value, entry.text) == (0, None, "no trials")
    assert "no trials" in str(runs.table())


def test_any_field_groups_and_one_column_needs_none(runs):
    shown = runs.table(rows=("cell", "outcome"), columns=(), value="sequences")
    assert shown[(LSTM, "diverged"), ()].n == 2
    assert shown.lines()[0] == ["cell", "outcome", "sequences"]
    assert shown.column_labels == [()]


def test_a_part_as_object_finds_its_row(runs):
    class Part:
        def __repr__(self) -> str:
            return ELMAN

    assert runs.table()[Part(), ADDING].n == 5


def test_numbers_of_edited_code_stand_in_rows_of_their_own(run):
    old = [run(seed=it, cell="My()", sources={"my.My": "0" * 64}) for it in range(3)]
    new = [run(seed=it, cell="My()", sources={"my.My": "1" * 64}) for it in range(2)]
    shown = table(old + new)
    assert shown.rows == ("cell", "sources")
    assert [shown[it, ADDING].n for it in shown.row_labels] == [3, 2]
    assert table([*old, run()]).rows == ("cell",)


def test_trials_of_two_protocols_stand_apart(run):
    shown = table([run(), run(protocol=1)])
    assert shown.rows == ("cell", "protocol")
    assert [it.n for it in shown.entries.values()] == [1, 1]


def test_what_was_pooled_is_said(run):
    pooled = table([run(), run(seed=1, learner="Guessing()", budget=2000)])
    assert pooled.notes == ("pooled over different learner, budget",)
    assert table([run(), run(seed=1)]).notes == ()
    assert pooled[LSTM, ADDING].n == 2


def test_what_could_not_be_read_is_said(run):
    shown = Runs((run(),), ("x.json is damaged.",)).table()
    assert str(shown).endswith("1 file could not be read: x.json is damaged.")


def test_a_table_reads_as_text(run):
    made = [run(seed=it, sequences=30_000 + 100 * it, budget=10**6) for it in range(20)]
    lines = str(table(made, value="sequences")).splitlines()
    assert lines[0].split() == ["cell", ADDING]
    assert lines[1].startswith(f"{LSTM}  30,950 [30,")
    assert lines[1].endswith("(20/20 solved)")
    assert lines[2].startswith("mean sequences to solve over the solved trials")


def test_a_table_becomes_a_data_frame_with_a_row_an_entry(runs):
    pytest.importorskip("pandas")
    frame = runs.table(value="sequences").to_pandas()
    assert list(frame.columns[:4]) == ["cell", "task", "value", "low"]
    assert list(frame["n"]) == [10, 5, 3]
    assert math.isnan(frame["value"][1])


def test_a_notebook_shows_it_with_everything_escaped(run):
    shown = table([run(cell="<script>")])._repr_html_()
    assert "&lt;script&gt;" in shown and "<script>" not in shown


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"rows": "cel"}, "no field 'cel' to group by; try cell"),
        ({"columns": ("task", "sed")}, "no field 'sed' to group by; try seed"),
        ({"value": "solve"}, "no value 'solve'; try solved"),
        ({"value": "test_wrng"}, "no value 'test_wrng'; try test_wrong"),
        ({"value": "cell"}, "no value 'cell'"),
        ({"rows": ("cell", "cell")}, "A field came twice in cell, cell"),
    ],
)
def test_a_wrong_name_is_answered_with_the_near_ones(runs, asked, said):
    with pytest.raises(WrongUsage, match=said):
        runs.table(**asked)


def test_a_wrong_label_is_answered_with_the_near_ones(runs):
    with pytest.raises(WrongUsage, match=r"no row 'LSTM1997\(blocks=3\)' in the table; try LSTM"):
        runs.table()["LSTM1997(blocks=3)", ADDING]
    with pytest.raises(WrongUsage, match="no column 'Addin'"):
        runs.table()[LSTM, "Addin"]


def test_a_table_of_nothing_is_empty():
    assert str(table([], value="test_wrong")) == "no trials"
    assert Runs((), ("a.",)).table()._repr_html_()
