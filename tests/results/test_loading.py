"""`fb.load` opens what lies there: the file of a profile, the folder of a store."""

import pytest

import farback as fb
from farback.errors import InputRefused
from farback.results import Runs, Store


def test_a_folder_opens_as_its_runs(run, tmp_path):
    store = Store(tmp_path / "store")
    store.publish(run())
    loaded = fb.load(tmp_path / "store")
    assert isinstance(loaded, Runs)
    assert loaded == store.runs()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "none",
            r"none cannot be read \(no such file or folder\); name a profile .* or the folder",
        ),
        ("empty", r"empty cannot be read \(empty folder\)"),
        ("other", "other is not a farback store: it holds file and no store.json"),
        ("other/file", "is not a farback profile"),
    ],
)
def test_what_is_neither_is_refused(name, said, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("")
    with pytest.raises(InputRefused, match=said):
        fb.load(tmp_path / name)
