"""What the LSTM paper of 1997 says of its tasks: strings, classes, lags, criteria, test sets."""

import math

import numpy as np
import pytest
import torch

from farback import tasks as T
from farback.draws import Draws
from farback.errors import WrongUsage
from farback.tasks._criterion import Criterion
from farback.tasks._task import Task
from farback.testing import check_task
from farback.types import Sequences

MANY = Draws(range(20), "statistics", count=500)


@pytest.mark.parametrize(
    "task",
    [
        T.Reber(training_strings=None),
        T.EmbeddedReber(apart=False, training_strings=8),
        T.NoiseFreeLag(delay=3),
        T.NoiseFreeLag(delay=10, throughout=False),
        T.RandomLag(delay=3),
        T.RandomLag(delay=10, every_step=False),
        T.DistractedLag(delay=1, symbols=1),
        T.DistractedLag(delay=30, symbols=2),
        T.TwoSequence(conveying=1, noisy_signal=True),
        T.TwoSequence(noisy_targets=True, stop=1),
        T.TwoSequence(length=6, longest=9, conveying=1, strings=3, tolerance=0.1),
        T.TwoSequence(length=6, longest=9, strings=3, tolerance=0.1, noise=0.2, low=-1.0),
        T.Adding(first_pair=False),
        T.Adding(shown=False),
        T.Adding(length=6),
        T.Multiplication(first_pair=False),
        T.Multiplication(length=9, shown=False, n_seq=13),
        T.TemporalOrder(symbols=3),
        T.TemporalOrder(symbols=3, length=20),
    ],
    ids=repr,
)
def test_every_choice_keeps_the_contract(task: Task) -> None:
    check_task(task)


@pytest.mark.parametrize(
    ("task", "criterion", "test"),
    [
        (T.EmbeddedReber(), Criterion(on=("training", "test")), 256),
        (T.Reber(training_strings=None), Criterion(on=("last",), last=100), 128),
        (T.RandomLag(), Criterion(on=("test",)), 10_000),
        (T.DistractedLag(), Criterion(on=("test",)), 10_000),
        (T.TwoSequence(), Criterion(on=("test",), test=256, error=0.01), 2560),
        (T.TwoSequence(stop=1), Criterion(on=("test",), test=256), 2560),
        (
            T.TwoSequence(noisy_signal=True),
            Criterion(on=("test",), test=256, wrong=5, error=0.04),
            2560,
        ),
        (T.TwoSequence(noisy_targets=True), Criterion(on=("test",), test=256, error=0.015), 2560),
        (T.Adding(), Criterion(on=("last",), last=2000, error=0.01), 2560),
        (T.Multiplication(), Criterion(on=("last",), last=2000, wrong=139), 2560),
        (T.Multiplication(n_seq=13), Criterion(on=("last",), last=2000, wrong=12), 2560),
        (T.TemporalOrder(), Criterion(on=("last",), last=2000, error=0.1), 2560),
    ],
    ids=lambda it: repr(it) if isinstance(it, Task) else "",
)
def test_criterion_and_test_set_are_the_published_ones(
    task: Task, criterion: Criterion, test: int
) -> None:
    assert task.criterion == criterion
    assert task.test == test


@pytest.mark.parametrize(
    ("task", "tolerance"),
    [
        (T.NoiseFreeLag(delay=5), 0.25),
        (T.DistractedLag(), 0.2),
        (T.TwoSequence(), 0.2),
        (T.TwoSequence(noisy_targets=True), 0.1),
        (T.Adding(), 0.04),
        (T.Multiplication(), 0.04),
        (T.TemporalOrder(), 0.3),
    ],
    ids=repr,
)
def test_an_output_is_right_below_the_published_error(task: Task, tolerance: float) -> None:
    drawn = task.sample(Draws([1], "tolerance", count=20))
    assert task.right(drawn.answers + 0.999 * tolerance, drawn).all()
    assert not task.right(drawn.answers - 1.001 * tolerance, drawn).any()


# Experiment 2


def test_2a_has_two_strings_that_differ_at_their_ends() -> None:
    drawn = T.NoiseFreeLag(delay=4).sample(MANY)
    inputs, targets = drawn.inputs.argmax(-1), drawn.targets.argmax(-1)
    fed = {tuple(it) for it in inputs.flatten(1).T.tolist()}
    asked = {tuple(it) for it in targets.flatten(1).T.tolist()}
    assert fed == {(3, 0, 1, 2), (4, 0, 1, 2)}
    assert asked == {(0, 1, 2, 3), (0, 1, 2, 4)}
    assert (inputs[0] == targets[-1]).all()
    assert float((inputs[0] == 3).double().mean()) == pytest.approx(0.5, abs=5 * 0.005)


def test_the_2_sequence_problem_has_the_noise_and_the_targets_it_is_given() -> None:
    for task, noise in ((T.TwoSequence(), math.sqrt(0.2)), (T.TwoSequence(noise=0.2), 0.2)):
        elements = task.sample(MANY).inputs[3:100]
        assert elements.std().item() == pytest.approx(noise, rel=0.01)
        assert abs(elements.mean().item()) < 0.01 * noise
    sampled = T.TwoSequence(low=-1.0).sample(MANY)
    assert set(sampled.targets[sampled.scored > 0].unique().tolist()) == {-1.0, 1.0}
    with pytest.raises(WrongUsage, match="low came as 1"):
        T.TwoSequence(low=1.0)


def test_guessing_has_a_fixed_set_of_as_many_sequences_of_either_class() -> None:
    task = T.TwoSequence(length=500, longest=600, conveying=1, strings=50, tolerance=0.1)
    drawn = task.training_set(Draws([1, 2], "set", count=100))
    assert drawn.answers.sum((0, 2, 3)).tolist() == [50.0, 50.0]
    assert (drawn.inputs[0].flatten() == 2 * drawn.answers.sum(0).flatten() - 1).all()
    assert 500 <= drawn.lengths.min() < 510 and 590 < drawn.lengths.max() <= 600
    assert task.criterion == Criterion(on=("training",))


def test_the_test_set_of_2a_holds_each_string_once() -> None:
    task = T.NoiseFreeLag(delay=4)
    test = task.test_set(Draws([1, 2], "test", count=task.test), None)
    assert test.inputs[0].argmax(-1).tolist() == [[3, 4], [3, 4]]


def test_2a_is_judged_throughout_or_at_the_end() -> None:
    drawn = T.NoiseFreeLag(delay=4).sample(Draws([1], "judged", count=10))
    early = drawn.answers.clone()
    early[0] = 0.5
    assert not T.NoiseFreeLag(delay=4).right(early, drawn).any()
    assert T.NoiseFreeLag(delay=4, throughout=False).right(early, drawn).all()


def test_2b_is_judged_at_the_end_alone() -> None:
    task = T.RandomLag(delay=6)
    drawn = task.sample(Draws([1], "judged", count=10))
    outputs = torch.zeros_like(drawn.answers)
    outputs[-1] = drawn.answers[-1]
    assert drawn.scored.all()
    assert task.right(outputs, drawn).all()
    assert not task.right(torch.zeros_like(outputs), drawn).any()


def test_the_middle_of_2b_is_uniform() -> None:
    drawn = T.RandomLag(delay=6).sample(MANY)
    shares = drawn.inputs[1:].mean((0, 1, 2))
    assert shares[:5].numpy() == pytest.approx(0.2, abs=5 * 0.4 / math.sqrt(5 * 20 * 500))
    assert not shares[5:].any()


def test_a_sequence_of_2c_goes_on_with_probability_nine_tenths() -> None:
    more = T.DistractedLag(delay=2, symbols=1).sample(MANY).lengths.numpy() - 5
    # Geometric: mean 9, not the printed 10, and standard deviation sqrt(90).
    assert more.mean() == pytest.approx(9.0, abs=5 * math.sqrt(90 / more.size))
    assert (more == 0).mean() == pytest.approx(0.1, abs=5 * 0.003)
    assert more.min() == 0


def test_a_sequence_of_2c_is_b_then_x_or_y_then_distractors_then_e() -> None:
    task = T.DistractedLag(delay=5, symbols=3)
    drawn = task.sample(Draws([1], "strings", count=50))
    e, b, x = 3, 4, 5
    for row in range(50):
        sequence = drawn.one(0, row)
        symbols = sequence.inputs.argmax(-1).tolist()
        assert (symbols[0], symbols[-1]) == (b, e)
        assert all(it < 3 for it in symbols[2:-1])
        assert sequence.answers[-1].argmax() == symbols[1] - x


# Experiment 3


def test_the_noise_of_3a_has_variance_one_fifth() -> None:
    drawn = T.TwoSequence().sample(MANY)
    noise = drawn.inputs[3:100]
    assert float(noise.var()) == pytest.approx(0.2, rel=0.005)
    assert set(drawn.inputs[:3].unique().tolist()) == {-1.0, 1.0}


def test_the_sign_of_a_noisy_element_is_wrong_as_often_as_said() -> None:
    drawn = T.TwoSequence(conveying=1, noisy_signal=True).sample(MANY)
    end = (drawn.answers * drawn.scored[..., None]).sum(0)[..., 0]
    wrong = ((drawn.inputs[0, ..., 0] > 0) != (end > 0.5)).double()
    assert float(wrong.mean()) == pytest.approx(0.0127, abs=5 * 0.0011)


def test_the_targets_of_3c_are_noisy_and_its_answers_are_not() -> None:
    drawn = T.TwoSequence(noisy_targets=True).sample(MANY)
    scored = drawn.scored > 0
    off = (drawn.targets - drawn.answers)[scored]
    assert set(drawn.answers[scored].unique().tolist()) == {0.2, 0.8}
    assert float(off.var()) == pytest.approx(0.1, rel=5 * math.sqrt(2 / off.numel()))
    first_class = drawn.inputs[0, ..., 0] > 0
    assert ((drawn.answers.sum(0)[..., 0] == 0.2) == first_class).all()


# Experiment 6


def relevant(drawn: Sequences) -> tuple[np.ndarray, np.ndarray]:
    """The steps of X and Y of each sequence, and whether they are Y."""
    at = np.argwhere(drawn.inputs[..., 4:6].bool().permute(1, 2, 0, 3).numpy())
    count = len(at) // drawn.lengths.numel()
    return at[:, 2].reshape(-1, count), at[:, 3].reshape(-1, count)


@pytest.mark.parametrize(
    ("symbols", "ranges"), [(2, [(10, 20), (50, 60)]), (3, [(10, 20), (33, 43), (66, 76)])]
)
def test_the_relevant_symbols_stand_where_the_paper_says(
    symbols: int, ranges: list[tuple[int, int]]
) -> None:
    steps, _ = relevant(T.TemporalOrder(symbols=symbols).sample(MANY))
    # The paper counts from 1: its lag of 40 is from position 60 to the last of 100.
    assert list(zip(steps.min(0) + 1, steps.max(0) + 1, strict=True)) == ranges


@pytest.mark.parametrize("symbols", [2, 3])
def test_the_class_is_the_order_of_the_relevant_symbols(symbols: int) -> None:
    drawn = T.TemporalOrder(symbols=symbols).sample(MANY)
    _, is_y = relevant(drawn)
    told = (drawn.answers * drawn.scored[..., None]).sum(0).argmax(-1).numpy().ravel()
    assert (told == is_y @ 2 ** np.arange(symbols)[::-1]).all()
    assert np.bincount(told) / told.size == pytest.approx(1 / 2**symbols, abs=5 * 0.005)


@pytest.mark.parametrize(
    ("task", "minimal", "maximal"),
    [
        (T.EmbeddedReber(), 5, None),
        (T.NoiseFreeLag(delay=100), 99, 99),
        (T.DistractedLag(delay=1000, symbols=50), 1001, None),
        (T.TwoSequence(length=1000), 999, 1099),
        (T.Adding(), 90, 109),
        (T.Adding(shown=False), 50, 108),
        (T.TemporalOrder(), 80, 100),
    ],
    ids=lambda it: repr(it) if isinstance(it, Task) else "",
)
def test_the_lag_is_counted_from_the_first_deciding_input(
    task: Task, minimal: int, maximal: int | None
) -> None:
    assert task.lag == (minimal, maximal)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: T.NoiseFreeLag(delay=2), "at least 3"),
        (lambda: T.RandomLag(delay=2), "at least 3"),
        (lambda: T.DistractedLag(delay=0), "at least one of each"),
        (lambda: T.TwoSequence(conveying=100), "fewer than all"),
        (lambda: T.TwoSequence(stop=3), "ST1 or 2 for ST2"),
        (lambda: T.TemporalOrder(symbols=4), "expected 2 or 3"),
        (lambda: T.TemporalOrder(length=10), "at least 20"),
    ],
)
def test_an_impossible_task_is_refused(make: object, said: str) -> None:
    assert callable(make)
    with pytest.raises(WrongUsage, match=said):
        make()
