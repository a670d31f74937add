"""fb.train on the native engine: the reference's results, and each trial's are its own."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

import farback as fb
from farback import tasks
from farback.cells import LSTM1997, Elman, FullyRecurrent
from farback.cells.squashings import Identity
from farback.errors import Stopped
from farback.learners import Descent
from farback.learners.gradients import BPTT, RTRL, TruncatedBPTT
from farback.learners.updates import SGD, Adam, Momentum
from farback.results import Run, Runs
from farback.trials import Moment

ELMAN = Elman(hidden=3)
GROWING = Descent(BPTT(), SGD(0.3))
REBER = tasks.EmbeddedReber(training_strings=16, test_strings=16)

STUDIES = {
    "a fixed set, training and test": (ELMAN, REBER, GROWING),
    "a fixed set, in batches": (
        ELMAN,
        tasks.Reber(training_strings=8, test_strings=8),
        Descent(BPTT(), Adam(0.02), batch=4),
    ),
    "a fixed set, in turn": (
        ELMAN,
        tasks.Tomita(grammar=4, original=True, end=False, longest=4),
        Descent(BPTT(), SGD(0.3), batch=4),
    ),
    "fresh sequences, the last of them": (ELMAN, tasks.Adding(length=6), GROWING),
    "fresh sequences, a test": (
        Elman(hidden=2, shortcut=True),
        tasks.NoiseFreeLag(delay=13),
        Descent(TruncatedBPTT(window=5, every=2), SGD(0.3), per_step=True),
    ),
    "a test to stop by": (
        LSTM1997(blocks=2, size=1),
        tasks.TwoSequence(length=10),
        Descent(BPTT(), Momentum(0.1)),
    ),
    "two classes": (
        FullyRecurrent(hidden=2),
        tasks.Parity(longest=6),
        Descent(RTRL(), SGD(0.3), per_step=True),
    ),
    "digits": (ELMAN, tasks.Digits(), Descent(BPTT(), Adam(0.01), batch=10)),
}

pytestmark = pytest.mark.usefixtures("quick")


def train(name: str, seeds: object = 3, **options: object) -> Runs:
    chosen = {"sequences": 200, "check": 50, "group": 3, "engine": "native", "progress": False}
    return fb.train(*STUDIES[name], seeds=seeds, **{**chosen, **options})  # type: ignore


def numbers(run: Run) -> tuple[object, ...]:
    return run.outcome, run.sequences, run.measures, run.curve


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_a_short_run_comes_out_as_on_the_reference_engine(name: str) -> None:
    native, reference = (train(name, engine=it, dtype="float64") for it in ("native", "reference"))
    for mine, theirs in zip(native, reference, strict=True):
        assert (mine.outcome, mine.sequences) == (theirs.outcome, theirs.sequences)
        assert mine.measures == pytest.approx(theirs.measures, rel=1e-8)
        assert mine.curve.keys() == theirs.curve.keys()
        for column, values in mine.curve.items():
            np.testing.assert_allclose(values, theirs.curve[column], rtol=1e-8, atol=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_a_trial_comes_out_the_same_alone_and_among_others(name: str) -> None:
    many, one = train(name, 20), train(name, [17])  # beyond the widest register
    assert numbers(many[17]) == numbers(one[0])


def at_their_own_times(seeds: object, **options: object) -> Runs:
    """Trials of which some are solved, each at a time of its own, and some are not."""
    chosen = {"sequences": 3000, "engine": "native", "progress": False, **options}
    learner = Descent(BPTT(), Adam(0.02))
    return fb.train(ELMAN, tasks.Tomita(), learner, seeds=seeds, **chosen)  # type: ignore


@pytest.mark.slow
def test_trials_that_end_make_room_and_change_no_other() -> None:
    many = at_their_own_times(40)
    assert len({run.sequences for run in many}) > 3
    for seed in (0, 15, 39):
        assert numbers(many[seed]) == numbers(at_their_own_times([seed])[0])


@pytest.mark.slow
def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    def stop(moment: Moment) -> None:
        if moment.sequences >= 2000:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Stopped, match="are published") as stopped:
        at_their_own_times(40, store=tmp_path, watch=stop)
    assert 0 < len(stopped.value.finished) < 40
    again = at_their_own_times(40, store=tmp_path)
    assert [*map(numbers, again)] == [*map(numbers, at_their_own_times(40))]


@pytest.mark.slow
@pytest.mark.parametrize(
    "wild", [Descent(BPTT(), SGD(1e30)), Descent(BPTT(), Momentum(1e35))], ids=repr
)
def test_a_net_without_finite_numbers_has_diverged_and_is_never_solved(wild: Descent) -> None:
    cell = Elman(hidden=3, squashing=Identity(), readout_squashing=Identity())
    runs = fb.train(
        cell, tasks.Adding(length=6), wild, seeds=3, sequences=100, engine="native", progress=False
    )
    assert {run.outcome for run in runs} == {"diverged"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("batch", "check", "budget", "seen"), [(7, 3, 20, 14), (1, 7, 20, 20), (4, 10, 50, 48)]
)
def test_budgets_that_divide_by_nothing_end_as_on_the_reference(
    batch: int, check: int, budget: int, seen: int
) -> None:
    learner = Descent(BPTT(), SGD(0.1), batch=batch)
    options = {"seeds": 2, "sequences": budget, "check": check, "group": 2, "dtype": "float64"}
    native, reference = (
        fb.train(ELMAN, REBER, learner, engine=it, progress=False, **options)
        for it in ("native", "reference")
    )
    for mine, theirs in zip(native, reference, strict=True):
        assert mine.sequences == theirs.sequences == seen
        assert mine.curve["sequences"] == theirs.curve["sequences"]
        assert mine.curve["loss"] == pytest.approx(theirs.curve["loss"], rel=1e-9)
