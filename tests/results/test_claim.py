"""A published number beside ours: when it is within, outside, and not comparable."""

from dataclasses import replace

import pytest

from farback.results import Run, Trial
from farback.results.claim import Claim, compare, of_mean, of_rate

TIMES = (900, 1000, 1100, 1200, 950, 1050, 980, 1020, 1130, 870)


def run(seed: int, sequences: int, outcome: str = "solved", **measures: float) -> Run:
    trial = Trial(
        cell="C()", task="T()", learner="L()", seed=seed, sequences=5000, check=10, group=4,
        dtype="float32",
    )  # fmt: skip
    return Run(
        trial=trial, outcome=outcome, sequences=sequences, forward=0.0, backward=0.0,
        measures=measures, curve={}, seconds=0.0, versions={}, device="cpu", commit=None,
        command="", started="",
    )  # fmt: skip


SOLVED = [run(seed, time, test_wrong=1.0) for seed, time in enumerate(TIMES)]
UNSOLVED = [run(20, 5000, "unsolved"), run(21, 200, "diverged")]


@pytest.mark.parametrize(
    ("published", "tolerance", "verdict"),
    [(1000, 0, "within"), (1500, 0, "outside"), (1500, 500, "within"), (500, 0, "outside")],
)
def test_a_mean_is_within_its_interval_and_tolerance(
    published: float, tolerance: float, verdict: str
) -> None:
    found = compare(Claim("sequences", published, "table 1", tolerance), SOLVED)
    assert (found.verdict, found.ours.value) == (verdict, 1020)


def test_a_mean_over_few_solved_trials_is_shown_and_not_compared() -> None:
    found = compare(Claim("sequences", 1020, "table 1"), SOLVED + UNSOLVED)
    assert found.verdict == "not comparable"
    assert found.reason.startswith("10 of 12 solved")
    assert found.ours.value == 1020
    assert found.restricted is not None
    assert found.restricted.value == pytest.approx((10 * 1020 + 2 * 5000) / 12)


def test_a_diverged_trial_counts_as_unsolved_in_a_rate() -> None:
    found = compare(Claim("solved", 1.0, "table 1"), SOLVED + UNSOLVED)
    assert found.ours.value == pytest.approx(10 / 12)
    assert found.verdict == "outside"


def test_a_rate_at_a_cap_below_what_the_source_took_is_not_comparable() -> None:
    early, late = (Claim("solved", 1.0, "table 1", by=by) for by in (5000, 5001))
    assert compare(early, SOLVED + UNSOLVED).verdict == "outside"
    found = compare(late, SOLVED + UNSOLVED)
    assert found.verdict == "not comparable"
    assert found.reason == "5,000 sequences, where the source went to about 5,001"
    assert compare(late, SOLVED).verdict == "within"
    assert compare(replace(late, published=0.0), SOLVED + UNSOLVED).verdict == "outside"


def test_half_of_the_published_rate_is_asked_at_half_the_time() -> None:
    half, quarter = (Claim("solved", 1.0, "table 1", by=by) for by in (10_000, 10_001))
    assert compare(half, UNSOLVED * 10).verdict == "outside"
    assert compare(quarter, UNSOLVED * 10).verdict == "not comparable"
    assert compare(half, SOLVED + UNSOLVED).verdict == "not comparable"


def test_words_are_not_comparable_and_are_quoted() -> None:
    found = compare(Claim("solved", None, "table 1", words="some fraction"), SOLVED)
    assert (found.verdict, found.reason) == ("not comparable", "the source says 'some fraction'")


def test_nothing_solved_says_within_what() -> None:
    found = compare(Claim("sequences", 300, "table 1"), UNSOLVED)
    assert found.reason == "not reached within 5,000 sequences"
    assert found.ours.value is None


def test_a_measure_is_that_of_solved_trials() -> None:
    found = compare(Claim("test_wrong", 1, "table 1"), SOLVED + UNSOLVED[:0])
    assert (found.verdict, found.ours.value) == ("within", 1)


def test_errors_and_presentations_are_means_over_all_trials() -> None:
    trials = [
        run(0, 100, test_wrong=0.0, test_count=50.0),
        run(1, 5000, "unsolved", test_wrong=25.0, test_count=50.0),
        run(2, 300, "diverged", test_wrong=50.0, test_count=50.0),
        run(3, 1800, test_wrong=25.0, test_count=50.0),
    ]
    assert compare(Claim("error", 50.0, "table 1"), trials).ours.value == pytest.approx(50)
    found = compare(Claim("presentations", 1800, "table 2", by=5000), trials)
    assert (found.ours.value, found.verdict) == (1800, "within")
    found = compare(Claim("presentations", 9000, "table 2", by=5001), trials)
    assert found.reason == "5,000 sequences, where the source went to 5,001"
    assert compare(Claim("error", 0.0, "table 1", by=5001), trials[:1] * 4).verdict == "within"


@pytest.mark.parametrize("count", [1, 3, 4])
@pytest.mark.parametrize("measure", ["sequences", "error", "accuracy", "test_wrong"])
def test_a_mean_of_a_few_trials_has_no_interval_to_be_within(measure: str, count: int) -> None:
    alike = [run(it, 900, test_wrong=1.0, test_count=100.0) for it in range(count)]
    for runs in (alike, alike + UNSOLVED * (measure == "accuracy")):
        found = compare(Claim(measure, 5.0, "table 1", by=10), runs)
        assert found.ours.value is not None
        reason = f"a mean of {count}, and from 4 on it has an interval" if count < 4 else ""
        verdict = "not comparable" if reason else "outside"
        assert (found.verdict, found.reason) == (verdict, reason)


@pytest.mark.parametrize("measure", ["error", "accuracy", "test_wrong"])
def test_what_was_not_measured_is_not_comparable(measure: str) -> None:
    found = compare(Claim(measure, 5.0, "table 1"), [run(0, 900), run(1, 900)])
    assert (found.verdict, found.reason) == ("not comparable", "not measured")


def test_no_trials_are_not_comparable() -> None:
    assert compare(Claim("solved", 1.0, "table 1"), []).reason == "no trials"


def test_the_tolerances_are_what_they_say() -> None:
    assert of_mean(8440, 30) == pytest.approx(2 * 0.55 * 8440 / 30**0.5)
    assert of_rate(1.0, 30) == pytest.approx(1 - 0.8865, abs=1e-4)


def test_an_accuracy_is_that_of_solved_trials_however_few() -> None:
    tested = [
        run(seed, 900, test_wrong=wrong, test_count=100)
        for seed, wrong in enumerate((0, 10, 20, 50))
    ]
    runs = [*tested, *UNSOLVED * 4]
    accuracy = compare(Claim("accuracy", 0.8, "table 1"), runs)
    assert (accuracy.verdict, accuracy.ours.value) == ("within", pytest.approx(0.8))
    assert compare(Claim("accuracy", 0.2, "table 1"), runs).verdict == "outside"
    for measure, value in (("worst accuracy", 0.5), ("best accuracy", 1.0)):
        found = compare(Claim(measure, 0.5, "table 1"), runs)
        assert (found.verdict, found.ours.value) == ("not comparable", value)
        assert found.reason == "one trial of 4, which has no interval"
    assert compare(Claim("worst accuracy", 0.5, "table 1"), UNSOLVED).ours.value is None
