"""The tasks of Pascanu, Mikolov and Bengio as their code makes them, and copy, their like."""

import math

import numpy as np
import pytest
import torch

from farback.draws import Draws
from farback.errors import WrongUsage
from farback.tasks import (
    Copy,
    Memorization,
    Pascanu2013Addition,
    Pascanu2013Multiplication,
    Pascanu2013TemporalOrder,
    RandomPermutation,
)
from farback.tasks._task import Task
from farback.testing import check_task
from farback.types import Sequences


def drawn(task: Task, count: int = 500) -> Sequences:
    return task.sample(Draws([5], "test", count=count))


@pytest.mark.parametrize(
    "task",
    [
        Pascanu2013Addition(length=10),
        Pascanu2013Addition(length=50, longest=200),
        Pascanu2013Multiplication(length=23),
        Pascanu2013TemporalOrder(symbols=3),
        Pascanu2013TemporalOrder(symbols=3, length=10, longest=55),
        RandomPermutation(symbols=5, length=50, longest=70),
        Memorization(values=2, positions=5, delay=1),
        Copy(delay=1),
    ],
    ids=repr,
)
def test_every_choice_keeps_the_contract(task: Task) -> None:
    check_task(task, count=100)


@pytest.mark.parametrize(
    ("symbols", "stretches"),
    [(2, [(10, 20), (50, 60)]), (3, [(10, 20), (30, 40), (60, 70)])],
)
def test_relevant_symbols_stand_where_the_authors_code_puts_them(
    symbols: int, stretches: list[tuple[int, int]]
) -> None:
    task = Pascanu2013TemporalOrder(symbols=symbols)
    inputs = drawn(task, 2000).inputs
    steps, rows = torch.nonzero(task.informative(inputs)[:, 0].T).flip(1).T
    found = [set(steps[it::symbols].tolist()) for it in range(symbols)]
    assert found == [set(range(*it)) for it in stretches] and len(rows) == 2000 * symbols


def test_the_first_relevant_symbol_is_the_lowest_place_of_the_class() -> None:
    task = Pascanu2013TemporalOrder()
    inputs = torch.zeros(100, 6).index_fill(1, torch.tensor([3]), 1.0)
    inputs[12], inputs[55] = torch.eye(6)[1], torch.eye(6)[0]  # B, then A
    assert task.answer(inputs)[-1].tolist() == [0, 1, 0, 0]


def test_further_lengths_are_tests_of_that_one_length() -> None:
    task = Pascanu2013TemporalOrder(length=50, longest=200, wrong=0, tested=(20, 500))
    assert task.criterion.wrong == 0 and Pascanu2013TemporalOrder().criterion.wrong == 99
    assert [name for name, _ in task.elsewhere] == ["test_20", "test_500"]
    for (_, other), length in zip(task.elsewhere, task.tested, strict=True):
        assert set(drawn(other, 5).lengths.flatten().tolist()) == {length}
        assert not other.elsewhere


@pytest.mark.parametrize("kind", [Pascanu2013Addition, Pascanu2013Multiplication])
def test_marks_and_lengths_are_those_of_the_authors_code(kind: type[Task]) -> None:
    sequences = drawn(kind(), 4000)
    lengths = sequences.lengths[0]
    steps = torch.nonzero(sequences.inputs[:, 0, :, 0].T)[:, 1].reshape(-1, 2)
    assert set(lengths.tolist()) == set(range(100, 110))
    assert set(steps[:, 0].tolist()) == set(range(10))
    assert (int(steps[:, 1].min()), int((steps[:, 1] - lengths // 10).max())) == (10, 42)


def test_the_constant_half_is_right_on_64_percent_of_additions() -> None:
    baseline = Pascanu2013Addition().baseline
    assert baseline.right == pytest.approx(0.64) and baseline.error == pytest.approx(1 / 24)


def test_the_constant_quarter_on_multiplications_is_as_good_as_simulated() -> None:
    values = np.random.default_rng(0).random((2, 1_000_000)).prod(0)
    baseline = Pascanu2013Multiplication().baseline
    assert baseline.right == pytest.approx((abs(values - 0.25) <= 0.2).mean(), abs=0.002)
    assert baseline.error == pytest.approx(((values - 0.25) ** 2).mean(), abs=3e-4)


def test_a_squared_error_of_up_to_004_is_right() -> None:
    answers = torch.tensor([[0.5], [0.5]])
    outputs = torch.tensor([[0.6999], [0.7001]])
    assert Pascanu2013Addition().correct(outputs, answers).tolist() == [True, False]


def test_fewer_than_one_percent_of_ten_thousand_may_be_wrong() -> None:
    task = Pascanu2013TemporalOrder()
    assert (task.test, task.criterion.wrong) == (10_000, 99)


@pytest.mark.parametrize(("task", "cue"), [(Memorization(delay=7), 17), (Copy(delay=7), 16)])
def test_symbols_come_back_from_the_cue_or_the_step_behind_it(
    task: Memorization | Copy, cue: int
) -> None:
    shown = drawn(task, 3)
    symbols, answers = shown.inputs.argmax(-1)[:, 0], shown.answers.argmax(-1)[:, 0]
    blank = task.values
    assert bool((symbols[:10] < blank).all()) and torch.equal(answers[-10:], symbols[:10])
    assert bool((answers[:-10] == blank).all()) and len(symbols) == 27
    assert [it for it in range(10, 27) if (symbols[it] != blank).all()] == [cue]
    assert bool((symbols[cue] == blank + 1).all())


def test_a_net_without_a_memory_has_the_published_loss_on_copy() -> None:
    task = Copy(delay=100)
    shown = drawn(task, 200)
    known = shown.answers.clone()
    known[-10:] = torch.tensor([1 / 8] * 8 + [0.0]).double()
    loss = task.error(known.clamp(min=1e-30).log(), shown).mean()
    assert task.memoryless == pytest.approx(10 * math.log(8) / 120)
    assert float(loss) == pytest.approx(task.memoryless)


def test_the_constant_answers_of_softmax_tasks_are_chance() -> None:
    assert Pascanu2013TemporalOrder().baseline.error == pytest.approx(math.log(4))
    assert Pascanu2013TemporalOrder(symbols=3).baseline.error == pytest.approx(math.log(8))
    assert RandomPermutation().baseline.error == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Pascanu2013Addition(length=9), "length came as 9"),
        (lambda: Pascanu2013TemporalOrder(longest=50), "longest came as 50"),
        (lambda: Pascanu2013TemporalOrder(symbols=4), "symbols came as 4"),
        (lambda: Pascanu2013TemporalOrder(wrong=-1), "wrong came as -1"),
        (lambda: Pascanu2013TemporalOrder(tested=(500, 5)), "length came as 5"),
        (lambda: RandomPermutation(symbols=2), "symbols came as 2"),
        (lambda: Copy(delay=0), "delay came as 0"),
    ],
)
def test_a_choice_that_makes_no_task_is_refused(make, words: str) -> None:
    with pytest.raises(WrongUsage, match=words):
        make()
