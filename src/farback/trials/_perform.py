"""Running what is missing: planned minus published, seed-major, a group at a time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from ..engine.native._cache import warning
from ..errors import Stopped, WrongUsage
from ..results import Run, Runs, Store
from ._group import Moment
from ._progress import Progressing
from ._stop import stoppable
from ._study import Study

Path = str | os.PathLike[str]
Watch = Callable[[Moment], None]


def perform(
    asked: Sequence[tuple[Study, Sequence[int]]],
    *,
    store: Path | Store | None = None,
    progress: bool = True,
    watch: Watch | None = None,
) -> Runs:
    """The runs of every study with its seeds, in that order; those that the store holds are read.

    Raises:
        WrongUsage: `watch` cannot be called, or `store` is no path.
        Stopped: somebody asked to stop; what was finished is published, and on the exception.
    """
    if watch is not None and not callable(watch):
        raise WrongUsage(
            f"watch came as {watch!r}, expected a function of the Moment; try "
            "watch=lambda moment: print(moment.sequences)."
        )
    kept = store if isinstance(store, Store | None) else Store(store)
    if kept is not None:
        kept.prepare()  # a folder that cannot be written to is told before hours of work
    trials = (study.trial(seed) for study, seeds in asked for seed in seeds)
    planned = {trial.id: trial for trial in trials}
    found: dict[str, Run] = {}
    if kept is not None:
        known = {name: kept.get(trial) for name, trial in planned.items()}
        found.update({name: run for name, run in known.items() if run is not None})
    shown = Progressing(len(planned), shown=progress and len(found) < len(planned))

    def publish(run: Run) -> None:
        if kept is not None:
            kept.publish(run)
        found[run.trial.id] = run
        shown.done(run.outcome)

    with stoppable() as told, shown:
        for run in found.values():
            shown.done(run.outcome)

        def look(moment: Moment) -> None:
            if told():
                done = Runs(tuple(found[name] for name in planned if name in found))
                raise Stopped(_farewell(len(done), len(planned), kept), done)
            shown.at(moment.sequences)
            if watch is not None:
                watch(moment)

        for study, group in _schedule(asked):
            due = {it for it in group if study.trial(it).id in planned}
            missing = {it for it in due if study.trial(it).id not in found}
            if missing:
                shown.begin(study.name, study.sequences, study.choice.sentence)
                if study.choice.native:
                    shown.say(warning())
                study.run(group, missing, watch=look, publish=publish)
    return Runs(tuple(found[name] for name in planned))


def _schedule(
    asked: Sequence[tuple[Study, Sequence[int]]],
) -> Iterator[tuple[Study, range | list[int]]]:
    """Groups to run, seed-major: those with the lowest seeds of every study come first."""
    due = [
        (group[0], place, group)
        for place, (study, seeds) in enumerate(asked)
        for group in study.groups(seeds)
    ]
    for _, place, group in sorted(due, key=lambda it: it[:2]):
        yield asked[place][0], group


def _farewell(done: int, planned: int, kept: Store | None) -> str:
    if kept is None:
        return f"stopped with {done} of {planned} trials done; name a store to keep them."
    return (
        f"stopped; {done} of {planned} trials are published in {kept.path}, "
        "and the same call goes on."
    )
