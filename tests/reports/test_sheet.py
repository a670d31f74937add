"""Runs, tables and comparisons as sheets: what each square says, and what stands behind it."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from made_runs import make_run
from rich.cells import cell_len
from rich.console import Console

from farback.errors import InputRefused
from farback.reports import show
from farback.reports._beside import of_comparison
from farback.reports._gather import gather
from farback.reports._sheet import Sheet, whiskers
from farback.reports._sheet_lines import display
from farback.reports._tabled import of_runs, of_table
from farback.results import Runs, Store


def squares(sheet: Sheet) -> dict[tuple[str, str], object]:
    """Each square by its last label and its column."""
    columns = sheet.heading[len(sheet.lines[0].labels) :]
    return {
        (line.labels[-1], column): square
        for line in sheet.lines
        for column, square in zip(columns, line.squares, strict=True)
    }


def shown(drawn, *, width=80, **console) -> str:
    out = io.StringIO()
    show(drawn, Console(file=out, width=width, **console))
    return out.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


def test_what_was_never_run_is_said(runs):
    square = squares(of_runs(runs))["GRU()", "EmbeddedReber()"]
    assert (square.text, square.whisker, square.group) == ("no trials", None, None)


def test_what_diverged_is_counted(runs):
    square = squares(of_runs(runs))["LSTM1997(blocks=3, size=2)", "Adding()"]
    assert square.text == "0.333" and "3/9 solved, 3 diverged" in square.notes


def test_a_time_that_nobody_reached_is_no_number(runs):
    square = squares(of_runs(runs))["GRU()", "Adding()"]
    assert square.notes == ("0/4 solved",)
    times = squares(of_runs(runs, values=["sequences"]))["GRU()", "Adding()"]
    assert (times.text, times.interval) == ("none", "")


def test_every_square_leads_to_its_trials(runs):
    sheet = of_runs(runs)
    found = [square for square in squares(sheet).values() if square.group is not None]
    assert sorted(square.group for square in found) == list(range(len(sheet.groups)))
    for square in found:
        assert f"/{len(sheet.groups[square.group].runs)} solved" in square.notes[0]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"budget": 2000}, "budget"), ({"learner": "Descent(BPTT())"}, "learner"), ({}, "cell")],
)
def test_trials_of_another_kind_are_rows_of_their_own(change, field):
    sheet = of_runs(Runs((make_run(0), make_run(1), make_run(2, **change))))
    assert sheet.heading[0] == field
    assert [len(group.runs) for group in sheet.groups] == ([2, 1] if change else [3])


def test_whiskers_of_shares_run_from_0_to_1():
    one, none = whiskers([(0.1, 0.25, 0.5, 1.0), (None, 0.3, None, None)])
    assert (one.low, one.at, one.high, one.published) == (0.1, 0.25, 0.5, 1.0) and none is None


def test_whiskers_of_times_share_the_scale_of_the_largest():
    one, other = whiskers([(100, 200, 300, 400), (10, 20, 30, None)])
    assert (one.published, other.at) == (1.0, 0.05)


def test_a_table_alone_has_no_trials_behind_it(runs):
    sheet = of_table(runs.table(value="test_wrong"))
    assert sheet.groups == () and squares(sheet)["GRU()", "Adding()"].text == "7"


def test_a_comparison_says_what_is_within_and_why_not(comparison):
    found = squares(of_comparison(comparison))
    assert (found["first", "solved"].verdict, found["first", "solved"].tone) == ("within", "ok")
    assert (found["first", "sequences"].verdict, found["first", "sequences"].tone) == (
        "outside",
        "bad",
    )
    assert found["second", "solved"].verdict == "not comparable"
    assert "published some fraction" in found["second", "solved"].published
    assert (found["ours", "solved"].verdict, found["second", "sequences"].text) == (
        "",
        "not claimed",
    )


def test_a_comparison_without_published_numbers_tells_of_none(comparison):
    ours = replace(comparison, lines=comparison.lines[-1:])
    assert (of_comparison(ours).verdict, of_comparison(ours).tone) == ("", "")
    assert "published" not in of_comparison(ours).meaning
    assert "the published value lies inside" in of_comparison(comparison).meaning
    assert (of_comparison(comparison).verdict, of_comparison(comparison).tone) == (
        "some outside",
        "bad",
    )
    within = of_comparison(replace(comparison, lines=comparison.lines[:1]))
    assert (within.verdict, within.tone) == ("none outside", "ok")


def test_a_comparison_tells_the_published_number_and_its_place(comparison):
    square = squares(of_comparison(comparison))["first", "sequences"]
    assert square.published == "published 9,000 (table 1, row 2)"


def test_the_terminal_tells_every_number_of_the_sheet(runs):
    text = flat(shown(runs, width=200))
    for square in squares(of_runs(runs)).values():
        assert all(part in text for part in (square.text, square.interval, *square.notes))


def test_the_terminal_shows_the_verdicts_in_words(comparison):
    text = flat(shown(comparison, width=200))
    assert comparison.sentence in text and "Varied: truncated=False." in text
    assert "published 1 (table 1, row 2): within" in text
    assert "published 9,000 (table 1, row 2): outside" in text
    assert "published some fraction (table 1, row 1): not comparable" in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_console(runs, comparison, width):
    for drawn in (runs, comparison):
        assert max(map(cell_len, shown(drawn, width=width).splitlines())) <= width


def test_the_terminal_shows_a_learning_curve_for_each_group(runs):
    lines = shown(runs, width=100).partition("While learning")[2].splitlines()
    assert sum("share wrong" in line for line in lines) == 3


def test_few_trials_are_shown_one_by_one(runs):
    text = flat(shown(runs[:3], width=120).partition("Trials")[2])
    assert "solved after 300 sequences" in text and "solved after 500 sequences" in text
    assert "Trials" not in shown(runs)


def test_without_learning_neither_curves_nor_trials_are_shown(runs, capsys):
    display(of_runs(runs[:3]), learning=False)
    assert not {"While learning", "Trials"} & set(capsys.readouterr().out.splitlines())


def test_without_a_terminal_the_text_is_plain(runs):
    assert "\x1b" not in shown(runs)


def test_control_characters_never_reach_the_terminal(runs):
    sheet = replace(of_runs(runs), notes=("\x1b]0;owned\x07",))
    out = io.StringIO()
    display(sheet, Console(file=out, width=80))
    assert "\x1b" not in out.getvalue()


def test_no_runs_at_all_are_shown_as_none():
    assert shown(Runs()).startswith("no runs.")


def test_the_folder_of_a_store_is_drawn(runs, tmp_path):
    store = Store(tmp_path / "runs")
    for run in runs[:2]:
        store.publish(run)
    assert shown(str(store.path)).startswith("2 runs of 1 cell")


def test_what_could_not_be_read_is_told(runs):
    text = flat(shown(Runs(runs.runs, unread=("a.json is damaged.",))))
    assert "1 file could not be read: a.json is damaged." in text


def test_stores_are_joined(runs):
    assert len(gather([runs[:2], runs[1:3]]).groups[0].runs) == 3


def test_profiles_and_runs_are_not_drawn_together(runs, profile):
    with pytest.raises(InputRefused, match="got Runs, Profile together"):
        gather([runs, profile])
