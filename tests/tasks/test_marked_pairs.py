"""Adding and multiplication: where marks stand, and what a constant answer scores."""

import numpy as np
import pytest
import torch

from farback.draws import Draws
from farback.errors import WrongUsage
from farback.tasks import Adding, Multiplication
from farback.types import Sequences

MANY = Draws(range(20), "statistics", count=500)
BOTH = [Adding, Multiplication]
Marked = type[Adding] | type[Multiplication]


def constant(task: Adding | Multiplication, drawn: Sequences) -> torch.Tensor:
    return torch.tensor(task.baseline.answer).expand_as(drawn.answers)


def squared(task: Adding | Multiplication) -> tuple[float, float]:
    """The mean squared error of the constant answer, and its standard error."""
    drawn = task.sample(MANY)
    errors = (((constant(task, drawn) - drawn.answers) ** 2).sum(-1) * drawn.scored).sum(0)
    return float(errors.mean()), float(errors.std() / errors.numel() ** 0.5)


@pytest.mark.parametrize(
    ("task", "error"),
    [
        (Adding(first_pair=False), 1 / 24),
        (Adding(), 19 / 480),
        (Adding(shown=False), 19 / 480),
        (Multiplication(first_pair=False), 7 / 144),
        (Multiplication(), 7 / 120),
        (Multiplication(shown=False), 7 / 120),
    ],
    ids=repr,
)
def test_a_constant_answer_has_the_error_of_its_closed_form(
    task: Adding | Multiplication, error: float
) -> None:
    found, spread = squared(task)
    assert task.baseline.error == pytest.approx(error, rel=1e-12)
    assert found == pytest.approx(error, abs=5 * spread)


@pytest.mark.parametrize("first_pair", [False, True])
def test_a_constant_answer_adds_right_in_15_percent(first_pair: bool) -> None:
    task = Adding(first_pair=first_pair)
    drawn = task.sample(MANY)
    assert task.baseline.right == pytest.approx(0.154, abs=5e-4)
    assert float(task.right(constant(task, drawn), drawn).double().mean()) == pytest.approx(
        task.baseline.right, abs=5 * 0.0036
    )


@pytest.mark.parametrize("kind", BOTH)
def test_exactly_two_pairs_are_marked(kind: Marked) -> None:
    markers = kind().sample(MANY).inputs[..., 1]
    assert ((markers == 1).sum(0) == 2).all()


@pytest.mark.parametrize(("kind", "neutral"), [(Adding, 0.0), (Multiplication, 1.0)])
def test_a_marked_first_pair_shows_the_neutral_value(kind: Marked, neutral: float) -> None:
    first = kind().sample(MANY).inputs[0]
    marked = first[..., 1] == 1
    assert (first[marked][:, 0] == neutral).all()
    assert (first[~marked][:, 1] == -1).all()
    assert float(marked.double().mean()) == pytest.approx(0.1, abs=5 * 0.003)


@pytest.mark.parametrize("kind", BOTH)
def test_a_first_pair_not_shown_leaves_one_mark(kind: Marked) -> None:
    markers = kind(shown=False).sample(MANY).inputs[..., 1]
    marks = (markers == 1).sum(0)
    assert (markers[0] == -1).all()
    assert set(marks.unique().tolist()) == {1, 2}
    assert float((marks == 1).double().mean()) == pytest.approx(0.1, abs=5 * 0.003)


@pytest.mark.parametrize("kind", BOTH)
def test_without_the_special_case_two_later_pairs_are_marked(kind: Marked) -> None:
    markers = kind(first_pair=False).sample(MANY).inputs[..., 1]
    assert (markers[0] == -1).all()
    assert ((markers == 1).sum(0) == 2).all()


def test_the_marks_lie_where_the_paper_says() -> None:
    drawn = Adding().sample(MANY)
    marked = np.argwhere((drawn.inputs[..., 1] == 1).permute(1, 2, 0).numpy())[:, 2].reshape(-1, 2)
    earlier, later = marked.T
    assert earlier.min() == 0 and earlier.max() == 9
    # In a sequence of T = 100 the last of them is T/2 = 50 steps before the end.
    assert later.max() == 49


def test_lengths_are_drawn_from_t_to_a_tenth_more() -> None:
    found = Adding().sample(MANY).lengths
    assert found.unique().tolist() == list(range(100, 111))


def test_the_last_pair_carries_minus_one() -> None:
    drawn = Adding().sample(MANY)
    last = drawn.inputs.gather(0, (drawn.lengths - 1)[None, ..., None].expand(1, 20, 500, 2))[0]
    assert (last[..., 1] == -1).all()


def test_the_target_is_the_sum_scaled_to_one() -> None:
    inputs = torch.zeros(10, 2, dtype=torch.float64)
    inputs[2], inputs[4] = torch.tensor([0.5, 1.0]), torch.tensor([-1.0, 1.0])
    assert Adding(length=10).answer(inputs)[-1] == pytest.approx(0.5 - 0.125)
    assert Multiplication(length=10).answer(inputs)[-1] == pytest.approx(-0.5)


@pytest.mark.parametrize("kind", BOTH)
def test_a_length_without_room_for_two_marks_is_refused(kind: Marked) -> None:
    with pytest.raises(WrongUsage, match="at least 6"):
        kind(length=5)
