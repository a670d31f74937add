"""Every member refuses an argument of another kind when it is made, in one sentence."""

from dataclasses import fields
from typing import Any

import pytest

from farback._catalogue import member, names, rooms
from farback.errors import WrongUsage

MADE = sorted({*rooms()} - {"probes"})  # a probe is pointed at a model, whatever that is
MEMBERS = [(room, name) for room in MADE for name in names(room)]


class Strange:
    """Nothing that any class asks for."""

    def __repr__(self) -> str:
        return "Strange()"


@pytest.mark.parametrize(("room", "name"), MEMBERS)
def test_a_member_refuses_what_it_cannot_be_made_of(room: str, name: str) -> None:
    cls: Any = member(room, name)
    arguments = [it.name for it in fields(cls) if it.init]
    if not arguments:
        return
    with pytest.raises(WrongUsage, match=rf"came as Strange\(\) for {cls.__name__}, expected"):
        cls(**dict.fromkeys(arguments, Strange()))
