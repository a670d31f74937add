"""The verbs `train` and `sweep`: cells on tasks under learners, for many seeds."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice, product
from operator import index
from typing import Any

from ..cells._cell import Cell
from ..errors import WrongUsage
from ..learners._learner import Learner
from ..results import Runs, Store
from ..results.trial import MOST_TRIALS
from ..tasks._task import Task
from ._perform import Path, Watch, perform
from ._study import Study


def train(
    cell: Cell,
    task: Task,
    learner: Learner,
    *,
    seeds: int | Iterable[int] = 10,
    sequences: int,
    check: int = 100,
    store: Path | Store | None = None,
    group: int = 32,
    dtype: str = "float32",
    device: str = "cpu",
    engine: str = "auto",
    progress: bool = True,
    watch: Watch | None = None,
) -> Runs:
    """Train one cell on one task, one trial a seed, all of them side by side.

    Each trial ends when the task's published criterion is met, when its numbers are no longer
    finite, or when its budget is spent; then the published test set is asked. With a store, a trial
    that it holds is not run again, and each is published as soon as it is done: after a stop, the
    same call goes on.

    >>> import farback as fb
    >>> from farback import cells, learners, tasks
    >>> from farback.learners import gradients, updates
    >>> runs = fb.train(
    ...     cells.LSTM1997(blocks=3, size=2),
    ...     tasks.EmbeddedReber(),
    ...     learners.Descent(gradients.BPTT(), updates.SGD(lr=0.5)),
    ...     seeds=2, sequences=20, group=2, progress=False,
    ... )
    >>> [run.outcome for run in runs]
    ['unsolved', 'unsolved']

    Args:
        cell: the architecture.
        task: what it is to learn.
        learner: how.
        seeds: the seeds of the trials, or how many (from 0 on).
        sequences: the budget of a trial, in sequences presented.
        check: sequences between two looks at the criterion. It moves what is reported: a trial is
            solved at the first look that finds it so.
        store: a folder that keeps the results; made where there is none.
        group: trials that the reference engine runs side by side. A part of a trial's identity: its
            numbers come out the same, bit for bit, at the same size. A whole group is computed even
            where fewer seeds are asked for, which for small nets costs little.
        dtype: float32 or float64.
        device: where to run.
        engine: reference (torch, any device), native (compiled, one trial in each lane of the CPU:
            its numbers depend on no other trial, and `group` does not matter), or auto for native
            where it is faster and can be had. A part of a trial's identity.
        progress: whether to show on standard error how far it is.
        watch: called with the `Moment`, to look at the parameters: between two steps of learning
            on the reference engine, some times a second on the native one.

    Raises:
        WrongUsage: cell, task and learner do not fit, or an option is out of its range.
        InputRefused: one of them is not what it says, or fails.
        Stopped: Ctrl-C; what was finished is published, and on the exception as `finished`.
    """
    return sweep(
        cells=[cell],
        tasks=[task],
        learners=[learner],
        seeds=seeds,
        sequences=sequences,
        check=check,
        store=store,
        group=group,
        dtype=dtype,
        device=device,
        engine=engine,
        progress=progress,
        watch=watch,
    )


def sweep(
    *,
    cells: Iterable[Cell],
    tasks: Iterable[Task],
    learners: Iterable[Learner],
    seeds: int | Iterable[int] = 10,
    sequences: int,
    check: int = 100,
    store: Path | Store | None = None,
    group: int = 32,
    dtype: str = "float32",
    device: str = "cpu",
    engine: str = "auto",
    progress: bool = True,
    watch: Watch | None = None,
) -> Runs:
    """Every cell on every task under every learner; the other arguments are those of `train`.

    The order is seed-major: a stopped sweep is a smaller valid one.
    """
    trios = product(
        _several("cells", cells), _several("tasks", tasks), _several("learners", learners)
    )
    numbers = seeds_of(seeds)
    common = {"sequences": sequences, "check": check, "group": group}
    studies = [Study(*trio, **common, dtype=dtype, device=device, engine=engine) for trio in trios]
    asked = [(study, numbers) for study in studies]
    return perform(asked, store=store, progress=progress, watch=watch)


def _several(name: str, given: Any) -> list[Any]:
    several = [*given] if isinstance(given, Iterable) else []
    if not several:
        raise WrongUsage(f"{name} came as {given!r}, expected at least one; give a list.")
    return several


def seeds_of(seeds: int | Iterable[int]) -> list[int]:
    """The seeds that a caller means: so many from 0 on, or these."""
    try:
        given = seeds if isinstance(seeds, Iterable) else range(min(index(seeds), MOST_TRIALS + 1))
        numbers = list(map(index, islice(given, MOST_TRIALS + 1)))
    except TypeError:
        numbers = []
    if not numbers or min(numbers) < 0:
        raise WrongUsage(
            f"seeds came as {seeds!r}, expected how many, or whole numbers from 0 on; try seeds=10."
        )
    if len(numbers) > MOST_TRIALS:
        raise WrongUsage(
            f"seeds came as more than {MOST_TRIALS:,}, and a run has as many trials at most."
        )
    return list(dict.fromkeys(numbers))
