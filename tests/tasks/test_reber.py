"""Reber strings have their grammar's statistics; the test set holds no training string."""

from functools import cache

import numpy as np
import pytest
import torch

from farback.draws import Draws
from farback.tasks import EmbeddedReber, Reber
from farback.tasks._reber import EMBEDDED, NOTHING, PLAIN, SYMBOLS, Grammar
from farback.types import Sequences


@cache
def lengths(grammar: Grammar) -> np.ndarray:
    """Symbols of 40 000 strings."""
    drawn = grammar.strings(Draws(range(20), "statistics", count=2000))
    return (drawn != NOTHING).sum(0).ravel()


def strings(drawn: Sequences, trial: int) -> list[str]:
    """The strings of a trial without their last symbol."""
    symbols = drawn.inputs[:, trial].argmax(-1).T.tolist()
    ends = drawn.lengths[trial].tolist()
    return [
        "".join(SYMBOLS[it] for it in row[:end]) for row, end in zip(symbols, ends, strict=True)
    ]


def test_reber_strings_have_eight_symbols_on_average_and_five_at_least() -> None:
    found = lengths(PLAIN)
    assert found.mean() == pytest.approx(8.0, abs=5 * 3.37 / np.sqrt(len(found)))
    assert found.std() == pytest.approx(3.37, abs=0.1)
    assert found.min() == 5


def test_embedded_strings_have_twelve_symbols_on_average_and_nine_at_least() -> None:
    found = lengths(EMBEDDED)
    assert found.mean() == pytest.approx(12.0, abs=5 * 3.4 / np.sqrt(len(found)))
    assert found.min() == 9


@pytest.mark.parametrize(("symbols", "share"), [(9, 0.25), (12, 0.672), (20, 0.972), (30, 0.9987)])
def test_embedded_strings_are_as_short_as_often_as_the_grammar_says(
    symbols: int, share: float
) -> None:
    found = lengths(EMBEDDED)
    off = 5 * np.sqrt(share * (1 - share) / len(found))
    assert (found <= symbols).mean() == pytest.approx(share, abs=off + 5e-4)


def test_an_embedded_string_ends_with_its_second_symbol_and_e() -> None:
    drawn = EmbeddedReber().sample(Draws([1], "strings", count=200))
    targets = drawn.targets[..., 0, :, :].argmax(-1)
    for row, string in enumerate(strings(drawn, 0)):
        assert string[0] == string[2] == "B" and string[1] in "TP"
        assert string[1] == string[-1] and string[-2] == "E"
        assert SYMBOLS[int(targets[len(string) - 1, row])] == "E"


def test_what_may_follow_is_what_the_legal_strings_of_the_sources_show() -> None:
    string = "BTXXVPSE"
    inputs = torch.eye(7, dtype=torch.float64)[[SYMBOLS.index(it) for it in string]]
    possible = Reber().answer(inputs)
    told = [
        "".join(name for name, may in zip(SYMBOLS, row, strict=True) if may) for row in possible
    ]
    assert told == ["TP", "SX", "SX", "TV", "PV", "SX", "E", ""]


def test_nothing_may_follow_what_is_no_string() -> None:
    inputs = torch.eye(7, dtype=torch.float64)[[SYMBOLS.index(it) for it in "BSSX"]]
    assert not Reber().answer(inputs)[1:].any()


def test_the_test_set_holds_no_training_string_of_its_trial() -> None:
    task = EmbeddedReber()
    training = task.training_set(Draws([1, 2], "set", count=256))
    test = task.test_set(Draws([1, 2], "test", count=256), training)
    assert test.alive.shape[1:] == (2, 256)
    for trial in (0, 1):
        assert not set(strings(test, trial)) & set(strings(training, trial))


def test_a_test_set_need_not_be_apart() -> None:
    task = EmbeddedReber(apart=False)
    training = task.training_set(Draws([1], "set", count=256))
    test = task.test_set(Draws([1], "test", count=256), training)
    assert set(strings(test, 0)) & set(strings(training, 0))


def test_a_test_set_apart_is_one_of_long_strings() -> None:
    task = EmbeddedReber()
    training = task.training_set(Draws([1], "set", count=256))
    test = task.test_set(Draws([1], "test", count=256), training)
    assert test.lengths.double().mean() > training.lengths.double().mean() + 3


def test_a_stretch_of_a_test_set_apart_can_be_drawn_alone() -> None:
    task = EmbeddedReber()
    training = task.training_set(Draws([1], "set", count=256))
    whole = task.test_set(Draws([1], "test", count=40), training)
    later = task.test_set(Draws([1], "test", first=30, count=10), training)
    assert strings(whole, 0)[30:] == strings(later, 0)


def test_a_training_set_holds_about_a_hundred_different_strings() -> None:
    training = EmbeddedReber().training_set(Draws(range(20), "set", count=256))
    distinct = [len(set(strings(training, trial))) for trial in range(20)]
    assert 95 < np.mean(distinct) < 106
    assert 75 < min(distinct) and max(distinct) < 126


def test_a_tie_is_not_right() -> None:
    task = EmbeddedReber()
    drawn = task.sample(Draws([1], "ties", count=5))
    assert not task.right(torch.ones_like(drawn.answers), drawn).any()
