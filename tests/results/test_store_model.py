"""Whatever is done to a store in whatever order, it holds what a plain dictionary would hold."""

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

import publisher
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from farback.results import Store
from farback.results.run import encode

PLAN = publisher.plan(6)
SEEDS = st.integers(0, len(PLAN) - 1)


class StoreAsDictionary(RuleBasedStateMachine):
    """Publishing, damage, mending, loss of the index, foreign files, drafts left, merging."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store(self.folder / "store")
        self.whole: dict[str, bytes] = {}
        self.damaged: set[str] = set()
        self.foreign = self.aside = 0

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def place(self, seed: int) -> Path:
        id = PLAN[seed].id
        return self.store.path / id[:2] / f"{id}.json"

    @rule(seed=SEEDS, other=st.booleans())
    def publish(self, seed: int, other: bool) -> None:
        store = Store(self.store.path) if other else self.store
        run = publisher.perform(PLAN[seed])
        id = PLAN[seed].id
        assert store.publish(run) == (id not in self.whole)
        self.whole.setdefault(id, encode(run))
        self.aside += id in self.damaged
        self.damaged.discard(id)

    @rule(seed=SEEDS, keep=st.floats(0, 0.99))
    def damage(self, seed: int, keep: float) -> None:
        id = PLAN[seed].id
        if text := self.whole.pop(id, None):
            self.place(seed).write_bytes(text[: int(keep * len(text))])
            self.damaged.add(id)

    @rule(name=st.sampled_from(["", "00"]))
    def leave_a_foreign_file(self, name: str) -> None:
        if self.store.exists:
            folder = self.store.path / name
            folder.mkdir(exist_ok=True)
            self.foreign += 1
            (folder / f"mine{self.foreign}.json").write_text("{}")

    @rule()
    def leave_a_draft(self) -> None:
        if self.store.exists:
            (self.store.path / "drafts" / "left").write_text("half")

    @rule()
    def sweep(self) -> None:
        self.store.sweep(older=-1)
        assert not list((self.store.path / "drafts").glob("*"))

    @rule(whole=st.booleans())
    def lose_the_index(self, whole: bool) -> None:
        with contextlib.suppress(FileNotFoundError):
            index = self.store.path / "index.sqlite"
            index.unlink() if whole else index.write_bytes(index.read_bytes()[:1000])

    @rule(seed=SEEDS)
    def merge_another(self, seed: int) -> None:
        if PLAN[seed].id in self.damaged:
            return
        other = Store(self.folder / "other")
        other.publish(publisher.perform(PLAN[seed]))
        shutil.copytree(other.path, self.store.path, dirs_exist_ok=True)
        shutil.rmtree(other.path)
        self.whole[PLAN[seed].id] = encode(publisher.perform(PLAN[seed]))

    @rule()
    def ask_the_index(self) -> None:
        with contextlib.closing(self.store.index()) as index:
            found = {it[0] for it in index.execute("SELECT id FROM trial")}
        assert found == self.whole.keys()

    @invariant()
    def it_holds_what_the_dictionary_holds(self) -> None:
        runs = self.store.runs()
        assert {it.trial.id: encode(it) for it in runs} == self.whole
        assert len(runs.unread) == len(self.damaged) + self.foreign
        missing: list[Any] = self.store.missing(PLAN)
        assert [it.id for it in missing] == [it.id for it in PLAN if it.id not in self.whole]
        assert len(list(self.store.path.rglob("*.damaged"))) == self.aside


StoreAsDictionary.TestCase.settings = settings(
    max_examples=30, stateful_step_count=20, deadline=None, derandomize=True
)
TestStoreAsDictionary = pytest.mark.slow(StoreAsDictionary.TestCase)
