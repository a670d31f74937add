"""A user's class held to a contract, and what is wrong in a reproduction."""

import pytest


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
