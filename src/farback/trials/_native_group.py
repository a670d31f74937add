"""Trials on the native engine, each until it is solved, diverged, or at the end of its budget.

A trial's numbers depend on no other, so that any trials may run side by side, and those that are
done make room: what is left is packed into fewer lanes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool
from torch.utils import _pytree as pytree

from ..engine._machine import threads
from ..engine.native._lanes import Compiled, Verdicts, leaves_of
from ..engine.native._memory import Laid, Streamed
from ..engine.reference import running
from ..learners._learner import Memory
from ..problem import Trials
from ..results.run import Outcome
from ._compiled import Native
from ._curve import Curve
from ._exam import Last
from ._feed import Feed
from ._group import POINTS, Finished, Moment, Plan, counted, passed
from ._judge import named
from ._native_judge import NativeJudge

_PATIENCE = 0.2
"""Seconds of a call into the program, about: Ctrl-C waits for its end."""


@dataclass(frozen=True)
class Block:
    """Sequences that are ready, for trials whose rows they know."""

    data: Laid | Streamed
    rows: dict[int, int]
    """Each trial's row in `data`."""

    first: int
    """The number of the sequence that stands first, 0 where they are chosen from a set."""

    until: int
    """The number behind the last."""

    keys: np.ndarray | None
    """What chooses from a set; None where sequences come in their order, a set again and again."""

    def rows_of(self, trials: np.ndarray) -> np.ndarray:
        """Where these trials stand; one that is done by now may take anybody's."""
        return np.array([self.rows.get(it, 0) for it in trials.tolist()])


def run_native(
    plan: Plan,
    native: Native,
    seeds: Sequence[int],
    *,
    watch: Callable[[Moment], None],
    deliver: Callable[[Finished], None],
) -> None:
    """Run trials.

    Args:
        plan: the problem, the learner, the budget.
        native: the program.
        seeds: the trials.
        watch: called some times a second; what it raises ends the trials.
        deliver: called with each trial as soon as it is done.
    """
    with running():
        net = Trials(plan.problem)
        drawn = net.parameters(seeds, plan.dtype)
        group = _Group(plan, native, seeds, list(drawn), [it.shape[1:] for it in drawn.values()])
        group.begin(leaves_of(drawn), plan.learner.init(net, drawn, seeds))

        def pause() -> None:
            with torch.inference_mode(False):
                watch(group.moment())

        group.pause = pause
        with closing(group):
            while group.open_to.any():
                pause()
                if group.advance():
                    for finished in group.ended():
                        deliver(finished)


class _Group:
    """Trials, where they stand, and what was seen of them."""

    def __init__(
        self,
        plan: Plan,
        native: Native,
        seeds: Sequence[int],
        names: list[str],
        shapes: list[torch.Size],
    ) -> None:
        self._plan, self._batch, self._seeds = plan, native.batch, tuple(seeds)
        self._names, self._shapes = names, shapes
        self._compiled: Compiled = native.compiled(len(seeds))
        task, self._elsewhere = plan.problem.task, native.elsewhere
        self._feed = Feed(task, seeds, plan.dtype, "cpu", together=_TOGETHER, numbers=_NUMBERS)
        self._judge = NativeJudge(
            self._compiled, task, self._feed, len(seeds), plan.dtype, pause=lambda: self.pause()
        )
        self._last = Last(len(seeds), max(task.criterion.last, 1))
        self._curve = Curve(len(seeds), max(plan.check, plan.sequences // POINTS))
        self.pause: Callable[[], None] = lambda: None
        self.open_to = np.ones(len(seeds), dtype=bool)
        self._presented, self._steps = 0, 1
        self._stream = self._compiled.program.stream
        self._block: Block | None = None
        self._drawing = ThreadPoolExecutor(1)
        self._coming: Future[Block] | None = None

    def close(self) -> None:
        """Draw no further."""
        self._drawing.shutdown(wait=False, cancel_futures=True)

    def begin(self, params: list[np.ndarray], memory: Memory) -> None:
        """Put the trials at their start."""
        self._leaves, self._memory = params, leaves_of(memory)
        self._form = pytree.tree_structure(memory)
        self._pack(np.arange(len(self._seeds)))

    def advance(self) -> bool:
        """Learn for a moment; whether it is time to look at the criterion."""
        plan, batch = self._plan, self._batch
        block = self._ready()
        look = -(-(plan.check - self._presented % plan.check) // batch)
        left = (plan.sequences - self._presented) // batch
        stored = (block.until - self._presented) // batch
        count = min(look, left, stored, self._steps)
        began = time.monotonic()
        verdicts = self._compiled.train(
            self._params,
            self._remembered,
            self._compiled.lanes_of(block.rows_of(self._rows)),
            block.data,
            first=self._presented - block.first,
            count=count,
            batch=batch,
            keys=block.keys,
            threads=threads(),
        )
        spent = (time.monotonic() - began) / count
        self._steps = max(1, min(2 * count, int(_PATIENCE / max(spent, 1e-9))))
        self._note(verdicts)
        self._presented += count * batch
        ended = self._presented + batch > plan.sequences
        return ended or count == look

    def ended(self) -> Iterator[Finished]:
        """Look at the criterion; the trials that are done."""
        plan, presented = self._plan, self._presented
        over = presented + self._batch > plan.sequences
        self._curve.mark(presented, ended=over)
        self._unpack()
        diverged = self.open_to & ~self._finite()
        solved = self._judge.solved(self._leaves, self._last, self.open_to & ~diverged)
        unsolved = self.open_to & ~diverged & ~solved & over
        ends: dict[Outcome, Bool[np.ndarray, " R"]] = {
            "diverged": diverged,
            "solved": solved,
            "unsolved": unsolved,
        }
        memory = pytree.tree_unflatten(map(torch.from_numpy, self._memory), self._form)
        for outcome, rows in ends.items():
            found = self._judge.measures(self._leaves, np.flatnonzero(rows))
            if outcome == "solved":
                found = self._with_elsewhere(found, np.flatnonzero(rows))
            for row, measures in zip(np.flatnonzero(rows).tolist(), found, strict=True):
                if plan.problem.task.criterion.last:
                    measures |= self._last.measures(row)
                measures |= counted(plan.learner, memory, row)
                passes = passed(plan.learner, memory, row, presented)
                points = self._curve.of(row, presented)
                yield Finished(self._seeds[row], outcome, presented, *passes, measures, points)
        done = diverged | solved | unsolved
        self.open_to &= ~done
        lanes = self._compiled.lanes
        if done.any() and -(-self.open_to.sum() // lanes) < len(self._params):
            self._pack(np.flatnonzero(self.open_to))

    def _with_elsewhere(
        self, found: list[dict[str, float]], rows: np.ndarray
    ) -> list[dict[str, float]]:
        """The measures of some trials, with those of the other tasks that theirs names."""
        for name, native in self._elsewhere if found else ():
            judge = NativeJudge(
                native.compiled(len(rows)),
                native.task,
                self._feed.on(native.task),
                len(self._seeds),
                self._plan.dtype,
                pause=lambda: self.pause(),
            )
            other = judge.measures(self._leaves, rows)
            found = [own | named(name, it) for own, it in zip(found, other, strict=True)]
        return found

    def moment(self) -> Moment:
        """What may be looked at now."""
        return Moment(self._presented, self._seeds, self._now(), self.open_to.copy())

    def _now(self) -> dict[str, torch.Tensor]:
        self._unpack()
        return {
            name: torch.from_numpy(leaf.reshape(-1, *shape).copy())
            for name, leaf, shape in zip(self._names, self._leaves, self._shapes, strict=True)
        }

    def _pack(self, rows: np.ndarray) -> None:
        self._rows = rows
        if len(rows):
            self._params = self._compiled.packed(self._leaves, rows.tolist())
            self._remembered = self._compiled.packed(self._memory, rows.tolist())

    def _unpack(self) -> None:
        self._leaves = self._compiled.unpacked(self._params, self._leaves, self._rows)
        self._memory = self._compiled.unpacked(self._remembered, self._memory, self._rows)

    def _note(self, verdicts: Verdicts) -> None:
        trials, count = len(self._seeds), verdicts.loss.shape[1]
        loss, error = np.zeros((trials, count)), np.zeros((trials, count))
        right = np.zeros((trials, count), dtype=bool)
        here = slice(0, len(self._rows))
        loss[self._rows] = verdicts.loss[here]
        error[self._rows] = verdicts.error[here]
        right[self._rows] = verdicts.right[here]
        self._last.add(right, error)
        self._curve.add(loss, right)

    def _finite(self) -> Bool[np.ndarray, " R"]:
        finite = [np.isfinite(it).reshape(len(it), -1).all(1) for it in self._leaves]
        return np.logical_and.reduce(finite)

    def _ready(self) -> Block:
        """A block with the next sequences of every trial that is open."""
        if self._feed.set is not None or self._stream is not None:
            self._block = self._block or self._fixed()
        elif self._block is None or self._presented + self._batch > self._block.until:
            block = self._coming.result() if self._coming else self._fresh(self._presented)
            self._block = block
            # The next is drawn while this one is learned from.
            self._coming = None
            if block.until + self._batch <= self._plan.sequences:
                self._coming = self._drawing.submit(self._fresh, block.until)
        return self._block

    def _fixed(self) -> Block:
        """All sequences that there will be."""
        rows = {it: it for it in range(len(self._seeds))}
        if self._feed.set is not None:
            data, keys = self._judge.laid(self._feed.set), self._feed.order_keys
            return Block(data, rows, 0, self._plan.sequences, keys)
        assert self._stream is not None
        data = self._stream.of(self._seeds, "training")
        return Block(data, rows, 0, self._plan.sequences, None)

    def _fresh(self, at: int) -> Block:
        several = max(1, self._feed.block // self._batch) * self._batch
        rows = np.flatnonzero(self.open_to).tolist()
        drawn = self._feed.only(rows).fresh(at, several)
        data = self._judge.laid(drawn)
        places = {row: place for place, row in enumerate(rows)}
        return Block(data, places, at, at + several, None)


_NUMBERS = 4_000_000
"""Numbers of a set that are drawn at one time, for Ctrl-C waits for that."""

_TOGETHER = 1_000_000
"""Sequences of a set that are drawn at one time."""
