"""What judges trials is drawn in parts that memory can hold."""

import pytest
import torch

from farback import tasks
from farback.tasks._task import Task
from farback.trials._feed import Feed


@pytest.mark.parametrize("task", [tasks.EmbeddedReber(), tasks.Adding(), tasks.RandomLag()])
def test_a_set_is_judged_in_parts_of_a_fixed_size(task: Task) -> None:
    parts = Feed(task, (0, 1), torch.float32, "cpu").stop(600)
    assert [it.alive.shape[2] for it in parts] == [512, 88]


def test_a_trial_is_judged_by_what_it_would_be_judged_by_alone() -> None:
    task = tasks.EmbeddedReber()
    feed = Feed(task, (4, 5, 6), torch.float32, "cpu").of(1)
    alone = Feed(task, (5,), torch.float32, "cpu")
    for ours, theirs in zip(
        (*feed.training(), *feed.test()), (*alone.training(), *alone.test()), strict=True
    ):
        assert torch.equal(ours.inputs, theirs.inputs)


def test_the_test_set_holds_no_sequence_that_a_trial_was_stopped_by() -> None:
    task = tasks.TwoSequence()
    feed = Feed(task, (0,), torch.float32, "cpu")
    stop, test = (
        {row.numpy().tobytes() for part in parts for row in part.inputs[:100, 0, :, 0].T}
        for parts in (feed.stop(256), feed.test())
    )
    assert (len(stop), len(test)) == (256, 2560)
    assert not stop & test


def test_a_set_of_long_wide_sequences_is_judged_in_small_parts() -> None:
    feed = Feed(tasks.RandomLag(delay=1000), (0,), torch.float32, "cpu")
    assert 1 <= feed._part < 40


def test_a_batch_as_large_as_a_set_that_comes_in_turn_is_the_set() -> None:
    task = tasks.Tomita(grammar=1, original=True, longest=4)
    feed = Feed(task, (0, 1), torch.float32, "cpu")
    steps = feed.sequences(17)
    assert feed.set is not None
    for _ in range(3):
        assert torch.equal(next(steps).inputs[:9], feed.set.inputs.float())
