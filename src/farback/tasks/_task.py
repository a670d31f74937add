"""The interface of a task: what is asked, after how long, and when it counts as solved.

A task is a rule from inputs to answers, a way to draw inputs, and the published criterion of
success. Sequences are drawn for R trials and B sequences at once, time first: [T, R, B, I]. All of
the randomness comes from `Draws`, so that a trial's stream depends on its own seed alone. A task
says how by `draw`, with torch, which the native engine compiles; or by `sample`, in any way.

A sequence's error is the sum over its scored steps of `loss`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from .._part import Part
from ..drawn import Drawn
from ..draws import Draws, Source
from ..types import Sequences
from ._criterion import Criterion


class Lag(NamedTuple):
    """Steps from the first input that decides the answer to the answer, over all sequences."""

    minimal: int
    maximal: int | None
    """None where no bound exists."""


class Baseline(NamedTuple):
    """The best that an answer can score which looks at no input."""

    answer: tuple[float, ...]
    """One constant output."""

    right: float
    """The share of sequences that it gets right."""

    error: float
    """Its mean squared error over scored steps, summed over outputs; where `loss` is another error
    than the squared one, the mean loss."""


@dataclass(frozen=True)
class Task(Part, ABC):
    """One task. A concrete task is frozen, and its fields are its choices."""

    @property
    @abstractmethod
    def inputs(self) -> int:
        """I."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """O."""

    @property
    @abstractmethod
    def lag(self) -> Lag:
        """How far back the deciding input lies."""

    @property
    @abstractmethod
    def criterion(self) -> Criterion:
        """When the source calls it solved."""

    @property
    @abstractmethod
    def baseline(self) -> Baseline | None:
        """What a constant answer scores; None where it was not worked out."""

    @property
    def training(self) -> int | None:
        """Sequences of the fixed training set of a trial; None where each is drawn afresh."""
        return None

    @property
    def in_turn(self) -> bool:
        """Whether a fixed training set comes in its order, again and again; at random without it.

        In turn, a learner whose batch is as large sees the whole set in each step.
        """
        return False

    @property
    def test(self) -> int:
        """Sequences of the published test set."""
        return 2560

    @property
    def elsewhere(self) -> tuple[tuple[str, Task], ...]:
        """Tasks of the same inputs and outputs that a solved net is tested on beside its own.

        Each has the name of its measures: "longer" gives longer_wrong, longer_count, longer_error.
        """
        return ()

    def draw(self, source: Source) -> Drawn:
        """Fresh sequences, [T, *batch, ...], for the *batch of `source`."""
        raise NotImplementedError(f"{type(self).__name__} has neither draw nor sample")

    def sample(self, draws: Draws) -> Sequences:
        """Fresh sequences, [T, R, B, ...], for the R trials and B sequences of `draws`."""
        return self.draw(draws.tensors).whole()

    def training_set(self, draws: Draws) -> Sequences:
        """The fixed training set of each trial; `draws` asks for `training` sequences."""
        return self.sample(draws)

    def test_set(self, draws: Draws, training: Sequences | None) -> Sequences:
        """The test set of each trial, which may avoid the training set."""
        return self.sample(draws)

    def answer(self, inputs: Float[Tensor, "T *batch I"]) -> Float[Tensor, "T *batch O"] | None:
        """The rule: what is right at every scored step, from the inputs alone.

        None where the answer is data and no rule makes it. Values at steps that are not scored do
        not matter.
        """
        return None

    @abstractmethod
    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The steps whose input decides the answer over the task's lag."""

    @abstractmethod
    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """The steps whose input may be any other distractor's without changing the answer."""

    def loss(self, output: Float[Tensor, " O"], target: Float[Tensor, " O"]) -> Float[Tensor, ""]:
        """The error at one scored step: half the squared error, summed over outputs.

        Half, so that its derivative is the (d_k - y_k) of the old papers.
        """
        return ((output - target) ** 2).sum() / 2

    @abstractmethod
    def correct(
        self, outputs: Float[Tensor, "T *batch O"], answers: Float[Tensor, "T *batch O"]
    ) -> Bool[Tensor, "T *batch"]:
        """Whether the published criterion takes each step's output as right."""

    def perfect(self, answers: Float[Tensor, "T *batch O"]) -> Float[Tensor, "T *batch O"]:
        """Outputs of a net that knows the answers."""
        return answers

    def right(
        self, outputs: Float[Tensor, "T *batch O"], sequences: Sequences
    ) -> Bool[Tensor, " *batch"]:
        """Whether every scored step is right; a number that is not finite never is."""
        finite = outputs.isfinite().all(-1)
        good = self.correct(outputs, sequences.answers) & finite
        return (good | (sequences.scored == 0)).all(0)

    def error(
        self, outputs: Float[Tensor, "T *batch O"], sequences: Sequences
    ) -> Float[Tensor, " *batch"]:
        """The absolute error of a sequence, summed over outputs, the mean over its scored steps."""
        off = (outputs - sequences.answers).abs().sum(-1) * sequences.scored
        return torch.where(sequences.scored > 0, off, 0.0).sum(0) / sequences.scored.sum(0).clamp(
            min=1
        )


def within(
    tolerance: float, outputs: Float[Tensor, "T *batch O"], answers: Float[Tensor, "T *batch O"]
) -> Bool[Tensor, "T *batch"]:
    """Every output less than `tolerance` away."""
    return ((outputs - answers).abs() < tolerance).all(-1)


def one_hot(symbols: np.ndarray, count: int, alive: np.ndarray | None = None) -> np.ndarray:
    """[..., count] with a 1 at each symbol; all zeros where it is not alive."""
    coded = np.zeros((*symbols.shape, count))
    ones = 1.0 if alive is None else alive[..., None]
    np.put_along_axis(coded, symbols[..., None], ones, axis=-1)
    return coded


def sequences(
    inputs: np.ndarray,
    targets: np.ndarray,
    *,
    scored: np.ndarray,
    alive: np.ndarray,
    answers: np.ndarray | None = None,
) -> Sequences:
    """Sequences from arrays, padded behind the end with zeros. [T, R, B, ...] each.

    Args:
        inputs: [T, R, B, I].
        targets: [T, R, B, O], or [R, B, O] for a target at every scored step alike.
        scored: the steps whose answer counts.
        alive: the steps up to the end.
        answers: what outputs are judged by, where it is not the targets.
    """
    if targets.ndim == 3:
        targets = targets * scored[..., None]
    if answers is not None and answers.ndim == 3:
        answers = answers * scored[..., None]
    if inputs[~alive].any():
        inputs = inputs * alive[..., None]
    made = torch.from_numpy(np.ascontiguousarray(targets, dtype=np.float64))
    return Sequences(
        inputs=torch.from_numpy(np.ascontiguousarray(inputs, dtype=np.float64)),
        targets=made,
        answers=made if answers is None else torch.from_numpy(np.ascontiguousarray(answers)),
        scored=torch.from_numpy(scored.astype(np.float64)),
        alive=torch.from_numpy(np.ascontiguousarray(alive, dtype=bool)),
    )


def at_end(lengths: np.ndarray, steps: int) -> np.ndarray:
    """[T, R, B], True at the last step of each sequence."""
    return np.arange(steps)[:, None, None] == lengths - 1


def up_to(lengths: np.ndarray, steps: int) -> np.ndarray:
    """[T, R, B], True up to the end of each sequence."""
    return np.arange(steps)[:, None, None] < lengths
