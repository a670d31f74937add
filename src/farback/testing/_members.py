"""Small instances of every cell and task, and pairs of them that cover both rooms."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import fields
from functools import cache
from typing import Any

from .._catalogue import member, names
from ..cells._cell import Cell
from ..cells.ind_rnn import IndRNN
from ..cells.irnn import IRNN
from ..cells.lstm1997 import LSTM1997
from ..cells.recurrent_cascade import RecurrentCascade
from ..cells.squashings.tanh import Tanh
from ..cells.transition_hierarchy import TransitionHierarchy
from ..errors import WrongUsage
from ..problem import Problem
from ..tasks._task import Task
from ._learned_start import LearnedStart

SMALL = {
    "hidden": 3,
    "units": 3,
    "length": 12,
    "n_seq": 12,
    "steps": 8,
    "longest": 8,
    "delay": 6,
    "symbols": 5,
}
"""The sizes that a small instance has where a member knows them by that name."""


def small(room: str, name: str) -> Any:
    """The smallest instance of a member that it does not refuse, trying thrice."""
    cls = member(room, name)
    known: dict[str, Any] = {it.name: it.default for it in fields(cls) if it.name in SMALL}
    for factor in (1, 2, 4):
        sizes = {name: factor * SMALL[name] for name in known}
        smaller = {
            name: size
            for name, size in sizes.items()
            if isinstance(known[name], int) and known[name] > size
        }
        with suppress(WrongUsage):
            return cls(**smaller)
    return cls()


def fit(cell: Cell, task: Task) -> bool:
    """Whether the cell can have the task's inputs and outputs."""
    try:
        Problem(cell, task).parameters(0)
    except WrongUsage:
        return False
    return True


CELLS = {name: small("cells", name) for name in names("cells")} | {
    # A rectifier has a derivative only off its bend, where a start without biases puts it.
    "ind_rnn": IndRNN(hidden=3, squashing=Tanh()),
    "irnn": IRNN(hidden=3, std=1.0, bias=0.1),
    "lstm1997_whole": LSTM1997(blocks=2, size=2, truncated=False, cell_bias=True),
    "lstm1997_inputs_only": LSTM1997(wiring="B", truncated=False),
    "recurrent_cascade": RecurrentCascade(hidden=3, tenured=2),
    "learned_start": LearnedStart(),
    # Without a unit there is nothing that sees the past.
    "transition_hierarchy": TransitionHierarchy(most=3, built=((0, 0),), width=1.0),
}
"""The members, and what a member's plain instance does not show: other wirings, hidden units that
are there, a learned start."""

TASKS = {name: small("tasks", name) for name in names("tasks")}
PAIRS = [(cell, task) for cell in CELLS for task in TASKS if fit(CELLS[cell], TASKS[task])]


_QUICK = 200_000
"""Derivatives of a state by the parameters that a test takes at every step without lingering."""


def covering() -> list[tuple[str, str]]:
    """Pairs with each cell on two tasks and each task on two cells, as far as they fit.

    A few are too large to be quick, as nets of many outputs on characters.
    """
    pairs = [pair for pair in PAIRS if influence(*pair) <= _QUICK]
    chosen: dict[tuple[str, str], None] = {}
    for place, room in enumerate((CELLS, TASKS)):
        for number, name in enumerate(room):
            mine = [pair for pair in pairs if pair[place] == name]
            # Not the first two for everybody, so that the pairs spread over both rooms.
            turned = mine[number % max(len(mine), 1) :] + mine
            chosen.update(dict.fromkeys(turned[:2]))
    return list(chosen)


@cache
def influence(cell: str, task: str) -> int:
    """Numbers of dstate/dparams."""
    problem = Problem(CELLS[cell], TASKS[task])
    params = problem.parameters(0)
    return sum(problem.cell.layout(params).values()) * sum(it.numel() for it in params.values())


def partners(pairs: Iterable[tuple[str, str]], name: str) -> set[str]:
    """What a cell or a task is paired with."""
    return {other for pair in pairs if name in pair for other in pair if other != name}
