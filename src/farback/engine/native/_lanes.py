"""Trials in lanes: packing them, running a program over them on some threads, unpacking them."""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch.utils import _pytree as pytree

from ._cache import build
from ._calls import CExam, CTraining, Verdicts, addresses, calls
from ._memory import Laid, Streamed
from ._program import Program

_ALIGNED = 128


class Compiled:
    """A program for so many lanes.

    Args:
        program: the source.
        dtype: float32 or float64.
        lanes: trials side by side in one block.

    Raises:
        Unavailable: it cannot be built here.
    """

    def __init__(self, program: Program, dtype: torch.dtype, lanes: int) -> None:
        self.program, self.lanes = program, lanes
        self.kind = np.dtype(np.float64 if dtype == torch.float64 else np.float32)
        double = int(dtype == torch.float64)
        self._library = build(program.source, defines={"LANES": lanes, "DOUBLE": double})
        self._library.scratch.restype = ctypes.c_long
        self._library.examine.restype = ctypes.c_long

    def packed(self, leaves: Sequence[np.ndarray], rows: Sequence[int]) -> np.ndarray:
        """[R, ...] each as blocks [blocks, numbers, lanes]; lanes to spare repeat the last row."""
        blocks = -(-len(rows) // self.lanes)
        filled = [*rows, *[rows[-1]] * (blocks * self.lanes - len(rows))]
        flat = [np.asarray(it)[filled].reshape(len(filled), -1) for it in leaves]
        numbers = np.concatenate(flat, 1) if flat else np.zeros((len(filled), 0))
        parted = numbers.reshape(blocks, self.lanes, -1).transpose(0, 2, 1)
        result = aligned(parted.shape, self.kind)
        result[:] = parted
        return result

    def unpacked(
        self, blocks: np.ndarray, leaves: Sequence[np.ndarray], rows: np.ndarray
    ) -> list[np.ndarray]:
        """The arrays with what stands in the lanes in their `rows`; the others as they were."""
        numbers = _by_trial(blocks)[: len(rows)]
        found, first = [], 0
        for leaf in leaves:
            end = first + int(np.prod(leaf.shape[1:]))
            changed = leaf.copy()
            changed[rows] = numbers[:, first:end].reshape(-1, *leaf.shape[1:])
            found.append(changed)
            first = end
        return found

    def lanes_of(self, rows: np.ndarray) -> np.ndarray:
        """[blocks, lanes], each trial's row; lanes to spare repeat the last."""
        blocks = -(-len(rows) // self.lanes)
        filled = np.full(blocks * self.lanes, rows[-1], dtype=np.int32)
        filled[: len(rows)] = rows
        return filled.reshape(blocks, self.lanes)

    def train(
        self,
        params: np.ndarray,
        memory: np.ndarray,
        rows: np.ndarray,
        data: Laid | Streamed,
        *,
        first: int,
        count: int,
        batch: int,
        keys: np.ndarray | None = None,
        threads: int = 1,
    ) -> Verdicts:
        """`count` steps of learning of every block, from sequence `first` of `data` on.

        Args:
            params: [blocks, P, lanes], changed in place.
            memory: [blocks, M, lanes], changed in place.
            rows: [blocks, lanes], each trial's row in `data`.
            data: the sequences.
            first: the number of the first.
            count: steps.
            batch: sequences of each.
            keys: by row of `data`; what chooses from it, where it is a set to choose from.
            threads: how many to use.
        """
        blocks = len(params)
        verdicts = Verdicts.of(blocks * self.lanes, count * batch, self.kind)
        chosen = None if keys is None else keys.ctypes.data
        one = CTraining(keys=chosen, first=first, count=count, data=data.c())
        works = calls(one, params=params, memory=memory, rows=rows, verdicts=verdicts)
        places = addresses(works)

        def some(first: int, scratch: int) -> None:
            work, together = ctypes.c_void_p(places[first]), min(wide, blocks - first)
            self._library.train(work, together, ctypes.c_void_p(scratch))

        # All threads have work before any does two blocks together.
        wide = max(1, min(self.program.wide, blocks // max(1, threads)))
        self._each(some, range(0, blocks, wide), data.steps, threads)
        return verdicts

    def examine(
        self,
        params: np.ndarray,
        rows: np.ndarray,
        data: Laid | Streamed,
        *,
        first: int,
        count: int,
        allowed: int = 1 << 40,
        losses: bool = False,
        threads: int = 1,
    ) -> tuple[Verdicts, np.ndarray]:
        """Answers to a set without learning, and how many each block was asked.

        Args:
            params: [blocks, P, lanes].
            rows: [blocks, lanes], each trial's row in `data`.
            data: the set.
            first: the number of the first sequence that is asked.
            count: how many are.
            allowed: a block is asked no further than until all of it has more wrong answers.
            losses: whether the errors of learning are wanted too; else they are 0.
            threads: how many to use.
        """
        blocks = len(params)
        asked = np.zeros(blocks, np.int64)
        verdicts = Verdicts.of(blocks * self.lanes, count, self.kind)
        one = CExam(first=first, count=count, allowed=allowed, losses=losses, data=data.c())
        works = calls(one, params=params, rows=rows, verdicts=verdicts)
        places = addresses(works)

        def some(block: int, scratch: int) -> None:
            work = ctypes.c_void_p(places[block])
            found = self._library.examine(work, ctypes.c_void_p(scratch))
            asked[block] = found
            verdicts.end(slice(block * self.lanes, (block + 1) * self.lanes), found)

        self._each(some, range(blocks), data.steps, threads)
        return verdicts, asked

    def shown(
        self, data: Streamed, rows: np.ndarray, *, first: int, count: int
    ) -> dict[str, np.ndarray]:
        """What the program draws for one block of lanes, [T, lanes, count, ...] each.

        Args:
            data: the sequences.
            rows: [1, lanes], each trial's row in `data`.
            first: the number of the first that is asked for.
            count: how many are.
        """
        inputs, outputs = self.program.inputs, self.program.outputs
        widths = inputs, outputs, outputs, 1, 1
        found = np.zeros((count, data.steps, sum(widths), self.lanes), self.kind)
        scratch = aligned(
            (self._library.scratch(ctypes.c_long(data.steps)) * self.lanes,), self.kind
        )
        sequences = data.c()
        self._library.show(
            ctypes.byref(sequences),
            ctypes.c_void_p(rows.ctypes.data),
            ctypes.c_long(first),
            ctypes.c_long(count),
            ctypes.c_void_p(found.ctypes.data),
            ctypes.c_void_p(scratch.ctypes.data),
        )
        parts = np.split(found.transpose(1, 3, 0, 2), np.cumsum(widths)[:-1], axis=-1)
        return dict(zip(("inputs", "targets", "answers", "scored", "alive"), parts, strict=True))

    def _each(
        self, one: Callable[[int, int], None], blocks: range, steps: int, threads: int
    ) -> None:
        room = self._library.scratch(ctypes.c_long(steps)) * self.lanes
        workers = max(1, min(threads, len(blocks)))
        scratch = aligned((workers, -(-room // _ALIGNED) * _ALIGNED), self.kind)

        places, todo = addresses(scratch), deque(blocks)

        def some(worker: int) -> None:
            while True:
                try:
                    block = todo.popleft()
                except IndexError:
                    return
                one(block, places[worker])

        if workers == 1:
            some(0)
            return
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(some, range(workers)))


def aligned(shape: tuple[int, ...], kind: np.dtype) -> np.ndarray:
    """An empty array whose first number lies where the widest vector may."""
    size = int(np.prod(shape)) * kind.itemsize
    raw = np.empty(size + _ALIGNED, np.uint8)
    begin = -raw.ctypes.data % _ALIGNED
    return raw[begin : begin + size].view(kind).reshape(shape)


def _by_trial(values: np.ndarray) -> np.ndarray:
    blocks, count, lanes = values.shape
    return np.moveaxis(values, 2, 1).reshape(blocks * lanes, count)


def leaves_of(tree: Any) -> list[np.ndarray]:
    """The arrays of a tree of tensors."""
    return [it.detach().numpy() for it in pytree.tree_leaves(tree)]
