"""A store keeps each run once and whole, and says what is wrong with what it cannot read."""

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from farback.errors import InputRefused
from farback.results import Store
from farback.results.run import encode


@pytest.fixture
def store(run, tmp_path: Path) -> Store:
    """A store with three runs."""
    kept = Store(tmp_path / "store")
    for seed in range(3):
        assert kept.publish(run(seed=seed))
    return kept


def place(store: Store, trial) -> Path:
    return store.path / trial.id[:2] / f"{trial.id}.json"


def contents(store: Store) -> dict[Path, bytes]:
    return {it: it.read_bytes() for it in store.path.rglob("*") if it.is_file()}


def test_what_is_published_is_got_and_the_rest_is_missing(store, run, trial):
    planned = [trial(seed=seed) for seed in (4, 0, 3, 1)]
    assert encode(store.get(planned[1])) == encode(run(seed=0))
    assert store.get(planned[0]) is None
    assert [it.seed for it in store.missing(planned)] == [4, 3]


def test_a_trial_is_published_once(store, run):
    assert not store.publish(run(seed=1, seconds=99.0))
    assert store.get(run(seed=1).trial).seconds == 1.5
    assert len(store.runs()) == 3


def test_runs_come_in_the_order_of_numbers(tmp_path, run):
    store = Store(tmp_path / "store")
    for length, seed in ((1000, 0), (50, 10), (50, 9), (100, 0)):
        store.publish(run(task=f"Adding(length={length})", seed=seed))
    order = [(it.trial.task[14:-1], it.trial.seed) for it in store.runs()]
    assert order == [("50", 9), ("50", 10), ("100", 0), ("1000", 0)]


def test_edited_source_is_a_new_trial(store, run):
    old, new = (run(cell="MyCell()", sources={"MyCell": digit * 64}) for digit in "01")
    assert store.publish(old)
    assert store.get(new.trial) is None
    assert store.publish(new)


def test_a_copy_of_one_store_into_another_is_their_union(store, run, tmp_path):
    other = Store(tmp_path / "other")
    for seed in (2, 3):
        other.publish(run(seed=seed))
    shutil.copytree(other.path, store.path, dirs_exist_ok=True)
    runs = store.runs()
    assert ([it.trial.seed for it in runs], runs.unread) == ([0, 1, 2, 3], ())


def test_looking_at_a_store_changes_nothing(store, trial):
    place(store, trial(seed=0)).write_text("damaged")
    (store.path / "drafts" / "left").write_text("half")
    before = contents(store)
    Store(store.path).runs()
    store.missing([trial(seed=0), trial(seed=7)])
    assert contents(store) == before


@pytest.mark.parametrize("keep", [0, 100, -2])
def test_a_cut_file_is_told_and_recomputed_and_kept_aside(store, run, keep):
    file = place(store, run(seed=1).trial)
    cut = file.read_bytes()[:keep]
    file.write_bytes(cut)
    runs = store.runs()
    assert [it.trial.seed for it in runs] == [0, 2]
    assert len(runs.unread) == 1
    assert runs.unread[0].startswith(f"{file} is damaged (")
    assert f"1 file could not be read: {file} is damaged" in repr(runs)
    assert [it.seed for it in store.missing(run(seed=it).trial for it in range(3))] == [1]
    assert store.publish(run(seed=1))
    assert len(store.runs()) == 3 and store.runs().unread == ()
    (aside,) = file.parent.glob(f"{file.stem}.*.damaged")
    assert aside.read_bytes() == cut


def test_a_damaged_file_that_another_writer_has_mended_meanwhile_stays(store, run, monkeypatch):
    one = run(seed=1)
    file, whole = place(store, one.trial), encode(one)
    file.write_text("damaged")
    rename = Path.rename

    def mended_first(self: Path, target: Path) -> Path:
        file.write_bytes(whole)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", mended_first)
    assert not store.publish(run(seed=1, seconds=99.0))
    assert file.read_bytes() == whole
    assert not list(file.parent.glob("*.damaged"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("notes.json", "is no run of farback; move it out"),
        ("00/notes.json", "is no run of farback; move it out"),
        ("00/misnamed.json", "is foreign: its trial's place is "),
        ("folder.json", r"cannot be read \(Is a directory\)"),
    ],
)
def test_a_foreign_file_is_told_and_left_and_the_runs_are_read(store, run, name, said):
    file = store.path / name
    file.parent.mkdir(exist_ok=True)
    if "folder" in name:
        file.mkdir()
    else:
        file.write_bytes(encode(run(seed=0)) if "misnamed" in name else b'{"my": "notes"}')
    runs = store.runs()
    assert len(runs) == 3
    assert len(runs.unread) == 1
    assert runs.unread[0].startswith(str(file))
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(runs.unread[0])
    assert store.publish(run(seed=9))
    assert file.exists()


def test_a_foreign_file_under_a_trials_name_is_kept_aside(store, run):
    one, other = run(seed=1), run(seed=8)
    file = place(store, one.trial)
    file.write_bytes(encode(other))
    assert store.get(one.trial) is None
    assert store.publish(one)
    (aside,) = file.parent.glob("*.damaged")
    assert aside.read_bytes() == encode(other)


def test_other_files_beside_the_runs_are_left_alone(store):
    for name in ("report.html", ".hidden.json", "00.txt"):
        (store.path / name).write_text("mine")
    assert (len(store.runs()), store.runs().unread) == (3, ())


def test_a_run_of_another_schema_is_told_and_never_moved(store, run):
    one = run(seed=1)
    file = place(store, one.trial)
    file.write_text(json.dumps(json.loads(encode(one)) | {"schema": 2}))
    before = file.read_bytes()
    assert "has schema 2, and this farback reads schema 1" in store.runs().unread[0]
    for doing in (lambda: store.get(one.trial), lambda: store.publish(one)):
        with pytest.raises(InputRefused, match="has schema 2, and this farback reads schema 1"):
            doing()
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ('{"format":"farback.store","schema":2}', "has schema 2, and this farback reads schema 1"),
        ('{"format":"other"}', "is not the marker of a farback store"),
        ("", "is not the marker of a farback store"),
        ("[1]", "is not the marker of a farback store"),
        ("\udcff", "is not the marker of a farback store"),
    ],
)
def test_a_store_of_another_schema_or_with_a_broken_marker_is_refused(store, run, marker, said):
    (store.path / "store.json").write_text(marker, errors="surrogateescape")
    before = contents(store)
    with pytest.raises(InputRefused, match=said):
        Store(store.path)
    with pytest.raises(InputRefused, match=said):
        store.publish(run(seed=9))
    assert contents(store) == before


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(InputRefused, match=r"is not a farback store: it holds thesis.tex and no"):
        Store(tmp_path)


def test_a_file_is_no_store(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputRefused, match=r"cannot be read as a store \(Not a directory\)"):
        Store(tmp_path / "file")


def test_a_new_folder_is_made_by_the_first_run_only(run, tmp_path):
    store = Store(tmp_path / "a" / "b")
    assert len(store.runs()) == 0 and store.missing([run().trial]) == [run().trial]
    assert not store.exists and not (tmp_path / "a").exists()
    store.publish(run())
    assert store.exists and Store(tmp_path / "a" / "b").exists


def test_old_drafts_are_swept_and_new_ones_stay(store):
    old, new = store.path / "drafts" / "old", store.path / "drafts" / "new"
    for draft in (old, new):
        draft.write_text("half")
    os.utime(old, (0, 0))
    assert store.sweep() == 1
    assert not old.exists() and new.exists()


def test_without_hard_links_a_run_is_published_once_all_the_same(run, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    store = Store(tmp_path / "store")
    assert store.publish(run())
    assert not store.publish(run(seconds=99.0))
    assert store.get(run().trial).seconds == 1.5
    assert list((store.path / "drafts").iterdir()) == []


def test_a_full_disk_is_refused_with_a_sentence_and_leaves_no_draft(store, run, monkeypatch):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = contents(store)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputRefused, match=r"cannot be written to \(No space left on device\)"):
        store.publish(run(seed=9))
    assert contents(store) == before


def test_a_run_that_could_not_be_read_back_is_not_published(store, run):
    with pytest.raises(Exception, match="Expected `int`, got `float`"):
        store.publish(run(budget=1000.0))
    assert len(store.runs()) == 3


@pytest.fixture
def locked(run) -> Iterator[Store]:
    """A store that this process may read but not write to, even where it began as root."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        store.publish(run())
        inside = [Path(folder), *(it for it in Path(folder).rglob("*") if it.is_dir())]
        for it in inside:
            it.chmod(0o555)
        root = os.geteuid() == 0
        if root:
            os.seteuid(65534)
        yield store
        if root:
            os.seteuid(0)
        for it in inside:
            it.chmod(0o755)


def test_a_read_only_store_is_read_and_refuses_to_be_written(locked, run):
    assert len(Store(locked.path).runs()) == 1
    assert len(locked.index().execute("SELECT * FROM trial").fetchall()) == 1
    assert not (locked.path / "index.sqlite").exists()
    assert not locked.publish(run())
    for write in (locked.prepare, lambda: locked.publish(run(seed=1))):
        with pytest.raises(InputRefused, match=r"cannot be written to \(Permission denied\)"):
            write()
    with pytest.raises(InputRefused, match=r"cannot be written to \(Permission denied\)"):
        Store(locked.path.parent / "new").prepare()


def test_a_file_without_permission_is_told(locked):
    (file,) = locked.files()
    user = os.geteuid()
    if os.getuid() == 0:
        os.seteuid(0)
    file.chmod(0)
    os.seteuid(user)
    runs = locked.runs()
    assert (len(runs), runs.unread) == (0, (f"{file} cannot be read (Permission denied).",))
