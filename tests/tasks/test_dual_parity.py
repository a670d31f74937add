"""Dual parity: every string of the training and the test sets is counted by hand."""

from collections import Counter

import pytest

from farback.draws import Draws
from farback.errors import WrongUsage
from farback.tasks import DualParity
from farback.testing import check_task
from farback.types import Sequences


def spelt(sequences: Sequences, trial: int = 0) -> list[tuple[str, float]]:
    """Each string, and what is asked at its end."""
    found = []
    for row in range(sequences.alive.shape[2]):
        one = sequences.one(trial, row)
        *word, end = one.inputs.argmax(-1).tolist()
        assert end == 2 and bool((one.inputs.sum(-1) == 1).all())
        assert one.scored.tolist() == [0.0] * len(word) + [1.0]
        found.append(("".join(map(str, word)), float(one.answers[-1, 0])))
    return found


def is_even(word: str) -> float:
    return float(all(count % 2 == 0 for count in Counter(word).values()))


def test_all_short_strings_are_learned_from_and_some_longer_ones() -> None:
    task = DualParity(added=200)
    words = spelt(task.training_set(Draws([0], "set", count=task.training)))
    short = [word for word, _ in words[:31]]
    assert short[:7] == ["", "0", "1", "00", "01", "10", "11"]
    assert len(set(short)) == 31 and max(map(len, short)) == 4
    longer = words[31:]
    assert {len(word) for word, _ in longer} == set(range(5, 11))
    assert all(asked == is_even(word) for word, asked in words)
    assert 70 < sum(asked for _, asked in longer) < 130


def test_fresh_strings_are_of_either_class_and_of_all_lengths() -> None:
    words = spelt(DualParity().sample(Draws([1], "test", count=600)))
    assert all(asked == is_even(word) for word, asked in words)
    assert {len(word) for word, asked in words if asked} == {2, 4, 6, 8, 10}
    assert {len(word) for word, asked in words if not asked} == set(range(1, 11))
    ((name, longer),) = DualParity().elsewhere
    lengths = {len(word) for word, _ in spelt(longer.sample(Draws([1], "test", count=300)))}
    assert (name, lengths, longer.elsewhere) == ("longer", set(range(11, 21)), ())


@pytest.mark.parametrize("shortest", [1, 4, 5, 9])
def test_longer_strings_are_tested_unless_none_are_asked_for(shortest: int) -> None:
    ((name, longer),) = DualParity(shortest=shortest, tested=14).elsewhere
    assert (name, longer) == ("longer", DualParity(shortest=11, longest=14, tested=None))
    assert longer.elsewhere == DualParity(shortest=shortest, tested=None).elsewhere == ()


@pytest.mark.parametrize("task", [DualParity(added=0), DualParity(short=0, longest=5, shortest=3)])
def test_it_keeps_the_contract(task: DualParity) -> None:
    check_task(task)


@pytest.mark.parametrize(
    "wrong",
    [
        {"longest": 5},
        {"tested": 11},
        {"short": 11, "longest": 13},
        {"strings": 3},
        {"error_below": -1.0},
    ],
)
def test_choices_that_make_no_task_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(WrongUsage, match=next(iter(wrong))):
        DualParity(**wrong)  # type: ignore
