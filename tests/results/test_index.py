"""The index answers in SQL for the runs that are there now, whatever became of its file."""

import contextlib
import math
import random
import sqlite3
from pathlib import Path

import pytest

from farback.results import Store


@pytest.fixture
def store(run, tmp_path: Path) -> Store:
    kept = Store(tmp_path / "a store?%20")
    for seed in range(20):
        kept.publish(
            run(seed=seed, sequences=100 * seed, measures={"test_error": seed / 7, "a b": 1.0})
        )
    return kept


def seeds(store: Store) -> list[int]:
    with contextlib.closing(store.index()) as index:
        return [it[0] for it in index.execute("SELECT seed FROM trial ORDER BY seed")]


def test_it_answers_what_the_runs_say(store):
    with contextlib.closing(store.index()) as index:
        query = (
            'SELECT seed, budget, sequences, test_error, "a b", sources FROM trial WHERE seed = 3'
        )
        assert index.execute(query).fetchall() == [(3, 1000, 300, 3 / 7, 1.0, "")]
        points = index.execute("SELECT sequences, value FROM point WHERE name = 'loss' LIMIT 2")
        assert points.fetchall() == [(100.0, 0.5), (200.0, None)]


def test_infinity_stays_and_nan_is_null(run, tmp_path):
    store = Store(tmp_path / "store")
    store.publish(run(measures={"up": math.inf, "none": math.nan}))
    with contextlib.closing(store.index()) as index:
        assert index.execute("SELECT up, none FROM trial").fetchall() == [(math.inf, None)]


def test_it_is_kept_between_two_questions(store):
    seeds(store)
    file = store.path / "index.sqlite"
    before = file.stat().st_mtime_ns
    assert seeds(store) == list(range(20))
    assert file.stat().st_mtime_ns == before
    assert list((store.path / "drafts").iterdir()) == []


def test_a_new_run_and_a_lost_one_are_seen(store, run):
    seeds(store)
    store.publish(run(seed=20))
    assert seeds(store) == list(range(21))
    store.files()[0].rename(store.path / "elsewhere")
    assert len(seeds(store)) == 20


def test_it_is_rebuilt_when_it_is_gone(store):
    seeds(store)
    (store.path / "index.sqlite").unlink()
    assert seeds(store) == list(range(20))
    assert (store.path / "index.sqlite").exists()


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "other", "holes"])
def test_it_is_rebuilt_when_it_is_damaged(store, damage):
    seeds(store)
    file = store.path / "index.sqlite"
    whole = file.read_bytes()
    if damage == "other":
        file.unlink()
        with contextlib.closing(sqlite3.connect(file)) as other:
            other.execute("CREATE TABLE built (stamp TEXT)")
    elif damage == "holes":
        holes = bytearray(whole)
        for page in random.Random(0).sample(range(2, len(whole) // 4096), 3):
            holes[page * 4096 : (page + 1) * 4096] = bytes(4096)
        file.write_bytes(holes)
    else:
        file.write_bytes(
            {"empty": b"", "text": b"damaged", "cut": whole[: len(whole) // 2]}[damage]
        )
    assert seeds(store) == list(range(20))
    assert file.stat().st_size > len(whole) // 2


def test_it_can_only_be_read(store):
    for _ in range(2):  # built just now, and found
        with contextlib.closing(store.index()) as index:
            with pytest.raises(sqlite3.OperationalError, match="readonly"):
                index.execute("DELETE FROM trial")


def test_a_reader_is_not_disturbed_by_a_new_one(store, run):
    with contextlib.closing(store.index()) as early:
        store.publish(run(seed=20))
        assert len(seeds(store)) == 21
        assert early.execute("SELECT COUNT(*) FROM trial").fetchone() == (20,)


def test_pandas_reads_it(store):
    pandas = pytest.importorskip("pandas")
    with contextlib.closing(store.index()) as index:
        frame = pandas.read_sql(
            "SELECT cell, AVG(sequences) AS mean FROM trial GROUP BY cell", index
        )
    assert frame["mean"].tolist() == [950.0]


def test_a_store_that_is_not_there_yet_has_empty_tables(tmp_path):
    with contextlib.closing(Store(tmp_path / "none").index()) as index:
        assert index.execute("SELECT COUNT(*) FROM trial").fetchone() == (0,)
    assert not (tmp_path / "none").exists()
