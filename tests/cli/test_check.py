"""A user's class held to a contract; and a published table, held to our numbers."""

import json
from types import SimpleNamespace

import pytest

from farback.experiments import _reproduce
from farback.experiments._comparison import Comparison
from farback.experiments._line import Line
from farback.results.claim import Claim, Compared
from farback.results.intervals import Estimate


def test_check_prints_the_claims_that_are_kept(farback):
    ended = farback("check", "SGD(lr=0.5)")
    assert ended.code == 0
    first, *claims = ended.out.splitlines()
    assert first == "SGD(lr=0.5) keeps the contract of an update:" and len(claims) > 3


def test_check_says_what_a_users_class_breaks(farback, mine):
    ended = farback("check", f"{mine}:Broken")
    assert (ended.code, ended.out) == (1, "")
    assert "Broken(hidden=2" in ended.err and "writes into its arguments" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Identity()"], "Identity() is an Identity, and there are contracts for a cell"),
        (["3"], "3 is an int"),
        (["Elmann"], "try Elman"),
        (["SGD(0.5)", "--inputs", "2"], "--inputs came with an update, and is for cells"),
    ],
)
def test_what_cannot_be_checked_is_told(farback, words, said):
    ended = farback("check", *words)
    assert ended.code == 2 and said in ended.err


def test_reproduce_without_such_an_experiment_lists_the_near_ones(farback):
    ended = farback("reproduce", "hochreiter1997_rebr")
    assert ended.code == 2
    assert "There is no experiment 'hochreiter1997_rebr'; try hochreiter1997_reber" in ended.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--option", "truncatd=False"),
            "no argument 'truncatd' of hochreiter1997_reber (it takes",
        ),
        (("--option", "truncated"), "expected KEY=VALUE; try truncated=False"),
        (("--option", "truncated=3"), "truncated came as 3"),
        (("--option", "g=Fals"), "'Fals'; try False"),
        (("--row", "nope"), "There is no row 'nope'"),
    ],
)
def test_what_is_wrong_in_reproduce_is_one_sentence(farback, words, said):
    ended = farback("reproduce", "hochreiter1997_reber", *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err and ended.err.count("\n") == 1


@pytest.fixture
def outcome(monkeypatch):
    """What reproduce is asked, and a comparison with one claim in its stead."""
    asked = {}

    def pretend(verdict):
        claim = Claim("solved", 1.0, "table 1, row 9", 0.1)
        compared = Compared(claim, Estimate(0.5, 0.3, 0.7), None, 20, 10, verdict, "")
        comparison = Comparison("Any", "any", "", (Line("3 blocks of 2", compared),))

        def reproduce(experiment, **options):
            asked.update(options, experiment=experiment)
            return SimpleNamespace(compare=lambda: comparison, found=())

        monkeypatch.setattr(_reproduce, "reproduce", reproduce)
        return asked

    return pretend


@pytest.mark.parametrize(
    ("verdict", "code"), [("within", 0), ("outside", 1), ("not comparable", 0)]
)
def test_a_comparison_is_the_exit_code(farback, outcome, verdict, code):
    outcome(verdict)
    ended = farback("reproduce", "hochreiter1997_reber")
    assert ended.code == code
    assert f"published 1 (table 1, row 9): {verdict}" in " ".join(ended.out.split())


def test_a_comparison_as_json_and_as_a_page(farback, outcome, tmp_path):
    outcome("within")
    page = tmp_path / "a.html"
    ended = farback("reproduce", "Hochreiter1997Reber", "--json", "--html", page)
    document = json.loads(ended.out)
    assert (document["format"], document["within"]) == ("farback.comparison", True)
    assert (document["lines"][0]["published"], document["lines"][0]["low"]) == (1.0, 0.3)
    assert "published 1 (table 1, row 9)" in page.read_text(encoding="utf-8")


def test_options_of_a_reproduction_reach_it_as_objects(farback, outcome):
    asked = outcome("within")
    words = ["--option", "truncated=False", "--option", "g=Logistic(low=-1, high=1)"]
    words += ["--row", "3 blocks", "--seeds", "2,5-6", "--sequences", "9", "--engine", "native"]
    assert farback("reproduce", "hochreiter1997_reber", *words).code == 0
    experiment = asked.pop("experiment")
    assert experiment.varied == "truncated=False, g=Logistic(low=-1.0, high=1.0)"
    chosen = {"rows": ("3 blocks",), "seeds": [2, 5, 6], "sequences": 9}
    assert asked == {**chosen, "engine": "native", "store": None}


@pytest.mark.slow
def test_a_row_of_a_published_table_is_run_and_compared(farback, tmp_path):
    words = ["--row", "6a", "--seeds", "1", "--sequences", "100", "--store", tmp_path / "runs"]
    ended = farback("reproduce", "hochreiter1997_temporal_order", *words)
    assert ended.code == 0, ended.err
    assert "of 3 published numbers 3 not comparable" in ended.out
    again = farback("reproduce", "hochreiter1997_temporal_order", *words, "--json")
    reasons = [line["reason"] for line in json.loads(again.out)["lines"]]
    assert reasons[0] == "100 sequences, where the source went to about 65,919"
    assert reasons[1:] == ["not reached within 100 sequences"] * 2
