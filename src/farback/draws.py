"""Random numbers as a function: of the seed, the purpose, the sequence's number and the place.

Each word is Philox 4x32-10 of a counter under a key. The key comes from the seed and the purpose
("training", "test", ...), the counter from the number of the sequence, the number of the call and
the place in it. So a trial's numbers depend on its own seed alone, any stretch of sequences can be
drawn at any time without what came before, and thousands of trials are drawn in one call.

    >>> both, second = Draws([7, 8], "test", count=5), Draws([8], "test", first=3, count=2)
    >>> bool((both.uniform(4)[:, 1:, 3:] == second.uniform(4)).all())
    True

Reference: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, Parallel Random Numbers: As Easy as
1, 2, 3, 2011, section 3.3 and table 2.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import torch
from jaxtyping import Float, Float64, Int, Int64, UInt64
from scipy.special import ndtri
from torch import Tensor

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_ROUNDS = 10
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_GRID = 2.0**-53
_COARSE = 2.0**-24

Words = UInt64[np.ndarray, "..."]


class Draws:
    """The numbers of `count` sequences, from number `first` on, for one trial per seed.

    Every call returns fresh numbers, shaped [*shape, R, B]. Calls made in the same order give the
    same numbers.
    """

    def __init__(
        self, seeds: Sequence[int], purpose: str, *, first: int = 0, count: int = 1
    ) -> None:
        self.seeds, self.purpose = tuple(seeds), purpose
        self.keys = np.array([_key(seed, purpose) for seed in seeds], dtype=np.uint64)
        self._key = (self.keys & _LOW)[:, None], (self.keys >> _HALF)[:, None]
        self._number = np.arange(first, first + count, dtype=np.uint64)
        self._calls = 0
        self.shape = len(seeds), count

    @property
    def numbers(self) -> Int64[np.ndarray, " B"]:
        """The number of each sequence."""
        return self._number.astype(np.int64)

    def branch(self, name: str) -> Draws:
        """Numbers of their own for the same sequences, whatever was drawn here before."""
        first, count = int(self._number[0]), len(self._number)
        return Draws(self.seeds, f"{self.purpose}/{name}", first=first, count=count)

    @property
    def tensors(self) -> Source:
        """The same numbers as tensors, for a task's `draw`."""
        return _Tensors(self)

    def uniform(
        self, *shape: int, low: float = 0.0, high: float = 1.0
    ) -> Float64[np.ndarray, "*shape R B"]:
        """Uniform in [low, high), on a grid of 2^-53 of the width."""
        return low + (high - low) * self._unit(shape)

    def normal(self, *shape: int, std: float = 1.0) -> Float64[np.ndarray, "*shape R B"]:
        """Gaussian with mean 0, by the inverse of its distribution at 2^32 even steps.

        None is further than 6.3 standard deviations from 0.
        """
        words = np.stack(self._words(shape, 4), axis=1)
        return std * ndtri((self._cut(words, shape) + 0.5) * 2.0**-32)

    def integers(
        self, *shape: int, high: int | Int64[np.ndarray, "..."]
    ) -> Int64[np.ndarray, "*shape R B"]:
        """Uniform in 0, 1, ..., high - 1; `high` may differ from entry to entry.

        Where it does, they are chosen at 2^24 even steps, which a program in float32 has too.
        """
        unit = self._unit(shape)
        if not isinstance(high, int):
            unit = np.floor(unit / _COARSE) * _COARSE
        return np.floor(unit * high).astype(np.int64)

    def geometric(self, *shape: int, more: float) -> Int64[np.ndarray, "*shape R B"]:
        """How often something of probability `more` comes in a row; at most `longest(more)`."""
        return np.floor(np.log1p(-self._unit(shape)) / math.log(more)).astype(np.int64)

    def signs(self, *shape: int) -> Float64[np.ndarray, "*shape R B"]:
        """+1 or -1, evenly."""
        return np.where(self._unit(shape) < 0.5, -1.0, 1.0)

    def _unit(self, shape: tuple[int, ...]) -> Float64[np.ndarray, "*shape R B"]:
        return self._cut(_paired(self._words(shape, 2)), shape) * _GRID

    def _words(self, shape: tuple[int, ...], each: int) -> tuple[Words, Words, Words, Words]:
        """Words for the places of a call, of which those of one counter serve `each`."""
        counters = -(-int(np.prod(shape, dtype=np.int64)) // each)
        counter = (
            np.arange(counters, dtype=np.uint64)[:, None, None],
            np.asarray(self._calls, dtype=np.uint64),
            np.asarray(self._number & _LOW),
            np.asarray(self._number >> _HALF),
        )
        self._calls += 1
        return philox(counter, self._key)

    def _cut(self, words: Words, shape: tuple[int, ...]) -> Words:
        """What stands at the places: [counters, each, R, B] as [*shape, R, B]."""
        places = int(np.prod(shape, dtype=np.int64))
        return words.reshape(-1, *self.shape)[:places].reshape(*shape, *self.shape)


class Source(ABC):
    """Random tensors, shaped [*shape, R, B], or [*shape] for one sequence alone.

    What each method gives is said in `Draws`.
    """

    @abstractmethod
    def uniform(
        self, *shape: int, low: float = 0.0, high: float = 1.0
    ) -> Float[Tensor, "*shape *batch"]:
        """Uniform in [low, high)."""

    @abstractmethod
    def normal(self, *shape: int, std: float = 1.0) -> Float[Tensor, "*shape *batch"]:
        """Gaussian with mean 0."""

    @abstractmethod
    def integers(self, *shape: int, high: int | Int[Tensor, "..."]) -> Int[Tensor, "*shape *batch"]:
        """Uniform in 0, 1, ..., high - 1."""

    @abstractmethod
    def geometric(self, *shape: int, more: float) -> Int[Tensor, "*shape *batch"]:
        """How often something of probability `more` comes in a row; at most `longest(more)`."""

    @abstractmethod
    def signs(self, *shape: int) -> Float[Tensor, "*shape *batch"]:
        """+1 or -1, evenly."""

    @abstractmethod
    def branch(self, name: str) -> Source:
        """Numbers of their own for the same sequences, whatever was drawn here before."""

    @abstractmethod
    def own(self, name: str, number: int = 0) -> Source:
        """Numbers of each trial's own: the same for all sequences, whatever they are drawn for."""


class _Tensors(Source):
    """The numbers of some draws."""

    def __init__(self, draws: Draws) -> None:
        self._draws = draws

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        return torch.from_numpy(self._draws.uniform(*shape, low=low, high=high))

    def normal(self, *shape: int, std: float = 1.0) -> Tensor:
        return torch.from_numpy(self._draws.normal(*shape, std=std))

    def integers(self, *shape: int, high: int | Tensor) -> Tensor:
        highest = high if isinstance(high, int) else high.numpy()
        return torch.from_numpy(self._draws.integers(*shape, high=highest))

    def geometric(self, *shape: int, more: float) -> Tensor:
        return torch.from_numpy(self._draws.geometric(*shape, more=more))

    def signs(self, *shape: int) -> Tensor:
        return torch.from_numpy(self._draws.signs(*shape))

    def branch(self, name: str) -> Source:
        return _Tensors(self._draws.branch(name))

    def own(self, name: str, number: int = 0) -> Source:
        return _Tensors(Draws(self._draws.seeds, name, first=number))


def longest(more: float) -> int:
    """The most that `geometric` can give: where 1 - u is the smallest number of the grid."""
    return math.floor(math.log(_GRID) / math.log(more))


def philox(
    counter: tuple[Words, Words, Words, Words], key: tuple[Words, Words]
) -> tuple[Words, Words, Words, Words]:
    """Four words of 32 bits from a counter of four and a key of two, each held in 64 bits."""
    zero, one, two, three = np.broadcast_arrays(*counter, *key)[:4]
    low, high = key
    for _ in range(_ROUNDS):
        first, second = _MULTIPLIERS[0] * zero, _MULTIPLIERS[1] * two
        zero, one, two, three = (
            (second >> _HALF) ^ one ^ low,
            second & _LOW,
            (first >> _HALF) ^ three ^ high,
            first & _LOW,
        )
        low, high = (low + _WEYL[0]) & _LOW, (high + _WEYL[1]) & _LOW
    return zero, one, two, three


def words_to_units(
    places: Words, number: UInt64[np.ndarray, " R"], keys: UInt64[np.ndarray, " R"]
) -> Float64[np.ndarray, "units R"]:
    """What `uniform` gives at its first call for one sequence of each of some keys.

    Args:
        places: [counters, 1], of which each serves two numbers.
        number: the number of each key's sequence.
        keys: one a trial.
    """
    counter = places, np.zeros_like(places), np.asarray(number & _LOW), np.asarray(number >> _HALF)
    words = _paired(philox(counter, (keys & _LOW, keys >> _HALF)))
    return words.reshape(-1, len(keys)) * _GRID


def _paired(words: tuple[Words, Words, Words, Words]) -> Words:
    """Two words of 53 bits from each four of 32."""
    one, two, three, four = words
    return np.stack([one << _HALF | two, three << _HALF | four], axis=1) >> np.uint64(11)


def seed_of(seed: int, purpose: str) -> int:
    """A seed for a generator of another library, its own for each purpose."""
    return _key(seed, purpose) >> 1


def _key(seed: int, purpose: str) -> int:
    digest = blake2b(f"{purpose}:{seed}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")
