"""What judges trials is drawn in parts that memory can hold."""

import pytest
import torch

from farback import tasks
from farback.tasks._task import Task
from farback.trials._feed import Feed


@pytest.mark.parametrize("task", [tasks.EmbeddedReber(), tasks.Adding(), tasks.RandomLag()])
def test_a_set_is_judged_in_parts_of_a_fixed_size(task: Task) -> None:
    parts = Feed(task, (0, 1), torch.float32, "cpu").test(count=600)
    assert next(parts).alive.shape[2] == 512


def test_a_set_of_long_wide_sequences_is_judged_in_small_parts() -> None:
    feed = Feed(tasks.RandomLag(delay=1000), (0,), torch.float32, "cpu")
    assert 1 <= feed._part < 40
