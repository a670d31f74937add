"""Training by the command line: results, the store, a user's own cell, a stop, wrong calls."""

import json
import sys

import pytest

from farback import trials
from farback.cli._laboratory import Seeds
from farback.errors import Stopped
from farback.results import Runs, Store


def test_train_shows_what_came_of_the_trials(farback, reber, short):
    ended = farback("train", *reber, *short)
    assert ended.code == 0, ended.err
    assert ended.out.startswith("2 runs of 1 cell, 1 task, 1 learner: 0 solved, 2 unsolved")
    assert "Elman(hidden=2)" in ended.out and "not solved within 4" in ended.out


def test_train_prints_nothing_but_json_where_it_is_asked_for(farback, reber, short):
    ended = farback("train", *reber, *short, "--json")
    document = json.loads(ended.out)
    assert (document["format"], len(document["runs"])) == ("farback.runs", 2)
    assert document["runs"][0]["cell"].startswith("Elman(hidden=2,")


def test_the_same_command_takes_from_the_store_what_is_there(farback, trained, reber, short):
    before = {file: file.stat().st_mtime_ns for file in trained.glob("*/*.json")}
    assert len(before) == 2
    assert farback("train", *reber, *short, "--store", trained).code == 0
    assert {file: file.stat().st_mtime_ns for file in trained.glob("*/*.json")} == before


def test_train_writes_the_page(farback, tmp_path, reber, short):
    page = tmp_path / "runs.html"
    ended = farback("train", *reber, *short, "--html", page)
    assert ended.err.endswith(f"Report written to {page}.\n")
    assert "not solved" in ended.out and "Elman(hidden=2)" in page.read_text(encoding="utf-8")


def test_a_users_class_is_trained_from_its_file(farback, mine, tmp_path, reber, short):
    words = (f"{mine}:MyCell", *reber[1:], *short, "--store", tmp_path / "runs")
    ended = farback("train", *words)
    assert ended.code == 0, ended.err
    assert ended.err.startswith(f"farback imports your code: {mine}\n")
    (first, _) = Store(tmp_path / "runs").runs()
    assert (
        first.trial.cell.startswith("MyCell(hidden=2")
        and "my_cell.py:MyCell" in first.trial.sources
    )


def test_an_edited_class_is_a_new_trial(farback, mine, tmp_path, monkeypatch, reber, short):
    words = ("train", f"{mine}:MyCell", *reber[1:], *short, "--store", tmp_path / "runs")
    assert farback(*words).code == 0
    monkeypatch.delitem(sys.modules, "farback_file_my_cell")  # as in a process of its own
    mine.write_text(mine.read_text() + "# edited\n")
    assert farback(*words).code == 0
    assert len(Store(tmp_path / "runs").runs()) == 4


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({0: "Elmann"}, 2, "There is no cell 'Elmann'; try Elman"),
        ({0: "EmbeddedReber"}, 2, "EmbeddedReber is a task, expected a cell"),
        ({2: "Descent(BPTT)"}, 2, "it takes gradient, update, batch=1, per_step=False"),
        ({2: "BPTT"}, 2, "is a BPTT, expected a learner; try farback list learners"),
        ({0: "Elman(hidden=0)"}, 2, "hidden came as 0, expected at least 1"),
        ({0: "LatchingNeuron"}, 2, "came with 7 inputs and 7 outputs"),
        ({3: "--seeds", 4: "ten"}, 2, "'ten' is no number of seeds"),
        ({3: "--seeds", 4: "9-3"}, 2, "'9-3' is no number of seeds"),
        ({3: "--seeds", 4: "3,0-99999999999"}, 2, "seeds came as more than 1,000,000"),
        ({3: "--device", 4: "nowhere"}, 3, "device came as 'nowhere', which cannot be used"),
        ({3: "--html", 4: "no/such/a.html"}, 3, "There is no folder no/such"),
        ({3: "--store", 4: "pyproject.toml"}, 3, "pyproject.toml cannot be read as a store"),
    ],
)
def test_what_is_wrong_in_train_is_one_sentence(farback, change, code, said, reber):
    words = dict(enumerate([*reber, "--check", "2"])) | change
    ended = farback("train", *words.values(), "--sequences", "4", "--group", "2")
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err and ended.err.count("\n") == 1


def test_train_without_a_budget_is_refused(farback, reber):
    ended = farback("train", *reber)
    assert ended.code == 2 and "--sequences" in ended.err


def test_an_error_in_a_users_step_is_one_sentence(farback, mine, reber, short):
    ended = farback("train", f"{mine}:Failing", *reber[1:], *short)
    assert ended.code == 3
    assert f"Your code failed at {mine}:" in ended.err and "KeyError: 'lost'" in ended.err


@pytest.mark.parametrize(
    ("text", "seeds"), [("10", 10), ("3,5,8", [3, 5, 8]), ("2-4,9", [2, 3, 4, 9])]
)
def test_seeds_are_a_count_or_a_list(text, seeds):
    assert Seeds().convert(text, None, None) == seeds


@pytest.mark.parametrize("store", [("--store", "the runs"), ()])
def test_a_stop_names_the_command_that_goes_on(farback, monkeypatch, store, tmp_path, reber, short):
    def stop(*parts, **asked) -> Runs:
        raise Stopped("stopped; 1 of 2 trials are published.")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trials, "train", stop)
    ended = farback("train", *reber, *short, *store)
    kept = "'the runs'" if store else "runs"
    command = (
        "farback train 'Elman(hidden=2)' 'EmbeddedReber(8, 8)' 'Descent(BPTT, SGD(0.5))' "
        f"--seeds 2 --sequences 4 --group 2 --check 2 --store {kept}"
    )
    assert ended == (130, "", f"farback: stopped; 1 of 2 trials are published.\n{command}\n")
