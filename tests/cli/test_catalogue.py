"""The catalogue, and the two verbs that read it without importing anything."""

import json
import re
import sys
from pathlib import Path

import pytest

import farback
from farback import _catalogue
from farback.errors import WrongUsage

KIND = """
from abc import ABC, abstractmethod

class Kind(ABC):
    @abstractmethod
    def go(self): ...
"""
MEMBER = '"""A member."""\nfrom ._kind import Kind\n'


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A house with one empty room."""
    room = tmp_path / "kinds"
    room.mkdir()
    (room / "__init__.py").touch()
    (room / "_kind.py").write_text(KIND)
    monkeypatch.setattr(_catalogue, "_HOUSE", tmp_path)
    monkeypatch.setattr(farback, "__path__", [str(tmp_path)])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield room
    for name in [name for name in sys.modules if name.startswith("farback.kinds")]:
        del sys.modules[name]


def test_a_room_and_its_members_are_read_from_the_folder(zoo):
    (zoo / "one.py").write_text(MEMBER + "raise RuntimeError('imported')\n")
    (zoo / "_machinery.py").touch()
    assert list(_catalogue.rooms()) == ["kinds"]
    assert _catalogue.names("kinds") == ["one"]
    assert _catalogue.summary("kinds", "one") == "A member."


def test_a_member_is_the_one_public_concrete_class_of_its_kind(zoo):
    (zoo / "one.py").write_text(
        MEMBER + "class Abstract(Kind): ...\nclass _Own(Kind):\n    def go(self): ...\n"
        "class Record: ...\nclass One(Kind):\n    def go(self): ...\n"
    )
    assert _catalogue.member("kinds", "one").__name__ == "One"


@pytest.mark.parametrize(
    ("text", "came"),
    [("", "none"), ("class A(Kind):\n    def go(self): ...\nclass B(A): ...\n", "A, B")],
)
def test_a_file_with_none_or_two_is_refused(zoo, text, came):
    (zoo / "one.py").write_text(MEMBER + text)
    with pytest.raises(WrongUsage, match=f"defines {came}, and a member defines exactly one"):
        _catalogue.member("kinds", "one")


def test_every_member_of_the_analyses_is_named_after_its_file():
    for name in _catalogue.names("analyses"):
        assert _catalogue.member("analyses", name).__name__.lower() == name.replace("_", "")


@pytest.mark.parametrize("name", _catalogue.names("analyses"))
def test_every_analysis_says_how_to_read_it_and_where_it_comes_from(name):
    text = _catalogue.docstring("analyses", name)
    assert "How to read it" in text and "Reference:" in text


def test_list_shows_each_member_with_its_first_line(farback):
    ended = farback("list", "analyses")
    assert ended.code == 0
    assert _catalogue.summary("analyses", "truncation") in ended.out
    assert "probes" not in ended.out


def test_list_as_json_holds_every_room(farback):
    listing = json.loads(farback("list", "--json").out)
    assert set(listing) == set(_catalogue.rooms())
    assert set(listing["analyses"]) == set(_catalogue.names("analyses"))


def test_a_wrong_room_lists_the_near_ones(farback):
    ended = farback("list", "analises")
    assert (ended.code, ended.err) == (2, "farback: There is no room 'analises'; try analyses.\n")


def test_explain_prints_the_docstring_as_it_stands(farback):
    ended = farback("explain", "underflow")
    assert ended.out == f"underflow (analyses)\n{_catalogue.docstring('analyses', 'underflow')}\n"


def test_explain_as_json(farback):
    page = json.loads(farback("explain", "underflow", "--json").out)
    assert (page["name"], page["room"]) == ("underflow", "analyses")
    assert page["text"].startswith(page["summary"])


def test_explain_of_a_wrong_name_lists_the_near_ones(farback):
    ended = farback("explain", "underflw")
    assert (ended.code, ended.err) == (
        2,
        "farback: There is no member 'underflw'; try underflow.\n",
    )


@pytest.mark.parametrize("room", ["cells", "tasks", "learners", "gradients", "experiments"])
def test_list_names_files_and_classes(farback, room):
    out = farback("list", room).out
    for name in _catalogue.names(room):
        assert re.search(rf"^  {name} +{_catalogue.class_name(room, name)} ", out, re.MULTILINE)


def test_list_shows_the_rooms_within_a_room(farback):
    out = farback("list", "learners").out
    assert "\ngradients\n" in out and "\nupdates\n" in out and "\ncells\n" not in out


@pytest.mark.parametrize("name", ["LSTM1997", "lstm1997"])
def test_explain_takes_the_name_of_a_class_and_of_a_file(farback, name):
    assert farback("explain", name).out.startswith("lstm1997 (cells)\nThe LSTM of")


def test_a_task_and_the_experiment_on_it_may_share_a_name(farback):
    out = farback("explain", "bengio1994_latch").out
    assert out.startswith("bengio1994_latch (tasks)\n")
    assert out.endswith("\nOf the same name: farback explain experiments.bengio1994_latch\n")
    page = json.loads(farback("explain", "experiments.Bengio1994Latch", "--json").out)
    assert page["room"] == "experiments" and "also" not in page


def test_explain_of_an_experiment_shows_its_choices_and_its_claims(farback):
    out = farback("explain", "hochreiter1997_temporal_order").out
    assert "truncated=True  cut the gradient as appendix A.1 does" in out
    assert "sequences 31,390, give or take 7,721 (table 9, 6a)" in out
