"""Characters of real text: predict the next one, in stretches of Python's own help topics.

At every step of a stretch the next character is to be predicted, from where the stretch starts on.
The last tenth of the text is for testing; stretches may start anywhere. The text differs from one
release of Python to the next, and with it the alphabet, so its hash is a choice of the task and
stands in its repr: a result says what it was learned from.

Nothing is published on this text. What is chosen here for solved: a mean loss on 256 test stretches
below the entropy of a character given the one before, in the test text. Over all of that text no
net without a memory gets below it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from ..draws import Draws
from ..errors import InputRefused, WrongUsage, expect
from ..types import Sequences
from . import _topics
from ._choice import Choice, blind
from ._criterion import Criterion
from ._task import Baseline, Lag, one_hot, sequences

_TEST = 256
_TEST_SHARE = 10


@dataclass(frozen=True)
class Characters(Choice):
    """The next character.

    Args:
        length: characters of a stretch that are predicted.
        sha256: the hash of the text; None for the text that this Python has, whose hash it becomes.
    """

    length: int = 100
    sha256: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        expect(1, length=self.length)
        most = len(_parts()[1]) - 1
        if self.length > most:
            raise WrongUsage(
                f"length came as {self.length}, expected at most {most}, so that a stretch fits "
                "into the test text; try length=100."
            )
        found = _topics.text().sha256
        if self.sha256 not in (None, found):
            raise InputRefused(
                f"Characters came with the text {self.sha256}, and this Python has {found}; try "
                "the release of Python that it was made with, or sha256=None."
            )
        object.__setattr__(self, "sha256", found)

    @property
    def inputs(self) -> int:
        return len(_topics.text().alphabet)

    @property
    def outputs(self) -> int:
        return len(_topics.text().alphabet)

    @property
    def lag(self) -> Lag:
        """Any within a stretch."""
        return Lag(0, self.length - 1)

    @property
    def criterion(self) -> Criterion:
        return Criterion(on=("test",), wrong=_TEST, error=_entropy_after_one())

    @property
    def test(self) -> int:
        return _TEST

    @property
    def baseline(self) -> Baseline:
        """Each character as often as the training text holds it; right on runs of the commonest."""
        characters, _ = _parts()
        counts = np.bincount(characters, minlength=self.outputs)
        so_far = np.append(0, (characters[1:] == counts.argmax()).cumsum())
        runs = so_far[self.length :] - so_far[: -self.length] == self.length
        return blind(counts / counts.sum(), right=float(runs.mean()))

    def sample(self, draws: Draws) -> Sequences:
        return self._stretches(_parts()[0], draws)

    def test_set(self, draws: Draws, training: Sequences | None) -> Sequences:
        return self._stretches(_parts()[1], draws)

    def _stretches(self, characters: Int64[np.ndarray, " C"], draws: Draws) -> Sequences:
        start = draws.integers(high=len(characters) - self.length)
        symbols = characters[start + np.arange(self.length + 1)[:, None, None]]
        coded = one_hot(symbols, self.inputs)
        alive = np.ones((self.length, *draws.shape), dtype=bool)
        return sequences(coded[:-1], coded[1:], scored=alive, alive=alive)

    def informative(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """All: any character may tell."""
        return torch.ones(inputs.shape[:-1], dtype=torch.bool)

    def distractors(self, inputs: Float[Tensor, "T *batch I"]) -> Bool[Tensor, "T *batch"]:
        """None that are known."""
        return torch.zeros(inputs.shape[:-1], dtype=torch.bool)


def _parts() -> tuple[Int64[np.ndarray, " C"], Int64[np.ndarray, " D"]]:
    """The text to learn from, and the text to be tested on."""
    characters = _topics.text().characters
    cut = len(characters) - len(characters) // _TEST_SHARE
    return characters[:cut], characters[cut:]


@cache
def _entropy_after_one() -> float:
    """The entropy of a character given the one before, in nats, in the test text."""
    _, characters = _parts()
    pairs = np.unique(characters[:-1] * 2**16 + characters[1:], return_counts=True)[1]
    before = np.unique(characters[:-1], return_counts=True)[1]
    return _mean_log(before) - _mean_log(pairs)


def _mean_log(counts: Int64[np.ndarray, " K"]) -> float:
    """The mean of the log of the counts, each counted as often as it says."""
    return float((counts * np.log(counts)).sum() / counts.sum())
