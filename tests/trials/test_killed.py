"""A training that is killed at any moment has lost nothing, and goes on as if it had not been."""

import multiprocessing
import random
import signal
import time
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
import trainer

from farback.results import Run, Store

KILLS = 20


@pytest.fixture
def context() -> ForkServerContext:
    """Processes that start at once, since the one that they fork from has imported torch."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["farback.trials", "trainer"])
    return context


def numbers(run: Run) -> tuple[object, ...]:
    return run.trial, run.outcome, run.sequences, run.measures, run.curve


@pytest.mark.slow
def test_twenty_kills_at_random_moments_lose_and_double_nothing(
    tmp_path: Path, context: ForkServerContext
) -> None:
    moments, straight = random.Random(0), [numbers(run) for run in trainer.train(None)]
    kills, folder, seen = 0, tmp_path / "0", dict[str, bytes]()
    while kills < KILLS:
        hears, says = context.Pipe(duplex=False)
        training = context.Process(target=trainer.train, args=(folder, says))
        training.start()
        assert hears.recv() == "ready"
        time.sleep(moments.uniform(0, 0.8))
        training.kill()
        training.join()
        kills += training.exitcode == -signal.SIGKILL
        assert training.exitcode in (0, -signal.SIGKILL)
        if not (folder / "store.json").exists():
            continue  # killed before the first of all files
        store = Store(folder)
        runs = store.runs()
        assert runs.unread == ()
        assert [numbers(run) for run in runs] == [straight[run.trial.seed] for run in runs]
        published = {file.name: file.read_bytes() for file in store.files()}
        assert len(published) == len(runs)
        assert seen.items() <= published.items()
        seen = published
        if len(seen) == trainer.TRIALS:
            folder, seen = tmp_path / str(kills), {}
    assert [numbers(run) for run in trainer.train(folder)] == straight
