"""What is said of results: show, report and cite."""

import json
import re
from pathlib import Path

import pytest

from farback.cli import cite


def test_show_tells_rates_with_intervals(farback, trained):
    ended = farback("show", trained)
    assert ended.code == 0
    assert "0 [0, 0.658]" in ended.out and "0/2 solved" in ended.out


def test_show_takes_rows_columns_and_values(farback, trained):
    words = ("--rows", "seed, outcome", "--columns", "cell", "--value", "test_wrong")
    document = json.loads(farback("show", trained, *words, "--json").out)
    (table,) = document["tables"]
    assert (table["rows"], table["columns"]) == (["seed", "outcome"], ["cell"])
    assert [entry["value"] for entry in table["entries"]] == [8.0, 8.0]


def test_show_tells_every_file_that_cannot_be_read(farback, trained):
    whole = next(trained.glob("*/*.json"))
    whole.write_bytes(whole.read_bytes()[:100])
    ended = farback("show", trained)
    assert ended.code == 0
    assert "1 file could not be read" in ended.out and whole.name in re.sub(r"\s+", "", ended.out)


def test_show_joins_stores_and_counts_a_trial_once(farback, trained):
    assert farback("show", trained, trained).out.startswith("2 runs of")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nowhere",), "nowhere is no folder, expected a store"),
        (("runs", "--rows", "cel"), "There is no field 'cel' to group by; try cell"),
        (("runs", "--value", "test_wron"), "There is no value 'test_wron'; try test_wrong"),
    ],
)
def test_what_is_wrong_in_show_is_one_sentence(farback, trained, monkeypatch, words, said):
    monkeypatch.chdir(trained.parent)
    ended = farback("show", *words)
    assert ended.out == "" and ended.code in (2, 3)
    assert said in ended.err and ended.err.count("\n") == 1


def test_report_draws_a_store(farback, trained, tmp_path):
    assert "Elman(hidden=2)" in farback("report", trained).out
    page = tmp_path / "all.html"
    assert farback("report", trained, "--html", page).out == f"{page}\n"
    assert "EmbeddedReber(training_strings=8, test_strings=8)" in page.read_text(encoding="utf-8")


def test_cite_tells_the_references_behind_a_store(farback, trained):
    found = json.loads(farback("cite", trained, "--json").out)
    names = [name for entry in found for name in entry["names"]]
    assert names[:4] == ["farback", "Elman", "EmbeddedReber", "Descent"]
    assert "Finding Structure in Time" in found[1]["reference"]


@pytest.mark.parametrize("name", ["LSTM1997", "lstm1997"])
def test_cite_takes_the_name_of_a_class_and_of_a_file(farback, name):
    assert "LSTM1997\n  S. Hochreiter, J. Schmidhuber" in farback("cite", name).out


def test_cite_tells_what_has_no_reference(farback):
    assert farback("cite", "Identity").out.endswith("of their own: Identity.\n")


def test_farback_is_cited_as_in_its_citation_file(farback):
    file = (Path(__file__).parents[2] / "CITATION.cff").read_text(encoding="utf-8")
    assert f'title: "{cite.TITLE}"' in file and f"name: {cite.AUTHORS}" in file
    assert cite.TITLE in farback("cite").out
