"""One cell on one task under one learner, and the group-wise run of its trials."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from operator import index
from typing import SupportsIndex

import numpy as np
import torch

from ..cells._cell import Cell
from ..engine._machine import named, working
from ..engine.native import Unavailable
from ..errors import InputRefused, WrongUsage
from ..learners._learner import Learner
from ..problem import Problem
from ..results import Run, Trial
from ..tasks._task import Task
from ._choice import ENGINES, Choice, choose
from ._configuration import check_configuration, check_numbers
from ._environment import check_device, commit, device_name, versions
from ._fit import check_fit
from ._group import Finished, Moment, Plan, run
from ._identity import sources, written
from ._native_group import run_native

_TOGETHER = 4096
"""Trials that the native engine runs side by side at most."""

TYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True)
class Study:
    """What the trials of one row of a table have in common."""

    cell: Cell
    task: Task
    learner: Learner
    sequences: int
    check: int = 100
    group: int = 32
    dtype: str = "float32"
    device: str = "cpu"
    engine: str = "auto"

    def __post_init__(self) -> None:
        for part, kind in ((self.cell, Cell), (self.task, Task), (self.learner, Learner)):
            written(part)
            if not isinstance(part, kind):
                name = kind.__name__
                raise WrongUsage(
                    f"{part!r} came as the {name.lower()}, and is none; see farback list "
                    f"{name.lower()}s, or inherit from {kind.__module__}.{name}."
                )
            check_configuration(part)
        for name in ("sequences", "check", "group"):
            object.__setattr__(self, name, _whole(name, getattr(self, name)))
        if self.sequences < self.learner.presented:
            raise WrongUsage(
                f"sequences came as {self.sequences}, fewer than the {self.learner.presented} that "
                "the learner takes at a step; give more, or a smaller batch."
            )
        if self.dtype not in list(TYPES):
            known = " or ".join(TYPES)
            raise WrongUsage(f"dtype came as {self.dtype!r}, expected {known}.")
        for part in (self.cell, self.task, self.learner):
            check_numbers(part, TYPES[self.dtype])
        if self.engine not in ENGINES:
            raise WrongUsage(
                f"engine came as {self.engine!r}, expected {', '.join(ENGINES[:-1])} or "
                f"{ENGINES[-1]}; see farback list engines."
            )
        check_device(self.device)
        check_fit(Problem(self.cell, self.task))
        if not self.cell.free and not self.learner.keeps_probabilities:
            raise WrongUsage(
                f"{self.cell!r} came with {self.learner!r}, expected one that keeps tables of "
                "probabilities what they are; try ExpectationMaximization(), or bounds=None."
            )
        self.learner.fits(self.problem)

    @property
    def name(self) -> str:
        """The cell on the task, for people."""
        return f"{type(self.cell).__name__} on {type(self.task).__name__}"

    @cached_property
    def problem(self) -> Problem:
        """The cell on the task, with the dice that cell and learner want."""
        return Problem(self.cell, self.task, self.learner.dice(Problem(self.cell, self.task)))

    @cached_property
    def choice(self) -> Choice:
        """What runs it, and why.

        Raises:
            InputRefused: the native engine is asked for and cannot have it.
        """
        dtype, kind = TYPES[self.dtype], torch.device(self.device).type
        return choose(self.engine, self.problem, self.learner, dtype, kind, self.sequences)

    @cached_property
    def _sources(self) -> dict[str, str]:
        """As they were when the work began: a file that is edited meanwhile is not what runs."""
        return sources(self.cell, self.task, self.learner)

    @property
    def _compiler(self) -> dict[str, str]:
        return {"compiler": named(working())} if self.choice.native else {}

    def trial(self, seed: int) -> Trial:
        """The complete specification of one trial."""
        return Trial(
            cell=written(self.cell),
            task=written(self.task),
            learner=written(self.learner),
            seed=seed,
            sequences=self.sequences,
            check=self.check,
            engine=self.choice.name,
            group=1 if self.choice.native else self.group,
            dtype=self.dtype,
            sources=self._sources,
        )

    def groups(self, seeds: Iterable[int]) -> list[range | list[int]]:
        """Which seeds run together: as many as there are, or groups that are always the same."""
        wanted = sorted(seeds)
        if self.choice.native:
            return [wanted[at : at + _TOGETHER] for at in range(0, len(wanted), _TOGETHER)]
        firsts = dict.fromkeys(seed - seed % self.group for seed in wanted)
        return [range(first, first + self.group) for first in firsts]

    def run(
        self,
        group: range | list[int],
        seeds: set[int],
        *,
        watch: Callable[[Moment], None],
        publish: Callable[[Run], None],
    ) -> None:
        """Run the wanted seeds of a group."""
        plan = Plan(
            self.problem,
            self.learner,
            self.sequences,
            self.check,
            TYPES[self.dtype],
            self.device,
        )
        begun, started = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")

        def deliver(finished: Finished) -> None:
            publish(
                Run(
                    trial=self.trial(finished.seed),
                    outcome=finished.outcome,
                    sequences=finished.sequences,
                    forward=finished.forward,
                    backward=finished.backward,
                    measures=finished.measures,
                    curve=finished.curve,
                    seconds=time.monotonic() - begun,
                    versions=versions() | self._compiler,
                    device=device_name(self.device),
                    commit=commit(),
                    command=self.command(finished.seed),
                    started=started,
                )
            )

        if isinstance(group, range):
            wanted = np.array([it in seeds for it in group])
            run(plan, group, wanted, watch=watch, deliver=deliver)
            return
        assert self.choice.native is not None
        mine = [seed for seed in group if seed in seeds]
        try:
            run_native(plan, self.choice.native, mine, watch=watch, deliver=deliver)
        except Unavailable as reason:
            raise InputRefused(
                f"The native engine cannot run this: {reason}; try engine='reference'."
            ) from None

    def command(self, seed: int) -> str:
        """The call that runs this trial alone."""
        return (
            f"fb.train({written(self.cell)}, {written(self.task)}, {written(self.learner)}, "
            f"seeds=[{seed}], sequences={self.sequences}, check={self.check}, group={self.group}, "
            f"dtype={self.dtype!r}, device={self.device!r}, engine={self.choice.name.split()[0]!r})"
        )


def _whole(name: str, value: SupportsIndex) -> int:
    try:
        number = index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise WrongUsage(f"{name} came as {value!r}, expected a whole number from 1 on.")
    return number
