"""A native training that is stopped, killed or run twice at a time loses and doubles nothing."""

import multiprocessing
import os
import random
import signal
import time
from multiprocessing.context import ForkServerContext
from pathlib import Path

import native_trainer
import pytest

from farback.results import Run, Store

KILLS = 6

SOON = 3.0
"""Seconds; a fifth of one where nobody else keeps the cores busy."""

pytestmark = pytest.mark.slow


@pytest.fixture
def context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["farback.trials", "native_trainer"])
    return context


def numbers(run: Run) -> tuple[object, ...]:
    return run.trial, run.outcome, run.sequences, run.measures, run.curve


def test_kills_at_random_moments_lose_and_double_nothing(
    tmp_path: Path, context: ForkServerContext
) -> None:
    moments, straight = random.Random(0), [*map(numbers, native_trainer.train(None))]
    for _ in range(KILLS):
        hears, says = context.Pipe(duplex=False)
        training = context.Process(target=native_trainer.train, args=(tmp_path, says))
        training.start()
        assert hears.recv() == "ready"
        time.sleep(moments.uniform(0, 1.5))
        training.kill()
        training.join()
        assert training.exitcode in (0, -signal.SIGKILL)
        if (tmp_path / "store.json").exists():
            runs = Store(tmp_path).runs()
            assert runs.unread == ()
            assert [numbers(run) for run in runs] == [straight[run.trial.seed] for run in runs]
    assert [*map(numbers, native_trainer.train(tmp_path))] == straight


def test_two_processes_may_fill_one_store(tmp_path: Path, context: ForkServerContext) -> None:
    both = [context.Process(target=native_trainer.train, args=(tmp_path,)) for _ in range(2)]
    for training in both:
        training.start()
    for training in both:
        training.join()
        assert training.exitcode == 0
    straight = native_trainer.train(None)
    assert {*map(repr, map(numbers, Store(tmp_path).runs()))} == {
        *map(repr, map(numbers, straight))
    }


@pytest.mark.parametrize(("length", "check"), [(10, 10**8), (1000, 100)])
def test_an_interrupt_ends_a_training_soon(
    length: int, check: int, context: ForkServerContext
) -> None:
    hears, says = context.Pipe(duplex=False)
    training = context.Process(target=native_trainer.endless, args=(length, check, says))
    training.start()
    assert hears.recv() == "learns"
    time.sleep(1)
    assert training.pid is not None
    asked = time.monotonic()
    os.kill(training.pid, signal.SIGINT)
    assert hears.recv() - asked < SOON
    training.join()
    assert training.exitcode == 0
