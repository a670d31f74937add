"""The criterion put to a group of trials, and the published test to each one that is done.

Whole sets are asked of one trial at a time: what it answers then depends on no other, and a group
does not answer a thousand strings over because one of its trials may have learned them. A trial
comes that far when it answers the first few of a set, which are put to the whole group at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from ..problem import Problem, Trials
from ..tasks._criterion import Tally
from ..types import Params, Sequences
from ._exam import Last, examine
from ._feed import Feed


class Judge:
    """What decides whether the trials of a group are solved.

    Args:
        net: the problem.
        feed: the group's.
    """

    def __init__(self, net: Trials, feed: Feed) -> None:
        self._net, self._feed, self._criterion = net, feed, net.task.criterion

    def solved(
        self, params: Params, last: Last, open_to: Bool[np.ndarray, " R"]
    ) -> Bool[np.ndarray, " R"]:
        """The trials, of those in question, that meet the criterion."""
        may = open_to
        for name in self._criterion.on:
            if not may.any():
                break
            if name == "last":
                may = may & self._met(name, last.tally())
                continue
            first = examine(self._net, params, _first(self._set(self._feed, name)))
            may = may & (first.wrong <= self._criterion.wrong)
            for row in np.flatnonzero(may).tolist():
                whole = self._set(self._feed.of(row), name)
                tally = examine(self._net, alone(params, row), whole, allowed=self._criterion.wrong)
                may[row] = self._met(name, tally)[0]
        return may

    def measures(self, params: Params, row: int) -> dict[str, float]:
        """What one trial answers to the training set and to the whole published test set."""
        feed, found = self._feed.of(row), {}
        for name, parts in (("training", feed.training()), ("test", feed.test())):
            tally = examine(self._net, alone(params, row), parts)
            if tally.count:
                found[f"{name}_wrong"] = float(tally.wrong[0])
                found[f"{name}_count"] = float(tally.count)
                found[f"{name}_error"] = float(tally.error[0])
        return found

    def elsewhere(self, params: Params, row: int) -> dict[str, float]:
        """What one trial answers to the other tasks that its own names."""
        own, feed, found = alone(params, row), self._feed.of(row), {}
        for name, task in self._net.task.elsewhere:
            judge = Judge(Trials(Problem(self._net.cell, task)), feed.on(task))
            found |= named(name, judge.measures(own, 0))
        return found

    def _set(self, feed: Feed, name: str) -> Iterable[Sequences]:
        if name == "training":
            return feed.training()
        count = self._criterion.test
        return feed.test() if count is None else feed.stop(count)

    def _met(self, name: str, tally: Tally) -> Bool[np.ndarray, " R"]:
        return replace(self._criterion, on=(name,)).met({name: tally})


def named(task: str, measures: dict[str, float]) -> dict[str, float]:
    """The measures of a test under the name of its task."""
    tested = {key for key in measures if key.startswith("test_")}
    return {task + key.removeprefix("test"): measures[key] for key in sorted(tested)}


def alone(params: Params, row: int) -> Params:
    """The parameters of one trial, as a group of one."""
    return {name: value[row : row + 1].clone() for name, value in params.items()}


def _first(parts: Iterable[Sequences]) -> list[Sequences]:
    """The first part of a set, which a set without sequences does not have."""
    for part in parts:
        return [part]
    return []
