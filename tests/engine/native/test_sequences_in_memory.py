"""Sequences lie in memory as they were drawn: whole, or by the number of each row in a table."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from farback.draws import Draws
from farback.engine.native._memory import Field, Laid, laid
from farback.testing._members import TASKS
from farback.types import Sequences

INPUT, TARGET, ANSWER, SCORED = range(4)


def sequences(inputs: Tensor, targets: Tensor | None = None) -> Sequences:
    """[T, R, B, I] to the end, with an answer at every step."""
    some = inputs[..., :1] if targets is None else targets
    ones = torch.ones(inputs.shape[:-1], dtype=torch.float64)
    return Sequences(inputs, some, some, ones, ones > 0)


def whole(field: Field) -> np.ndarray:
    """[R, B, T, width]."""
    return field.rows if field.codes is None else field.rows[field.codes]


def as_drawn(values: Tensor) -> np.ndarray:
    return values.permute(1, 2, 0, 3).numpy()


def inputs_of(inputs: Tensor, dtype: torch.dtype = torch.float64) -> tuple[Laid, np.ndarray]:
    data = laid(sequences(inputs), dtype)
    return data, whole(data.fields[INPUT])


def random(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def chosen(rows: Tensor, *shape: int) -> Tensor:
    """Rows of a table, at random."""
    places = torch.randint(len(rows), shape, generator=torch.Generator().manual_seed(0))
    return rows[places]


@pytest.mark.parametrize("name", TASKS)
def test_every_task_lies_in_memory_as_it_was_drawn(name: str) -> None:
    drawn = TASKS[name].sample(Draws(range(3), "memory", count=40))
    fields = laid(drawn, torch.float64).fields
    given = drawn.inputs, drawn.targets, drawn.answers, drawn.scored.unsqueeze(-1)
    for field, values in zip(fields, given, strict=True):
        np.testing.assert_array_equal(whole(field), as_drawn(values))


def test_one_hot_rows_have_their_symbols_for_numbers() -> None:
    drawn = chosen(torch.eye(14, dtype=torch.float64), 5, 2, 3)
    data, found = inputs_of(drawn)
    assert data.hot
    np.testing.assert_array_equal(data.fields[INPUT].codes, as_drawn(drawn).argmax(-1))
    np.testing.assert_array_equal(found, as_drawn(drawn))


def test_rows_of_zeros_are_one_hot_too() -> None:
    rows = torch.cat([torch.eye(3), torch.zeros(1, 3)]).double()
    data, found = inputs_of(chosen(rows, 9, 2, 3))
    assert data.hot
    np.testing.assert_array_equal(found, as_drawn(chosen(rows, 9, 2, 3)))


@pytest.mark.parametrize(
    "odd", [[0, 0, 2.0], [1, 1, 0], [0, -1, 0], [0.5, 0.5, 0], [0, torch.nan, 0]]
)
@pytest.mark.parametrize("late", [False, True])
def test_one_row_that_is_not_one_hot_is_enough(odd: list[float], late: bool) -> None:
    drawn = chosen(torch.eye(3, dtype=torch.float64), 50, 10, 20)
    place = (-1, -1, -1) if late else (0, 0, 0)
    drawn[place] = torch.tensor(odd, dtype=torch.float64)
    data, found = inputs_of(drawn)
    assert not data.hot
    np.testing.assert_array_equal(found, as_drawn(drawn))


@pytest.mark.parametrize("count", [1, 2, 60, 255, 256, 1000, 1100])
@pytest.mark.parametrize("width", [1, 4])
def test_tables_of_any_length_hold_what_was_drawn(count: int, width: int) -> None:
    drawn = chosen(random(count, width), 50, 4, 30)
    np.testing.assert_array_equal(inputs_of(drawn)[1], as_drawn(drawn))


def test_a_table_has_1024_rows_at_most() -> None:
    # The first few thousand look as if there were few.
    first, rest = random(200, 2)[:20].repeat(250, 1), random(1100, 2)
    drawn = torch.cat([first, rest])[:, None, None]
    data, found = inputs_of(drawn)
    assert data.fields[INPUT].codes is None
    np.testing.assert_array_equal(found, as_drawn(drawn))


@pytest.mark.parametrize("values", [[0.0, -0.0], [1.0, torch.nan], [torch.inf, -torch.inf, 0.5]])
def test_zeros_with_signs_and_what_is_not_finite_keep_their_bits(values: list[float]) -> None:
    drawn = chosen(torch.tensor(values, dtype=torch.float64)[:, None], 20, 2, 5)
    assert inputs_of(drawn)[1].tobytes() == np.ascontiguousarray(as_drawn(drawn)).tobytes()


@pytest.mark.parametrize("rows", [5, 500])
def test_numbers_are_rounded_to_the_type_once(rows: int) -> None:
    drawn = chosen(random(rows, 3), 40, 2, 10)
    found = inputs_of(drawn, torch.float32)[1]
    np.testing.assert_array_equal(found, as_drawn(drawn.float()))


def test_answers_that_differ_from_the_targets_are_kept_apart() -> None:
    some = sequences(random(6, 2, 3, 2))
    data = laid(replace(some, answers=some.targets + 1), torch.float64)
    target, answer = (whole(data.fields[it]) for it in (TARGET, ANSWER))
    np.testing.assert_array_equal(answer, target + 1)


def test_sequences_know_their_lengths() -> None:
    some = sequences(random(6, 2, 3, 2))
    alive = torch.arange(6)[:, None, None] < torch.tensor([[1, 6, 3], [2, 2, 5]])
    data = laid(replace(some, alive=alive), torch.float64)
    np.testing.assert_array_equal(data.lengths, [[1, 6, 3], [2, 2, 5]])
