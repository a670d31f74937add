"""A library is loaded whole, never from where others can write, and dropped when it is old."""

import os
from pathlib import Path

import pytest
from cached import answer, libraries

from farback.engine.native import _folder
from farback.engine.native._cache import forget, warning
from farback.engine.native._unavailable import Unavailable

pytestmark = pytest.mark.usefixtures("folder")


def swap(file: Path, text: bytes) -> None:
    """Other bytes under a file's name; the file that a process has loaded stays as it is."""
    other = file.with_name("other")
    other.write_bytes(text)
    other.chmod(0o600)
    other.replace(file)


@pytest.mark.parametrize("harm", ["truncated", "flipped", "emptied", "lengthened"])
def test_a_damaged_library_is_compiled_again(folder, compiles, harm):
    answer()
    [library] = libraries(folder)
    whole = library.read_bytes()
    middle = len(whole) // 2
    harms = {
        "truncated": whole[:middle],
        "flipped": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "emptied": b"",
        "lengthened": whole + b"\0",
    }
    swap(library, harms[harm])
    forget()
    assert (answer(), warning()) == (42, None)
    assert len(compiles) == 2
    assert libraries(folder) == [library]
    assert library.read_bytes() == whole


def test_a_library_that_cannot_be_loaded_is_compiled_again(folder, compiles):
    answer()
    [library] = libraries(folder)
    swap(library, b"not a library")
    key, digest = library.name.split(".")[0], "29" * 32
    other = library.rename(folder / f"{key}.{digest}.so")
    digest = _folder._settle(other)
    other.rename(folder / f"{key}.{digest}.so")
    forget()
    assert (answer(), warning()) == (42, None)
    assert len(compiles) == 2


def test_a_source_that_cannot_be_loaded_is_told_by_its_reason():
    with pytest.raises(Unavailable, match=r"cannot be loaded: undefined symbol: nowhere; "):
        answer("int nowhere(void); int answer(void) { return nowhere(); }")


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_in_which_others_can_write_is_not_used(folder, compiles, tmp_path, mode):
    folder.mkdir()
    folder.chmod(mode)
    assert answer() == 42
    assert warning() == (
        f"compiled code is not kept ({folder} can be written to by others); set FARBACK_CACHE"
    )
    assert not any(folder.iterdir())
    assert compiles[0].parent == tmp_path / "passing"


def test_a_library_is_not_loaded_from_a_folder_that_was_opened_to_others(folder, compiles):
    answer()
    folder.chmod(0o777)
    forget()
    assert answer() == 42
    assert len(compiles) == 2


def test_a_library_in_which_others_can_write_is_compiled_again(folder, compiles):
    answer()
    libraries(folder)[0].chmod(0o666)
    forget()
    assert (answer(), warning()) == (42, None)
    assert len(compiles) == 2
    assert libraries(folder)[0].stat().st_mode & 0o777 == 0o600


def test_a_library_that_is_a_link_is_compiled_again(folder, compiles, tmp_path):
    answer()
    [library] = libraries(folder)
    library.rename(tmp_path / "elsewhere")
    library.symlink_to(tmp_path / "elsewhere")
    forget()
    assert (answer(), warning()) == (42, None)
    assert not library.is_symlink()


@pytest.mark.parametrize(("mode", "used"), [(0o700, True), (0o777, False)])
def test_a_link_is_as_good_as_its_folder(folder, tmp_path, mode, used):
    place = tmp_path / "place"
    place.mkdir()
    place.chmod(mode)
    folder.symlink_to(place)
    assert answer() == 42
    assert (warning() is None) == any(place.iterdir()) == used


def test_a_folder_of_another_user_is_not_used(folder, compiles, monkeypatch):
    answer()
    stands = folder.stat().st_ino
    fstat = os.fstat

    def another(handle: int) -> os.stat_result:
        status = fstat(handle)
        values = [*status]
        if status.st_ino == stands:
            values[4] += 1  # the owner
        return os.stat_result(values)

    monkeypatch.setattr(_folder.os, "fstat", another)
    forget()
    assert answer() == 42
    assert "belongs to another user" in (warning() or "")
    assert len(compiles) == 2


def test_what_was_used_least_recently_is_dropped(folder, monkeypatch):
    sources = [f"int answer(void) {{ return {n}; }}" for n in range(4)]
    for source in sources[:3]:
        answer(source)
    for age, file in enumerate(sorted(folder.iterdir(), key=lambda it: it.stat().st_mtime)):
        os.utime(file, (1000 + age, 1000 + age))
    forget()
    answer(sources[0])  # used now
    size = sum(it.stat().st_size for it in folder.iterdir())
    monkeypatch.setattr(_folder, "LIMIT", size)
    answer(sources[3])
    assert {it.read_text() for it in folder.glob("*.c")} == {sources[it] for it in (0, 2, 3)}
    assert len(libraries(folder)) == 3


def test_the_newest_library_stays_however_large(folder, monkeypatch):
    monkeypatch.setattr(_folder, "LIMIT", 0)
    for n in range(2):
        assert answer(f"int answer(void) {{ return {n}; }}") == n
    assert len(libraries(folder)) == 1


def test_what_is_not_ours_stays_in_the_folder(folder, monkeypatch):
    monkeypatch.setattr(_folder, "LIMIT", 0)
    folder.mkdir(mode=0o700)
    names = {"notes.c", "libz.so", "thesis"}
    for name in names:
        (folder / name).write_text("mine")
        os.utime(folder / name, (0, 0))
    answer()
    answer("int answer(void) { return 1; }")
    assert names <= {it.name for it in folder.iterdir()}
