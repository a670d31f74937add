"""Writers that are killed at any moment lose nothing, double nothing and leave no halves."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import publisher
import pytest

from farback.results import Store

TRIALS = 250
POINTS = ("half written", "before publishing", "after publishing")


class Folder:
    """A store under attack, and all that was ever seen published in it."""

    def __init__(self, path: Path) -> None:
        self.path, self.log = path / "store", path / "starts"
        path.mkdir()
        self.seen: dict[str, bytes] = {}
        self.starts = 0

    def start(self, *fatal: object) -> subprocess.Popen[str]:
        words = [publisher.__file__, self.path, self.log, TRIALS, *fatal]
        return subprocess.Popen(
            [sys.executable, *map(str, words)], stdout=subprocess.PIPE, text=True
        )

    def check(self) -> None:
        """Nothing that was published has changed, and all of it is whole and there once."""
        store = Store(self.path)
        runs = store.runs()
        assert runs.unread == ()
        assert {run.trial.id for run in runs} == {file.stem for file in store.files()}
        published = {file.stem: file.read_bytes() for file in store.files()}
        assert self.seen.items() <= published.items()
        starts = self.log.read_text().split() if self.log.exists() else []
        assert not self.seen.keys() & set(starts[self.starts :]), "a published trial was run again"
        self.seen, self.starts = published, len(starts)

    @property
    def files(self) -> int:
        """Files published: the store's marker, which comes first, and the runs."""
        store = Store(self.path)
        return store.exists + len(store.files())

    @property
    def finished(self) -> bool:
        return len(self.seen) == TRIALS

    def finish(self, kills: int) -> None:
        """The same command again does the rest, and each kill has cost one trial at most."""
        with self.start() as last:
            assert last.wait() == 0
        self.check()
        store = Store(self.path)
        plan = publisher.plan(TRIALS)
        assert store.missing(plan) == []
        assert len(store.runs()) == TRIALS
        assert all(store.get(it).measures == publisher.perform(it).measures for it in plan)
        assert TRIALS <= self.starts <= TRIALS + kills
        assert store.sweep(older=-1) <= kills
        assert list((self.path / "drafts").iterdir()) == []


@pytest.mark.slow
def test_forty_kills_at_random_moments_lose_and_double_nothing(tmp_path: Path) -> None:
    moments = random.Random(0)
    folder, kills, here = Folder(tmp_path / "0"), 0, 0
    while kills < 40:
        with folder.start() as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            time.sleep(moments.uniform(0, 0.06))
            writer.kill()
            killed = writer.wait() == -signal.SIGKILL
        kills, here = kills + killed, here + killed
        folder.check()
        if folder.finished:
            folder.finish(here)
            folder, here = Folder(tmp_path / str(kills)), 0
    folder.finish(here)


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_a_writer_that_dies_while_it_publishes_leaves_a_whole_run_or_none(
    point: str, tmp_path: Path
) -> None:
    folder = Folder(tmp_path / "it")
    for turn in range(1, 11):
        before = folder.files
        with folder.start(point, turn) as writer:
            assert writer.wait() == -signal.SIGKILL
        folder.check()
        whole = turn if point == "after publishing" else turn - 1
        assert folder.files == before + whole
    folder.finish(10)


def test_writers_of_the_same_trials_share_the_wins(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "it")
    writers = [folder.start() for _ in range(3)]
    won = []
    for writer in writers:
        said, _ = writer.communicate()
        won.append(int(said.split()[1]))
        assert writer.returncode == 0
    assert sum(won) == TRIALS
    owners = [run.command for run in Store(folder.path).runs()]
    assert [owners.count(f"publisher {it.pid}") for it in writers] == won
    assert list((folder.path / "drafts").iterdir()) == []
