"""Objects read as they are written: every member, a user's own, and all that is wrong."""

import inspect
import math
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from farback import _catalogue
from farback._brief import brief, members
from farback._written import part, read, sources
from farback.errors import FarbackError, InputRefused, WrongUsage

ROOMS = [*_catalogue.within("cells"), "tasks", *_catalogue.within("learners")]
MEMBERS = [(room, name) for room in ROOMS for name in _catalogue.names(room)]

MINE = '''
"""A user's file."""
from dataclasses import dataclass
from farback.cells._cell import Cell
from farback.cells.elman import Elman

@dataclass(frozen=True)
class MyCell(Elman):
    extra: float = 1.0

@dataclass(frozen=True)
class Stubborn(Elman):
    def __post_init__(self):
        raise ValueError("not today")

class Half(Cell):
    pass

ready = MyCell(hidden=3)

def build(hidden):
    return MyCell(hidden=hidden)
'''


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    file = tmp_path / "my_cell.py"
    file.write_text(MINE)
    return file


def example(room: str, name: str) -> Any:
    """A member as it stands, its required parts from the first members of their rooms."""
    cls = _catalogue.member(room, name)
    hints = get_type_hints(cls)
    required = (it for it in inspect.signature(cls).parameters.values() if it.default is it.empty)
    return cls(**{it.name: _filled(hints[it.name]) for it in required})


def _filled(hint: Any) -> Any:
    if get_args(hint):  # a tuple of some kind
        return (_filled(get_args(hint)[0]),)
    room = next(it for it in ROOMS if issubclass(hint, _catalogue.kind(it)))
    names = reversed(_catalogue.names(room))
    return example(room, next(it for it in names if issubclass(_catalogue.member(room, it), hint)))


def changed(member: Any) -> Any:
    """The member with every number and switch moved that its class lets move."""
    for field in fields(member):
        value = getattr(member, field.name)
        if not isinstance(value, int | float):
            continue
        moved = not value if isinstance(value, bool) else value * 3 + type(value)(1)
        try:
            member = replace(member, **{field.name: moved})
        except FarbackError:
            continue
    return member


@pytest.mark.parametrize(("room", "name"), MEMBERS, ids=map("/".join, MEMBERS))
@pytest.mark.parametrize("vary", [False, True], ids=["default", "changed"])
def test_the_repr_of_every_member_reads_back_as_an_equal_object(room, name, vary):
    member = example(room, name)
    member = changed(member) if vary else member
    again = read(repr(member), rooms=ROOMS)
    assert again == member and repr(again) == repr(member)


@pytest.mark.parametrize(("room", "name"), MEMBERS, ids=map("/".join, MEMBERS))
@pytest.mark.parametrize("vary", [False, True], ids=["default", "changed"])
def test_a_member_in_brief_is_the_same_object(room, name, vary):
    member = example(room, name)
    member = changed(member) if vary else member
    assert read(brief(repr(member)), rooms=ROOMS) == member
    assert vary or len(brief(repr(member))) <= len(repr(member))


@pytest.mark.parametrize("text", ["MyCell(hidden=3, extra=1.0)", "not Python (", "", "\0"])
def test_what_farback_does_not_know_stays_whole_in_brief(text):
    assert brief(text) == text


def test_the_classes_of_a_repr_are_named_once_each():
    text = repr(part("Descent(BPTT, Chain((Clip(1.0), Clip(2.0), SGD(0.5))))", "learners"))
    assert members(text) == ["Descent", "BPTT", "Chain", "Clip", "SGD"]


def test_the_names_of_classes_and_of_files_mean_the_same():
    assert part("LSTM1997(blocks=3)", "cells") == part("lstm1997(3)", "cells")


def test_a_bare_name_is_a_call_without_arguments():
    assert part("Descent(BPTT, SGD(0.5))", "learners") == part(
        "Descent(BPTT(), SGD(lr=0.5))", "learners"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-1e-3", -1e-3),
        ("5_000", 5000),
        ("'F'", "F"),
        ("None", None),
        ("True", True),
        ("(-1.0, -2.0)", (-1.0, -2.0)),
        ("[1, [2]]", [1, [2]]),
        ("()", ()),
        ("-inf", -math.inf),
        ("'a:b(c'", "a:b(c"),
    ],
)
def test_a_constant_is_itself(text, value):
    assert read(text, rooms=["cells"]) == value


@pytest.mark.parametrize("call", ["MyCell(hidden=3)", "ready", "build(3)", "MyCell(3, extra=1.0)"])
def test_a_users_class_object_and_function_are_taken_from_their_file(mine, call):
    made = part(f"{mine}:{call}", "cells")
    assert (type(made).__name__, made.hidden) == ("MyCell", 3)


def test_a_users_class_takes_members_as_arguments(mine):
    made = part(f"{mine}:MyCell(squashing=Identity)", "cells")
    assert repr(made.squashing) == "Identity()"


def test_sources_are_told_without_importing_them():
    text = "Descent(a.py:Gradient(), pkg.b:Update(name='c.py:No'))"
    assert sources(text) == ["a.py", "pkg.b"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("LSTM1998()", "There is no cell 'LSTM1998'; try LSTM1997"),
        ("LSTM1997(block=3)", "no argument 'block' of LSTM1997 (it takes blocks=2, size=1"),
        ("LSTM1997(blocks='3')", "blocks came as '3' for LSTM1997, expected int; try blocks=2."),
        ("LSTM1997(blocks=True)", "blocks came as True for LSTM1997, expected int"),
        ("LSTM1997(h=3)", "h came as 3 for LSTM1997, expected Squashing"),
        ("LSTM1997(input_bias=(1.0, 'x'))", "expected tuple[float, ...] | None"),
        ("LSTM1997(blocks=0)", "blocks came as 0, expected at least 1"),
        ("LSTM1997(blocks=1, blocks=2)", "gives an argument twice"),
        ("LSTM1997(**{})", "unpacks one"),
        ("EmbeddedReber", "EmbeddedReber is a task, expected a cell"),
        ("Identity()", "'Identity()' is an Identity, expected a cell; try farback list cells."),
        ("3", "'3' is an int, expected a cell"),
        ("LSTM1997(", "cannot be read ('(' was never closed)"),
        ("", "cannot be read"),
        ("os.system('true')", "os.system('true') is no call"),
        ("LSTM1997(lambda: 0)", "lambda: 0 is no call"),
        ("LSTM1997(blocks=-LSTM)", "is no number"),
        ("__import__('os')", "There is no cell '__import__'"),
        ("(" * 1000, "cannot be read"),
        ("LSTM1997(x=\0)", "cannot be read"),
    ],
)
def test_what_is_wrong_is_told_with_what_would_do(text, said):
    with pytest.raises(WrongUsage) as refused:
        part(text, "cells")
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_a_missing_argument_is_told_with_what_the_class_takes():
    with pytest.raises(WrongUsage, match=r"'update'\); it takes gradient, update, batch=1"):
        part("Descent(BPTT)", "learners")


def test_an_error_of_the_users_code_is_one_sentence_with_its_line(mine):
    with pytest.raises(InputRefused) as refused:
        part(f"{mine}:Stubborn", "cells")
    line = MINE.splitlines().index('        raise ValueError("not today")') + 1
    assert f"failed at {mine}:{line} while farback was calling" in str(refused.value)
    assert str(refused.value).endswith("ValueError: not today.")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("MyCel", "There is no name 'MyCel' in"),
        ("ready(3)", "is an object already"),
        ("Half", "is not finished: it lacks layout, parameters, read, start, step; write them"),
        ("build", r"cannot be made \(missing a required argument: 'hidden'\); it takes hidden"),
        ("MyCell(hiden=3)", "no argument 'hiden' of"),
        ("dataclass", "is a function, expected a cell"),
    ],
)
def test_a_wrong_use_of_the_users_code_is_told(mine, call, said):
    with pytest.raises(WrongUsage, match=said):
        part(f"{mine}:{call}", "cells")
