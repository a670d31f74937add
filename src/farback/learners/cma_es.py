"""Evolution of the parameters by covariance matrix adaptation, without any gradient.

    x_k           ~ N(m, sigma^2 C)                     k = 1 ... population            (1)
    m, sigma, C  <- adapted to the order of the mean errors E(x_k)                      (2)

A generation is a step: all its candidates answer the same sequences, the first `batch` of those
that the step presents, so that (2) compares candidates and not luck. Every answer of a candidate to
a sequence counts as a sequence presented, and that many are drawn; the net itself, m or the best of
the last generation, answers all of them before it is moved, and this is what is graded. A candidate
without a finite error is worse than any with one.

Equation (2) is the library's, with its own default constants; memory and time go with the square of
the number of parameters. Where it sees that a search has come to its end (CMA.should_stop), the net
stays as it is.

Reference: N. Hansen, The CMA Evolution Strategy: A Tutorial, 2016; the library, M. Nomura, M.
Shibata, cmaes.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..draws import seed_of
from ..errors import InputRefused, WrongUsage, expect
from ..problem import CHUNK, Problem, Trials, answer
from ..types import Params, Sequences
from ._learner import Count, Learned, Learner, Memory, Passes, expect_weights

_FARTHEST = 1e30
"""Candidates farther away have diverged; the library takes none beyond 1e32."""

_ROOM = 4096
"""Bytes by which a search may grow: numbers that are written longer later."""

_WORST = 1e300


@dataclass(frozen=True)
class CMAES(Learner):
    """A distribution of parameters that moves to where errors are small.

    Args:
        population: candidates of a generation, at least 4.
        sigma: the standard deviation of the first.
        batch: sequences that every candidate answers.
        best: whether the net is the best candidate of the last generation instead of the mean.
    """

    population: int = 16
    sigma: float = 0.5
    batch: int = 1
    best: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(4, population=self.population)
        expect(1, batch=self.batch)
        if not 0 < self.sigma < _FARTHEST:
            raise WrongUsage(
                f"sigma came as {self.sigma}, expected more than 0 and a number; try sigma=0.5."
            )

    @property
    def presented(self) -> int:
        return self.population * self.batch

    def passes(self, memory: Memory, presented: Count) -> Passes:
        """A candidate's answer, and the net's own."""
        return Passes(2 * presented, 0.0)

    def fits(self, problem: Problem) -> None:
        """Every task, and every cell all of whose parameters may be tried."""
        _library()
        expect_weights(problem, self)
        problem.parameters(0)

    def init(self, net: Trials, params: Params, seeds: Sequence[int]) -> Memory:
        """The search of each trial, as bytes, and its seed."""
        written = [_written(self._begun(it)) for it in _vectors(params)]
        room = max(map(len, written)) + _ROOM
        return {
            "search": torch.stack([_bytes(it, room) for it in written]),
            "seed": torch.tensor(list(seeds), dtype=torch.int64),
        }

    def step(self, net: Trials, params: Params, memory: Memory, sequences: Sequences) -> Learned:
        sequences = sequences.between(0, sequences.steps).padded(CHUNK)
        outputs = answer(net, params, sequences)
        loss = net.losses(outputs, sequences.targets, sequences.scored)

        _library()
        seeds = memory["seed"].tolist()
        searches = [pickle.loads(it.numpy().tobytes()) for it in memory["search"].cpu()]
        asked = [self._asked(it, seed) for it, seed in zip(searches, seeds, strict=True)]
        several = _parameters(np.concatenate(asked), params)
        shared = sequences.rows(0, self.batch).padded(CHUNK)
        theirs = shared.trials(np.repeat(np.arange(len(seeds)), self.population)).padded(CHUNK)
        answered = answer(net, several, theirs)
        found = net.losses(answered, theirs.targets, theirs.scored).double().mean(1)
        told = found.nan_to_num(_WORST, _WORST).cpu().numpy().reshape(len(seeds), -1)

        now, remembered = _vectors(params), []
        for row, search in enumerate(searches):
            before = memory["search"][row]
            if np.abs(asked[row]).max() > _FARTHEST:
                now[row] = np.nan
            elif not search.should_stop():
                search.tell(list(zip(asked[row], told[row], strict=True)))
                now[row] = asked[row][told[row].argmin()] if self.best else search.mean
                before = _bytes(_written(search), len(before)).to(before.device)
            remembered.append(before)
        moved = _parameters(now, params)
        return Learned(moved, memory | {"search": torch.stack(remembered)}, outputs, loss)

    def _begun(self, mean: np.ndarray) -> Any:
        search = _library().CMA(mean=mean, sigma=self.sigma, population_size=self.population)
        # The library leaves it as memory happened to be, and equal searches would not be equal.
        search._funhist_values.fill(0.0)
        return search

    def _asked(self, search: Any, seed: int) -> np.ndarray:
        """Equation (1), [population, P]: by the trial's seed and the number of the generation."""
        search.reseed_rng(seed_of(seed, f"generation {search.generation}") % 2**32)
        return np.stack([search.ask() for _ in range(self.population)])


def _library() -> Any:
    try:
        return import_module("cmaes")
    except ImportError:
        raise InputRefused(
            "CMAES needs cmaes, which is absent; try pip install 'farback[search]'."
        ) from None


def _written(search: Any) -> bytes:
    """The search without its random numbers, which are drawn anew in each generation."""
    return pickle.dumps(search, protocol=5)


def _bytes(written: bytes, room: int) -> Tensor:
    """Some bytes, and zeros behind them."""
    assert len(written) <= room
    return torch.from_numpy(np.frombuffer(written.ljust(room, b"\0"), np.uint8).copy())


def _vectors(params: Params) -> Float[np.ndarray, "R P"]:
    """All parameters of each trial in a row."""
    flat = [value.reshape(len(value), -1) for value in params.values()]
    return torch.cat(flat, 1).double().cpu().numpy().copy()


def _parameters(vectors: Float[np.ndarray, "R P"], like: Params) -> Params:
    """The parameters that stand in each row."""
    kind = next(iter(like.values()))
    shapes = [value.shape[1:] for value in like.values()]
    rows = torch.from_numpy(vectors).to(kind)
    parts: Sequence[Tensor] = rows.split([shape.numel() for shape in shapes], 1)
    return {
        name: part.reshape(len(vectors), *shape)
        for name, part, shape in zip(like, parts, shapes, strict=True)
    }
